"""What `likewise ingest` says when the disk of its data directory fills up, at random moments.

Each round mounts a small file system in memory, begins to take in a folder of pictures, fills the file system to its
last page at a random moment, waits for the command, makes room, and runs the command again. Expected of every round:
the first command ends within a minute with status 3 and words (or with 0, where it was through already), and the second
takes in the rest. Needs root, to mount.

    sudo .venv/bin/python tests/benchmarks/bench_full_disk.py [--moments N] [--size MEGABYTES] [--seed N]
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

ROOT = Path(__file__).resolve().parents[2]
LIMIT = 60.0
"""Seconds within which the command has to end once the disk is full."""

PAGE = 4096


@dataclass(frozen=True)
class Round:
    """One moment: seconds after the start at which the disk was filled, how the command ended after that, and what the
    next run had embedded."""

    moment: float
    at: str
    status: int | None
    seconds: float
    words: str
    after: str
    stored: int

    @property
    def fine(self) -> bool:
        said = self.status == 3 and "full" in self.words
        return (said or self.status == 0) and self.seconds <= LIMIT and self.after == "done"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--moments", type=int, default=30)
    parser.add_argument("--size", type=int, default=1000, help="of the file system, MiB")
    parser.add_argument("--pictures", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--from-work", action="store_true", help="only moments after the first batch has begun")
    arguments = parser.parse_args()
    rng = random.Random(arguments.seed)
    with tempfile.TemporaryDirectory() as temporary:
        pictures = Path(temporary, "pictures")
        make_pictures(pictures, arguments.pictures)
        with small_disk(Path(temporary, "disk"), arguments.size) as disk:
            began = time.monotonic()
            status, words = finish(ingest(disk / "home", pictures), 600)
            whole = time.monotonic() - began
        assert status == 0, words
        print(f"{arguments.pictures} pictures take {whole:.1f} s on a disk of {arguments.size} MiB.", flush=True)
        rounds = []
        for number in range(arguments.moments):
            moment = rng.uniform(0.35 if arguments.from_work else 0.0, 0.9) * whole
            with small_disk(Path(temporary, "disk"), arguments.size) as disk:
                rounds.append(one_round(disk, pictures, moment))
            made = rounds[-1]
            how = "fine " if made.fine else "WRONG"
            print(
                f"{number + 1:3} {how} filled at {made.moment:5.1f} s ({made.at}): status {made.status} after "
                f"{made.seconds:4.1f} s, then {made.after}, {made.stored} stored. {made.words}",
                flush=True,
            )
    fine = sum(made.fine for made in rounds)
    slowest = max(made.seconds for made in rounds)
    middle = statistics.median(made.seconds for made in rounds)
    print(f"{fine} of {len(rounds)} moments ended well; seconds to the end: median {middle:.1f}, most {slowest:.1f}.")
    return 0 if fine == len(rounds) else 1


def make_pictures(folder: Path, count: int) -> None:
    """JPEGs of 640 x 480 pixels, each of its own."""
    folder.mkdir()
    for number in range(count):
        cells = np.random.default_rng(number).integers(0, 256, (6, 8, 3), dtype=np.uint8)
        Image.fromarray(cells).resize((640, 480), Image.Resampling.BICUBIC).save(folder / f"{number:04}.jpg")


@contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[Path]:
    """A file system of its own at ``folder``."""
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "none", folder], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)
        folder.rmdir()


def ingest(home: Path, pictures: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-P", "-m", "web.cli", "ingest", "--json", "--home", str(home), str(pictures)]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment, start_new_session=True
    )


def finish(process: subprocess.Popen[str], seconds: float) -> tuple[int | None, str]:
    """Status, or None where it had to be killed, and what it printed last."""
    try:
        said, _ = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        said, _ = process.communicate()
        return None, " ".join(said.split("\n")[-3:])
    return process.returncode, " ".join(said.split("\n")[-3:])


def one_round(disk: Path, pictures: Path, moment: float) -> Round:
    home = disk / "home"
    first = ingest(home, pictures)
    time.sleep(moment)
    previews = len(list(home.glob("previews/*/*"))) if home.exists() else 0
    fill(disk)
    began = time.monotonic()
    status, words = finish(first, LIMIT)
    took = time.monotonic() - began
    (disk / "filler").unlink()
    ended, said = finish(ingest(home, pictures), 300)
    try:
        result = json.loads(said.strip().splitlines()[-1][said.strip().splitlines()[-1].index('{"job"') :])
    except (ValueError, IndexError):
        return Round(moment, f"{previews} previews", status, took, words, f"status {ended}: {said}", 0)
    stored = result["embedded"] + result["unchanged"] + result["duplicate"] + result["moved"]
    return Round(moment, f"{previews} previews", status, took, words, result["state"], stored)


def fill(disk: Path) -> None:
    """Take all that is free, to the last page."""
    with (disk / "filler").open("wb") as file:
        end = 0
        piece = 1 << 30
        while piece >= PAGE:
            try:
                os.posix_fallocate(file.fileno(), end, piece)
            except OSError:
                piece //= 2
            else:
                end += piece


if __name__ == "__main__":
    sys.exit(main())
