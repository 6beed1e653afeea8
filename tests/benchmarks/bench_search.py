"""How fast find-similar answers on 100,000 pictures, and how right the approximate index is.

    python tests/benchmarks/bench_search.py [--points N] [--questions N]

Prints, for synthetic 512-d points in the embedded store: median milliseconds of ``find_similar`` (payload, calibration
and fusion included) before and after optimising, for questions by stored id and by uploaded example, recall@10 against
an exact scan, and the longest pause of a loop of questions while the store is being optimised; next to plain numpy and
to qdrant-client's local mode on the same vectors (20,000 of them at most: more would take local mode minutes to load).
"""

from __future__ import annotations

import argparse
import hashlib
import tempfile
import threading
import time
import uuid
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from qdrant_client import QdrantClient

from search.media import Kind, MediaRecord
from search.similar.find import find_similar
from search.similar.questions import Probe, Question
from search.spaces import CollectionSchema, Space, VectorField
from search.store.base import Array, Point, Store
from search.store.edge.store import EdgeStore
from search.store.server.store import ServerStore

DIM, NEIGHBOURS = 512, 10
SPACE = Space("visual", "synthetic", "1", "seeded mixture", DIM)
SCHEMA = CollectionSchema(Kind.IMAGE, (VectorField(SPACE),))
LOCAL_MODE_POINTS = 20_000


def make_vectors(n: int, seed: int = 0) -> Array:
    """``(n, 512)``, rows L2-normalised, distributed much as a picture model's pooled features are.

    Groups of unequal size in 48 latent dimensions, mixed into 512 and cut off at zero, as ResNet's last ReLU does.
    """
    rng = np.random.default_rng(seed)
    mixing = rng.normal(size=(48, DIM)).astype(np.float32)
    centres = rng.normal(size=(max(8, n // 200), 48)).astype(np.float32)
    weights = rng.pareto(1.5, len(centres)) + 0.1
    group = rng.choice(len(centres), n, p=weights / weights.sum())
    vectors = np.empty((n, DIM), np.float32)
    for start in range(0, n, 10_000):
        part = group[start : start + 10_000]
        latent = centres[part] + 0.6 * rng.normal(size=(len(part), 48)).astype(np.float32)
        mixed = latent @ mixing + rng.normal(size=(len(part), DIM)).astype(np.float32)
        vectors[start : start + len(part)] = np.maximum(mixed, 0)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def id_of(n: int) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_OID, str(n)))


def points_of(vectors: Array) -> Iterator[list[Point]]:
    """Batches of 1,000, with the payload that real pictures have."""
    for start in range(0, len(vectors), 1000):
        batch = []
        for n in range(start, min(start + 1000, len(vectors))):
            record = MediaRecord(
                id_of(n),
                Kind.IMAGE,
                (f"/archive/{n // 1000:03d}/IMG_{n:06d}.jpg",),
                libraries=("archive",),
                size=2_000_000 + n,
                mtime=1.6e9 + n,
                mime="image/jpeg",
                width=4000,
                height=3000,
                taken_at=f"20{10 + n % 15:02d}-{1 + n % 12:02d}-{1 + n % 28:02d}T12:00:00",
                camera=f"Camera {n % 40}",
                tags=(f"subject {n % 300}", f"place {n % 90}"),
                fingerprints=(hashlib.sha256(b"%d" % n).hexdigest(),),
                thumbnail=f"{n % 256:02x}/{id_of(n)}.webp",
            )
            batch.append(Point(record.id, {"visual": vectors[n : n + 1]}, record.to_payload()))
        yield batch


def fill(store: Store, vectors: Array) -> float:
    """Upsert everything; seconds."""
    store.ensure(SCHEMA)
    started = time.perf_counter()
    for batch in points_of(vectors):
        store.upsert("images", batch)
    return time.perf_counter() - started


def median_ms(ask: Callable[[int], object], questions: Sequence[int]) -> float:
    """Median milliseconds of a question, after one that warms up (the first also learns the calibration)."""
    ask(questions[0])
    taken = []
    for question in questions:
        started = time.perf_counter()
        ask(question)
        taken.append(time.perf_counter() - started)
    return float(np.median(taken)) * 1000


def nearest(vectors: Array, question: NDArray[np.float32]) -> NDArray[np.intp]:
    """Indices of the ten nearest, best first, by an exact scan."""
    scores = vectors @ question
    best = np.argpartition(-scores, NEIGHBOURS)[:NEIGHBOURS]
    order: NDArray[np.intp] = best[np.argsort(-scores[best])]
    return order


def probe_of(vector: NDArray[np.float32]) -> Probe:
    return Probe(Kind.IMAGE, {"visual": vector[None]}, {"visual": SPACE.fingerprint}, name="upload.jpg")


class Bench:
    """One store with the questions it is asked."""

    def __init__(self, store: Store, vectors: Array, questions: int) -> None:
        self.store = store
        self.vectors = vectors
        self.stored = np.random.default_rng(1).integers(0, len(vectors), questions).tolist()
        # Uploads resemble stored pictures without being them.
        noise = np.random.default_rng(2).normal(size=(questions, DIM)).astype(np.float32) * 0.02
        self.uploads = np.maximum(vectors[self.stored] + noise, 0)

    def by_id(self, n: int) -> object:
        return find_similar(self.store, Question((id_of(self.stored[n]),), limit=NEIGHBOURS))

    def by_upload(self, n: int) -> object:
        return find_similar(self.store, Question((probe_of(self.uploads[n]),), limit=NEIGHBOURS))

    def report(self, label: str) -> None:
        numbers = range(len(self.stored))
        print(
            f"{label:<42} {median_ms(self.by_id, numbers):8.2f} {median_ms(self.by_upload, numbers):9.2f} "
            f"{self.recall():8.3f}",
            flush=True,
        )

    def recall(self) -> float:
        """Share of the exact ten nearest among the ten answered, over the uploaded examples."""
        found = 0
        for upload in self.uploads:
            answer = find_similar(self.store, Question((probe_of(upload),), limit=NEIGHBOURS))
            truth = {id_of(int(n)) for n in nearest(self.vectors, upload)}
            found += len(truth & {hit.id for hit in answer.hits})
        return found / (len(self.uploads) * NEIGHBOURS)

    def optimise_under_questions(self) -> tuple[float, float, int]:
        """Optimise while asking; seconds it took, longest pause in ms, questions answered."""
        done = threading.Thread(target=self.store.optimise, args=("images",))
        started = time.perf_counter()
        done.start()
        longest, asked = 0.0, 0
        while done.is_alive():
            before = time.perf_counter()
            self.by_upload(asked % len(self.uploads))
            longest = max(longest, time.perf_counter() - before)
            asked += 1
            time.sleep(0.01)
        return time.perf_counter() - started, longest * 1000, asked


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--points", type=int, default=100_000)
    parser.add_argument("--questions", type=int, default=200)
    arguments = parser.parse_args()
    warnings.filterwarnings("ignore", category=UserWarning, module="qdrant_client|search")

    vectors = make_vectors(arguments.points)
    print(f"{arguments.points:,} points of {DIM} dimensions, {NEIGHBOURS} neighbours, {arguments.questions} questions")
    print(f"{'':<42} {'by id':>8} {'by upload':>9} {'recall':>8}    (median ms)")

    with tempfile.TemporaryDirectory() as folder:
        edge = EdgeStore(Path(folder))
        seconds = fill(edge, vectors)
        bench = Bench(edge, vectors, arguments.questions)
        bench.report("find_similar, embedded store, before")
        took, pause, asked = bench.optimise_under_questions()
        bench.report("find_similar, embedded store, optimised")
        indexed = edge.collections()["images"].indexed
        edge.close()

    plain = median_ms(lambda n: nearest(vectors, bench.uploads[n]), range(arguments.questions))
    print(f"{'numpy scan, vectors only':<42} {'':>8} {plain:9.2f} {1:8.3f}")

    few = vectors[:LOCAL_MODE_POINTS]
    local = ServerStore(QdrantClient(":memory:"))
    local_seconds = fill(local, few)
    Bench(local, few, min(20, arguments.questions)).report(f"find_similar, local mode, {len(few):,} points only")
    local.close()

    print(f"upserts: embedded {len(vectors) / seconds:,.0f}/s, local mode {len(few) / local_seconds:,.0f}/s")
    print(
        f"optimising took {took:.0f} s in a child process ({indexed:,} vectors indexed); meanwhile {asked:,} questions "
        f"were answered, the longest pause was {pause:.0f} ms"
    )


if __name__ == "__main__":
    main()
