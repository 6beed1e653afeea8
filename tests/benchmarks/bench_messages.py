"""What signing and checking cost for the report of one batch of pictures, as a worker sends it back.

    python tests/benchmarks/bench_messages.py [--files 64] [--rounds 30]

Made-up vectors of the dimensions of ResNet-18 with style and concepts. Prints the size of the message and the median
milliseconds of CPU of each step; sealing and opening are what signing adds, beside what writing and reading JSON takes.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable

import numpy as np

from search.media import Kind, MediaRecord, media_id
from search.model_descriptions.model_choice import ModelChoice, schemas_of
from search.photographers.photos.features import FEATURES
from search.store.base import Array, Point
from workers.batch.report import Batch, BatchReport, Delivery, FileRef, Outcome, Status
from workers.cluster.batch_split import check_report
from workers.cluster.serialization import report_from_json, report_to_json
from workers.cluster.signing import Seals


def make(files: int) -> tuple[Batch, BatchReport]:
    """A batch of pictures and the report of a worker that has no store."""
    rng = np.random.default_rng(0)
    refs = tuple(FileRef(f"/media/album/{n:05}.jpg", "media", 4_000_000, 1.7e9, f"{n:064x}") for n in range(files))
    fields = schemas_of(ModelChoice("resnet18", "r3d18"))[0].fields
    deliveries, outcomes = [], []
    for file in refs:
        id_ = media_id(file.sha256)
        vectors: dict[str, Array] = {}
        for field in fields:
            vector = rng.normal(size=(1, field.space.dim)).astype(np.float32)
            if field.sparse:
                vector[0, 21:] = 0
            vectors[field.space.name] = vector / np.linalg.norm(vector)
        record = MediaRecord(
            id_, Kind.IMAGE, (file.path,), ("media",), file.size, file.mtime, "image/jpeg", 4000, 3000,
            taken_at="2024-05-06T10:20:30", camera="Acme A1", lens="Acme 35mm", iso=100.0, tags=("tabby", "lynx"),
            fingerprints=("0f" * 32,), pixel_hash="ab" * 32, thumbnail=f"{id_[:2]}/{id_}.webp", job="1",
            features=tuple((feature.low + feature.high) / 2 for feature in FEATURES),
        )  # fmt: skip
        deliveries.append(Delivery("images", Point(id_, vectors, record.to_payload())))
        outcomes.append(Outcome(file.path, Status.EMBEDDED, id_, Kind.IMAGE, seconds=0.1))
    report = BatchReport("1-1", tuple(outcomes), {"decode": 1.0}, tuple(deliveries))
    return Batch("1-1", "1", Kind.IMAGE, refs), report


def median_ms(step: Callable[[], object], rounds: int) -> float:
    spent = []
    for _ in range(rounds):
        began = time.thread_time()
        step()
        spent.append(time.thread_time() - began)
    return statistics.median(spent) * 1000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=30)
    options = parser.parse_args()
    batch, report = make(options.files)
    seals = Seals(b"k" * 64)
    text = json.dumps({"status": "SUCCESS", "result": report_to_json(report)})
    sealed = seals.seal(text, "result", "task")
    stored = json.dumps(sealed)
    read = report_from_json(json.loads(text)["result"])
    steps: dict[str, Callable[[], object]] = {
        "report to JSON": lambda: json.dumps({"status": "SUCCESS", "result": report_to_json(report)}),
        "sealing": lambda: json.dumps(seals.seal(text, "result", "task")),
        "opening": lambda: seals.open(json.loads(stored), "result", "task"),
        "JSON to a checked report": lambda: report_from_json(json.loads(text)["result"]),
        "comparing it with its batch": lambda: check_report(read, batch),
    }
    print(f"{options.files} pictures, {len(text) / 1e6:.2f} MB")
    for name, step in steps.items():
        print(f"{name:28} {median_ms(step, options.rounds):6.2f} ms")


if __name__ == "__main__":
    main()
