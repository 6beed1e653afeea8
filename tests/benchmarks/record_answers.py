"""Record what Likewise answers on its sample library, or compare two recordings.

    python tests/benchmarks/record_answers.py record FILE [--home HOME]
    python tests/benchmarks/record_answers.py compare BEFORE AFTER

``record`` makes the sample library in HOME (by default a temporary folder), trains a classifier with fixed settings and
writes the answers to 50 questions and 20 predictions as JSON. A change that must not change answers is checked by
recording before and after it on one machine: ``compare`` prints every difference, numbers to 1e-6, and exits with 1 if
there is one. Recordings in one HOME compare how questions are answered; each in a HOME of its own, they also compare
vectors, which differ by rounding from one processor, and from one order of files in a batch, to another.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx

from search.settings import Settings
from web.client import Client, connect_inside

TOLERANCE = 1e-6
CLOCKS = {"took_ms", "added", "query", "modified", "model"}
"""Keys whose values say when or how a question was asked, not what was found."""

WORDS = (
    *("balloon", "red", "blue sky", "sunset beach", "stars night", "forest -water", "bicycel", "2024"),
    *("fruit", '"hot air balloon"', "the photo", "tower by night", "lighthouse", "yellow"),
)
ORDERS = ("newest", "name", "size", "id")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True, dest="command")
    recording = commands.add_parser("record")
    recording.add_argument("file", type=Path)
    recording.add_argument("--home", type=Path)
    comparing = commands.add_parser("compare")
    comparing.add_argument("before", type=Path)
    comparing.add_argument("after", type=Path)
    arguments = parser.parse_args()
    if arguments.command == "compare":
        before, after = (json.loads(file.read_text("utf-8")) for file in (arguments.before, arguments.after))
        found = list(differences(before, after, ""))
        print("\n".join(found[:200]) or f"{len(before)} answers are the same to {TOLERANCE:g}.")
        return 1 if found else 0
    with tempfile.TemporaryDirectory() as temporary:
        answers = record(arguments.home or Path(temporary))
    arguments.file.write_text(json.dumps(answers, indent=1, ensure_ascii=False), "utf-8")
    print(f"{len(answers)} answers.")
    return 0


def record(home: Path) -> dict[str, Any]:
    """Question to answer, without times."""
    from ingest.sample.library import make_sample_library

    folder = home / "sample"
    make_sample_library(folder)
    with connect_inside(Settings(home=home, device="cpu")) as (client, _):
        wait(client, client.post("/jobs", {"paths": [str(folder)], "library": "sample"})["id"])
        wait(client, client.post("/photographers/train", {"seconds": 0.0})["id"])
        return {name: cleaned(ask(client, path, body), str(home)) for name, path, body in questions(client)}


def wait(client: Client, job: str) -> None:
    while client.get(f"/jobs/{job}")["state"] in ("queued", "scanning", "running", "paused"):
        time.sleep(0.2)


def ask(client: Client, path: str, body: dict[str, Any] | None) -> Any:
    return client.get(path) if body is None else client.post(path, body)


def questions(client: Client) -> Iterator[tuple[str, str, dict[str, Any] | None]]:
    """Name, path and body (None for GET) of 50 questions and 20 predictions."""
    ids = {kind: stored(client, kind) for kind in ("images", "videos", "audio")}
    images, videos, sounds = ids["images"], ids["videos"], ids["audio"]
    bodies: list[dict[str, Any]] = [{"like": [id_]} for id_ in (*images[::9][:9], *videos[:5], *sounds[:6])]
    bodies += [
        {"like": images[:2]},
        {"like": [images[3], videos[1]], "unlike": [images[-1]]},
        {"like": [images[5]], "style": -1.0},
        {"like": [images[5]], "style": 0.0},
        {"like": [images[5]], "style": 0.5},
        {"like": [images[7]], "diversity": 0.5},
        {"like": [images[8]], "exact": True, "limit": 50},
        {"like": [images[9]], "offset": 10, "limit": 10},
        {"like": [sounds[0]], "pivot": True},
        {"like": [images[0]], "words": "red"},
        {"like": [images[1]], "kinds": ["video"]},
    ]
    for number, body in enumerate(bodies):
        yield f"similar {number}", "/similar", body
    for words in WORDS:
        yield f"words {words}", "/search?" + str(httpx.QueryParams(q=words)), None
    for order in ORDERS:
        yield f"browse {order}", f"/browse?collection=images&limit=30&order={order}", None
    yield "duplicates", "/duplicates", None
    for number, id_ in enumerate(images[::5][:20]):
        yield f"prediction {number}", "/photographers/predict", {"like": id_}


def stored(client: Client, collection: str) -> list[str]:
    """Ids, in order of the files' names."""
    page = client.get(f"/browse?collection={collection}&limit=500&order=name")
    return [record["id"] for record in page["records"]]


def cleaned(answer: Any, home: str) -> Any:
    """The answer without times, and with paths as if HOME were the root."""
    if isinstance(answer, dict):
        return {key: cleaned(value, home) for key, value in answer.items() if key not in CLOCKS}
    if isinstance(answer, str):
        return answer.removeprefix(home)
    return [cleaned(one, home) for one in answer] if isinstance(answer, list) else answer


def differences(before: Any, after: Any, where: str) -> Iterator[str]:
    """A line for each value that is not the same."""
    if isinstance(before, dict) and isinstance(after, dict):
        for key in before | after:
            if key in before and key in after:
                yield from differences(before[key], after[key], f"{where}/{key}")
            else:
                yield f"{where}/{key}: only {'before' if key in before else 'after'}"
    elif isinstance(before, list) and isinstance(after, list):
        if len(before) != len(after):
            yield f"{where}: {len(before)} before, {len(after)} after"
        for at, (one, other) in enumerate(zip(before, after, strict=False)):
            yield from differences(one, other, f"{where}/{at}")
    elif isinstance(before, float) and isinstance(after, int | float):
        if abs(before - after) > TOLERANCE:
            yield f"{where}: {before} before, {after} after"
    elif before != after:
        yield f"{where}: {before!r} before, {after!r} after"


if __name__ == "__main__":
    sys.exit(main())
