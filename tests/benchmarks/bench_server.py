"""A Qdrant server by REST and by gRPC: what the store costs beyond the bare requests of the server's own client.

    QDRANT_URL=http://127.0.0.1:6333 python tests/benchmarks/bench_server.py [--points 20000] [--questions 200]

Upserts, scrolls with vectors, questions by upload and by id. The sides take turns, each first as often as the others,
so that whatever else the machine does meets all. QDRANT_GRPC is the port for gRPC (``on``: 6334). Made under a prefix
of its own, which is dropped in the end. Without QDRANT_URL it says so and measures nothing.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from statistics import median
from typing import Any

import numpy as np
from qdrant_client import QdrantClient, models

from search.media import Kind, MediaRecord
from search.settings import Settings
from search.similar.find import find_similar
from search.similar.questions import Probe, Question
from search.spaces import CollectionSchema, Space, VectorField
from search.store import open_store
from search.store.base import Point, Store
from search.store.server.warnings import warning_of

DIM, HITS, COMPARED = 512, 10, 20
SPACE = Space("visual", "bench", "1", "none", DIM)
SCHEMA = CollectionSchema(Kind.IMAGE, (VectorField(SPACE),))
PAYLOAD = ["kind", "paths", "fingerprints", "taken_at", "camera"]
INDEXING_SECONDS = 900.0

Call = Callable[[], object]


@dataclass
class Side:
    """A protocol: the store that uses it, and the server's own client."""

    name: str
    store: Store
    bare: QdrantClient
    stored: str
    plain: str

    def ask(self, question: Question) -> None:
        find_similar(self.store, question)

    def ask_bare(self, vector: list[float]) -> None:
        query = models.QueryRequest(query=vector, using="visual", limit=COMPARED, with_payload=PAYLOAD)
        self.bare.query_batch_points(self.stored, [query])


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--points", type=int, default=20_000)
    parser.add_argument("--batch", type=int, default=1000)
    parser.add_argument("--scrolls", type=int, default=3)
    parser.add_argument("--questions", type=int, default=200)
    wanted = parser.parse_args(arguments)
    url, key = os.environ.get("QDRANT_URL"), os.environ.get("QDRANT_API_KEY")
    if not url:
        sys.stdout.write("Nothing measured: QDRANT_URL names no Qdrant server.\n")
        return 0
    prefix = f"likewise-bench-{uuid.uuid4().hex[:8]}-"
    sides = list(sides_of(Settings(store="server", qdrant_url=url, qdrant_api_key=key), prefix))
    try:
        upserts(sides, wanted.points, wanted.batch)
        wait_for_index(sides)
        scrolls(sides, wanted.points, wanted.batch, wanted.scrolls)
        questions(sides, wanted.points, wanted.questions)
    finally:
        client = sides[0].bare
        for described in client.get_collections().collections:
            if described.name.startswith(prefix):
                with suppress(Exception):
                    client.delete_collection(described.name)
        for side in sides:
            side.store.close()
            side.bare.close()
    return 0


def sides_of(settings: Settings, prefix: str) -> Iterator[Side]:
    """REST, and gRPC where the server is reached by it."""
    by_grpc = settings.model_copy(update={"qdrant_grpc": os.environ.get("QDRANT_GRPC", "on")})
    alone = by_grpc.model_copy(update={"qdrant_api_key": None})  # of which nothing else is warned
    names = {"REST": settings, "gRPC": by_grpc}
    if (warning := warning_of(alone)) is not None:
        sys.stdout.write(f"gRPC is not measured: {warning.message}.\n")
        del names["gRPC"]
    for name, chosen in names.items():
        begins = f"{prefix}{name.lower()}-"
        store = open_store(chosen.model_copy(update={"qdrant_prefix": begins}))
        key = settings.qdrant_api_key
        port = chosen.qdrant_grpc
        bare = QdrantClient(
            url=settings.qdrant_urls[0],
            headers={"api-key": key.get_secret_value()} if key else None,
            timeout=60,
            check_compatibility=False,
            prefer_grpc=name == "gRPC",
            grpc_port=int(port.split(",")[0]) if port.split(",")[0].isdecimal() else 6334,
        )
        yield Side(name, store, bare, begins + "images-1", begins + "bare")


def upserts(sides: Sequence[Side], count: int, batch: int) -> None:
    """Points a second, a batch of each in turn."""
    for side in sides:
        side.store.ensure(SCHEMA)
        sides[0].bare.create_collection(
            side.plain, vectors_config={"visual": models.VectorParams(size=DIM, distance=models.Distance.COSINE)}
        )
    rng = np.random.default_rng(0)
    took: list[dict[str, float]] = []
    for start in range(0, count, batch):
        rows = unit(rng.normal(size=(min(batch, count - start), DIM)))
        ids = [name_of(start + at) for at in range(len(rows))]
        records = [MediaRecord(id_, Kind.IMAGE, paths=(f"/{id_}.jpg",), size=1).to_payload() for id_ in ids]
        points = [
            Point(id_, {"visual": row[None]}, record) for id_, row, record in zip(ids, rows, records, strict=True)
        ]

        def alone(side: Side, ids: list[str] = ids, rows: Any = rows, records: Any = records) -> None:
            structs = [
                models.PointStruct(id=id_, vector={"visual": row.tolist()}, payload=record)
                for id_, row, record in zip(ids, rows, records, strict=True)
            ]
            side.bare.upsert(side.plain, structs, wait=True)

        calls: dict[str, Call] = {}
        for side in sides:
            calls[f"{side.name} store"] = lambda side=side, points=points: side.store.upsert("images", points)
            calls[f"{side.name} bare"] = lambda side=side: alone(side)
        took.append(in_turn(calls, len(took)))
    total = {name: sum(each[name] for each in took) for name in took[0]}
    for side in sides:
        ours, bare = (count / total[f"{side.name} {which}"] for which in ("store", "bare"))
        say(
            f"upserts of {batch:,}, {side.name}",
            f"{ours:,.0f} a second, bare {bare:,.0f}: {ours / bare:.0%} (wanted: 80 %)",
        )


def scrolls(sides: Sequence[Side], count: int, page: int, rounds: int) -> None:
    """Points a second, with their vectors and records, a page at a time."""

    def through(side: Side) -> None:
        found = sum(len(point.vectors) for point in side.store.scroll("images", vectors=["visual"], page=page))
        assert found == count

    def alone(side: Side) -> None:
        offset: Any = None
        while True:
            records, offset = side.bare.scroll(side.stored, limit=page, offset=offset, with_vectors=["visual"])
            for record in records:
                np.asarray(record.vector["visual"], np.float32)
            if offset is None:
                return

    took: list[dict[str, float]] = []
    for _ in range(rounds):
        calls: dict[str, Call] = {}
        for side in sides:
            calls[f"{side.name} store"] = lambda side=side: through(side)
            calls[f"{side.name} bare"] = lambda side=side: alone(side)
        took.append(in_turn(calls, len(took)))
    for side in sides:
        ours, bare = (count / median(each[f"{side.name} {which}"] for each in took) for which in ("store", "bare"))
        say(f"scrolls with vectors, {page:,} a page, {side.name}", f"{ours:,.0f} points a second, bare {bare:,.0f}")


def questions(sides: Sequence[Side], points: int, count: int) -> None:
    """Milliseconds of a question by upload, and by id, and of the bare requests for as many hits with their payload."""
    rows = unit(np.random.default_rng(1).normal(size=(count, DIM)))
    for side in sides:
        side.ask(upload(rows[0]))  # learns curves
    took: list[dict[str, float]] = []
    for at, row in enumerate(rows):
        stored = Question((name_of(at % points),), collections=("images",), limit=HITS)
        calls: dict[str, Call] = {}
        for side in sides:
            calls[f"{side.name} upload"] = lambda side=side, row=row: side.ask(upload(row))
            calls[f"{side.name} bare upload"] = lambda side=side, row=row: side.ask_bare(row.tolist())
            calls[f"{side.name} id"] = lambda side=side, stored=stored: side.ask(stored)
            calls[f"{side.name} bare id"] = lambda side=side, at=at: by_id(side, name_of(at % points))
        took.append(in_turn(calls, at))
    for side in sides:
        for how, most in (("upload", " (wanted: 1.8)"), ("id", "")):
            ours, bare = (1000 * median(each[f"{side.name} {which}{how}"] for each in took) for which in ("", "bare "))
            label = f"find_similar by {how}, {HITS} hits, {side.name}"
            say(label, f"{ours:.1f} ms, bare request {bare:.1f} ms: {ours / bare:.2f} times{most}")


def by_id(side: Side, id_: str) -> None:
    (record,) = side.bare.retrieve(side.stored, [id_], with_vectors=["visual"])
    side.ask_bare(list(record.vector["visual"]))


def upload(row: np.ndarray) -> Question:
    probe = Probe(Kind.IMAGE, {"visual": row[None]}, {"visual": SPACE.fingerprint})
    return Question((probe,), collections=("images",), limit=HITS)


def wait_for_index(sides: Sequence[Side]) -> None:
    """Until the server works at no index any more."""
    ends = time.monotonic() + INDEXING_SECONDS
    for side in sides:
        while sides[0].bare.get_collection(side.stored).status != models.CollectionStatus.GREEN:
            if time.monotonic() > ends:
                sys.stdout.write(
                    f"Still indexing after {INDEXING_SECONDS:.0f} s: questions are slower than they will be.\n"
                )
                return
            time.sleep(0.5)


def in_turn(calls: Mapping[str, Call], turn: int) -> dict[str, float]:
    """Seconds of each call; another one is first each turn."""
    names = list(calls)
    first = turn % len(names)
    return {name: seconds(calls[name]) for name in names[first:] + names[:first]}


def seconds(call: Call) -> float:
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


def unit(rows: np.ndarray) -> np.ndarray:
    rows = rows.astype(np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def name_of(number: int) -> str:
    return str(uuid.UUID(int=number + 1))


def say(what: str, figures: str) -> None:
    sys.stdout.write(f"{what}: {figures}\n")


if __name__ == "__main__":
    sys.exit(main())
