"""What pictures' concepts cost as sparse vectors in the embedded store: memory, disk, and time of other questions.

A library of pictures with concepts (21 of 1,871 a picture, some concepts far more often than others) is compared with
the same library without. Memory is what a process of its own takes that has opened the library and asked: its
proportional set size, memory-mapped files included. Both after the store's optimiser has packed the inverted index,
which the limit is for, and as written, when the index is one that can grow: in a library that is only so of what came
since the optimiser ran, less than ``layout.INDEXING_THRESHOLD_KB`` of dense vectors. Answers to questions about
concepts are checked against numpy first.

    .venv/bin/python tests/benchmarks/bench_concepts.py [--pictures N] [--latency-pictures N] [--questions N]
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Sequence
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from search.media import Kind
from search.spaces import CollectionSchema, Distance, Space, VectorField
from search.store.base import Array, Point, VectorQuery
from search.store.durable import size_on_disk
from search.store.edge.layout import INDEXING_THRESHOLD_KB
from search.store.edge.store import EdgeStore
from search.store.filters import Filter

DIM, NONZERO = 1871, 21
CONCEPTS = VectorField(Space("concepts", "bench", "1", "none", DIM, Distance.DOT), sparse=True)
BYTES_LIMIT, LATENCY_LIMIT = 400, 1.3
TOLERANCE = 1e-3
BATCH = 2000
HOME, ASKED = "--home", 200


def visual(dim: int) -> VectorField:
    return VectorField(Space("visual", "bench", "1", "none", dim))


def schema(dim: int, *, concepts: bool) -> CollectionSchema:
    return CollectionSchema(Kind.IMAGE, (visual(dim), *([CONCEPTS] if concepts else [])))


def name(n: int) -> str:
    """An id like those of media: in no order of being written."""
    return str(uuid.uuid5(uuid.NAMESPACE_OID, str(n)))


def concept_rows(start: int, count: int) -> Array:
    """``count`` rows, seeded by ``start``. The n-th concept is n to the -0.7 times as usual as the first."""
    rng = np.random.default_rng(start)
    usual = np.arange(1, DIM + 1) ** -0.7
    # The first of a random order weighted by how usual each is (Efraimidis and Spirakis, 2006).
    order = np.argpartition(rng.exponential(size=(count, DIM)) / usual, NONZERO, axis=1)[:, :NONZERO]
    rows = np.zeros((count, DIM), np.float32)
    np.put_along_axis(rows, order, rng.uniform(0.05, 1.0, size=order.shape).astype(np.float32), axis=1)
    return rows


def dense_rows(start: int, count: int, dim: int) -> Array:
    return np.random.default_rng(10**6 + start).normal(size=(count, dim)).astype(np.float32)


def write(store: EdgeStore, pictures: int, dim: int, *, concepts: bool) -> None:
    """Fill a new library; its pictures are named by number."""
    store.ensure(schema(dim, concepts=concepts))
    for start in range(0, pictures, BATCH):
        count = min(BATCH, pictures - start)
        dense = dense_rows(start, count, dim)
        sparse = concept_rows(start, count) if concepts else None
        points = []
        for n in range(count):
            vectors = {"visual": dense[n : n + 1]} | ({} if sparse is None else {"concepts": sparse[n : n + 1]})
            points.append(Point(name(start + n), vectors, {"missing": False, "size": start + n}))
        store.upsert("images", points)


def one_concept(concept: int, limit: int = 10) -> VectorQuery:
    asked = np.zeros((1, DIM), np.float32)
    asked[0, concept] = 1
    return VectorQuery(CONCEPTS.space, asked, limit)


def check(store: EdgeStore, pictures: int) -> None:
    """Answers are those of numpy to the precision that is kept.

    Raises:
        SystemExit: they are not.
    """
    rows = np.vstack([concept_rows(s, min(BATCH, pictures - s))[:, ::187] for s in range(0, pictures, BATCH)])
    for column in range(rows.shape[1]):
        (hits,) = store.query("images", [one_concept(column * 187, 50)])
        best = np.sort(rows[:, column])[::-1][: len(hits)]
        if not np.allclose([hit.score for hit in hits], best, atol=TOLERANCE):
            raise SystemExit(f"concept {column * 187}: other scores than numpy's")


def proportional_set_size() -> int:
    """Bytes of memory this process takes, its share of what several have mapped included."""
    for line in Path("/proc/self/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    raise SystemExit("/proc/self/smaps_rollup has no Pss")


def child(home: Path) -> None:
    """Open a library, ask it, and print how much memory that took."""
    before = proportional_set_size()
    store = EdgeStore(home)
    held = store.schema("images")
    dim = held.fields[0].space.dim
    queries = [VectorQuery(held.fields[0].space, row[None], 10) for row in dense_rows(-1 % 97, ASKED, dim)]
    if CONCEPTS.space.name in held.by_name:
        queries += [one_concept(concept) for concept in range(0, DIM, DIM // ASKED)]
    store.query("images", queries)
    print(json.dumps(proportional_set_size() - before))
    store.close()


def memory(home: Path) -> int:
    told = subprocess.run([sys.executable, __file__, HOME, str(home)], capture_output=True, text=True, check=True)
    return int(told.stdout)


def measure_room(folder: Path, pictures: int, dim: int) -> bool:
    """Print bytes a picture; whether they are within the limit."""
    took: dict[tuple[str, bool], tuple[int, int]] = {}
    for concepts in (False, True):
        home = folder / f"room-{concepts}"
        store = EdgeStore(home)
        started = time.perf_counter()
        write(store, pictures, dim, concepts=concepts)
        if concepts:
            check(store, pictures)
        store.close()
        print(f"  {'with' if concepts else 'without'} concepts: written in {time.perf_counter() - started:.0f} s")
        took["as written", concepts] = memory(home), size_on_disk(home)
        store = EdgeStore(home)
        if not store.optimise("images"):
            raise SystemExit("the store found nothing to optimise")
        if concepts:
            check(store, pictures)
        store.close()
        took["optimised", concepts] = memory(home), size_on_disk(home)
    ram = 0.0
    for state, limit in (("as written", ""), ("optimised", f" (limit {BYTES_LIMIT} of memory)")):
        ram, disk = (
            (have - without) / pictures for have, without in zip(took[state, True], took[state, False], strict=True)
        )
        print(f"  {state:10}: {ram:4.0f} bytes of memory and {disk:4.0f} of disk a picture{limit}")
    return ram <= BYTES_LIMIT


def ask(store: EdgeStore, space: Space, rows: Array) -> list[float]:
    """Milliseconds of each question for ten hits, the usual filter included."""
    took = []
    for row in rows:
        started = time.perf_counter()
        store.query("images", [VectorQuery(space, row[None], 10, Filter())])
        took.append((time.perf_counter() - started) * 1000)
    return took


def measure_latency(folder: Path, pictures: int, dim: int, questions: int) -> bool:
    """Print median milliseconds of a dense question beside concepts and without; whether they are within the limit."""
    stores = {}
    for concepts in (False, True):
        stores[concepts] = EdgeStore(folder / f"latency-{concepts}")
        write(stores[concepts], pictures, dim, concepts=concepts)
        stores[concepts].optimise("images")
    rows = dense_rows(10**6, questions, dim)
    took: dict[bool, list[float]] = {False: [], True: []}
    for block in range(0, questions, 20):  # in turns, so that whatever else the machine does slows both alike
        for concepts, store in stores.items():
            took[concepts] += ask(store, visual(dim).space, rows[block : block + 20])
    about = []
    for concept in range(0, DIM, DIM // 100):
        started = time.perf_counter()
        stores[True].query("images", [one_concept(concept)])
        about.append((time.perf_counter() - started) * 1000)
    for store in stores.values():
        store.close()
    without, beside = (statistics.median(took[concepts]) for concepts in (False, True))
    print(f"  a dense question: {without:.2f} ms without concepts, {beside:.2f} ms beside them, ", end="")
    print(f"{beside / without:.2f} × (limit {LATENCY_LIMIT}); about one concept: {statistics.median(about):.2f} ms")
    return beside / without <= LATENCY_LIMIT


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pictures", type=int, default=100_000)
    parser.add_argument("--latency-pictures", type=int, default=20_000)
    parser.add_argument("--questions", type=int, default=400)
    parser.add_argument(HOME, type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args(arguments)
    if given.home:
        child(given.home)
        return 0
    with tempfile.TemporaryDirectory(prefix="likewise-bench-") as folder:
        print(f"{given.pictures:,} pictures, {NONZERO} of {DIM:,} concepts each")
        # Vectors as small as may be, but enough of them for the optimiser to set to work.
        dim = max(32, math.ceil(1.25 * INDEXING_THRESHOLD_KB * 1024 / 4 / given.pictures))
        fine = measure_room(Path(folder), given.pictures, dim)
        print(f"{given.latency_pictures:,} pictures, 512-d")
        fine &= measure_latency(Path(folder), given.latency_pictures, 512, given.questions)
    return 0 if fine else 1


if __name__ == "__main__":
    sys.exit(main())
