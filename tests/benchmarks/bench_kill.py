"""What `likewise ingest` leaves when it is killed with -9 at random moments and run again: the same, bit for bit?

Takes in a folder of pictures, films and sounds undisturbed. Then takes it in anew, kills the whole process group of the
command at a random moment, decoders included, and runs it again, which may be killed as well, until a run comes to its
end; and begins with an empty data directory until the wanted number of kills is reached. Each library that came to its
end is compared with the undisturbed one: vectors bit by bit, payloads with their checksums, previews, and what the
ledger has of every file. `likewise verify` has to find nothing.

    python tests/benchmarks/bench_kill.py [--kills 20] [--pictures 120] [--seed 0]
"""

from __future__ import annotations

import argparse
import hashlib
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "plugins"))
sys.path.insert(0, str(Path(__file__).resolve().parent))

import numpy as np
from bench_full_disk import finish, ingest, make_pictures
from mutated_media import drawn
from sqlalchemy import select

from ingest.ledger.database import Ledger
from ingest.ledger.tables import files, planned, unsettled
from search.media import COLLECTIONS
from search.settings import Settings
from search.store import open_store

OF_THE_RUN = ("added", "job")
"""Payload keys that say when and by which job a record was made."""

ROW = ("path", "folder", "size", "mtime_ns", "ctime_ns", "sidecars", "sha256", "media_id", "kind", "state", "code")
ROUNDS_MOST = 60


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--pictures", type=int, default=120)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    rng = random.Random(arguments.seed)
    with tempfile.TemporaryDirectory() as temporary:
        media = Path(temporary, "media")
        make_media(media, arguments.pictures)
        began = time.monotonic()
        status, words = finish(ingest(Path(temporary, "undisturbed"), media), 600)
        whole = time.monotonic() - began
        assert status in (0, 1), words  # 1: a kind that this installation cannot read
        expected = state(Path(temporary, "undisturbed"))
        print(f"{len(expected['ledger'])} files take {whole:.1f} s undisturbed.", flush=True)
        kills = wrong = libraries = 0
        while kills < arguments.kills:
            home = Path(temporary, f"home {libraries}")
            libraries += 1
            kills += killed_until_done(home, media, whole, rng, arguments.kills - kills)
            different, found = differences(expected, state(home)), verified(home)
            wrong += bool(different or found)
            print(f"{kills} kills: {'; '.join(different) or 'all of it as undisturbed'}")
            print(f"  {found or 'verify finds nothing'}", flush=True)
    print(f"{kills} kills over {libraries} libraries, {wrong} of which are not as undisturbed.")
    return 1 if wrong else 0


def make_media(folder: Path, pictures: int) -> None:
    make_pictures(folder, pictures)
    for kind, content in drawn().items():
        (folder / f"drawn.{kind}").write_bytes(content)
        (folder / f"copy of drawn.{kind}").write_bytes(content)


def killed_until_done(home: Path, media: Path, whole: float, rng: random.Random, most: int) -> int:
    """How often the command was killed before it came to its end."""
    kills = 0
    while True:
        process = ingest(home, media)
        try:
            process.wait(rng.uniform(0.2, 0.95) * whole if kills < most else 600)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            kills += 1
            continue
        said, _ = process.communicate()
        assert process.returncode in (0, 1), said
        if kills:
            return kills


def state(home: Path) -> dict[str, Any]:
    """Everything that is to be the same."""
    settings = Settings(home=home)
    store, ledger = open_store(settings), Ledger(settings.ledger_url)
    try:
        points = {}
        for name in COLLECTIONS:
            if name not in store.collections():
                continue
            spaces = [*store.schema(name).by_name]
            for point in store.scroll(name, vectors=spaces):
                points[point.id] = point
        with ledger.read() as connection:
            rows = connection.execute(select(*(files.c[column] for column in ROW)).order_by(files.c.path)).all()
            left = [*connection.execute(select(planned)), *connection.execute(select(unsettled))]
        return {
            "vectors": {id_: dict(point.vectors) for id_, point in points.items()},
            "payloads": {
                id_: {key: value for key, value in point.payload.items() if key not in OF_THE_RUN}
                for id_, point in points.items()
            },
            "checksums": {id_: dict(point.checksums) for id_, point in points.items()},
            "previews": {path.name: digest(path.read_bytes()) for path in home.glob("previews/*/*")},
            "ledger": [tuple(row) for row in rows],
            "plans": left,
        }
    finally:
        store.close()
        ledger.close()


def differences(expected: dict[str, Any], found: dict[str, Any]) -> list[str]:
    """What is not as it was undisturbed: of vectors, the path of the file and how far apart they are at most."""
    lines = []
    for part, value in found.items():
        if part != "vectors" and value == expected[part]:
            continue
        if part != "vectors" or value.keys() != expected[part].keys():
            lines.append(f"{part} differ")
            continue
        for id_, spaces in value.items():
            for name, vector in spaces.items():
                other = expected[part][id_].get(name)
                if other is None or other.shape != vector.shape:
                    lines.append(f"{name} of {id_} is another or new")
                elif (far := float(np.abs(other - vector).max())) > 0:
                    lines.append(f"{name} of {found['payloads'][id_]['paths'][0]} is {far:.1e} away")
    return lines


def verified(home: Path) -> str:
    """What `likewise verify` finds; empty where it finds nothing."""
    root = Path(__file__).resolve().parents[2]
    command = [sys.executable, "-P", "-m", "web.cli", "verify", "--home", str(home)]
    environment = os.environ | {"PYTHONPATH": str(root)}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    return "" if done.returncode == 0 else done.stdout + done.stderr


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


if __name__ == "__main__":
    sys.exit(main())
