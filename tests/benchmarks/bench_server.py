"""A Qdrant server: what questions and upserts cost beyond the bare requests of its own client.

    QDRANT_URL=http://127.0.0.1:6333 python tests/benchmarks/bench_server.py [--points 20000] [--questions 200]

Made under a prefix of its own, which is dropped in the end. Questions and upserts of the two sides alternate, so that
whatever else the machine does meets both. Without QDRANT_URL it says so and measures nothing.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from statistics import median

import numpy as np
from qdrant_client import QdrantClient, models

from search.media import Kind, MediaRecord
from search.settings import Settings
from search.similar.find import find_similar
from search.similar.questions import Probe, Question
from search.spaces import CollectionSchema, Space, VectorField
from search.store import open_store
from search.store.base import Point, Store

DIM, BATCH, HITS, COMPARED = 512, 1000, 10, 20
SPACE = Space("visual", "bench", "1", "none", DIM)
SCHEMA = CollectionSchema(Kind.IMAGE, (VectorField(SPACE),))
PAYLOAD = ["kind", "paths", "fingerprints", "taken_at", "camera"]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--points", type=int, default=20_000)
    parser.add_argument("--questions", type=int, default=200)
    wanted = parser.parse_args()
    url, key = os.environ.get("QDRANT_URL"), os.environ.get("QDRANT_API_KEY")
    if not url:
        sys.stdout.write("Nothing measured: QDRANT_URL names no Qdrant server.\n")
        return 0
    prefix = f"likewise-bench-{uuid.uuid4().hex[:8]}-"
    store = open_store(Settings(store="server", qdrant_url=url, qdrant_api_key=key, qdrant_prefix=prefix))
    bare = QdrantClient(url=url, headers={"api-key": key} if key else None, timeout=60, check_compatibility=False)
    try:
        upserts(store, bare, prefix, wanted.points)
        questions(store, bare, prefix, wanted.questions)
    finally:
        for described in bare.get_collections().collections:
            if described.name.startswith(prefix):
                with suppress(Exception):
                    bare.delete_collection(described.name)
        store.close()
        bare.close()
    return 0


def upserts(store: Store, bare: QdrantClient, prefix: str, count: int) -> None:
    """Points a second, through the store and by the client alone, a batch of each in turn."""
    store.ensure(SCHEMA)
    plain = prefix + "bare"
    bare.create_collection(plain, vectors_config={"visual": models.VectorParams(size=DIM, distance="Cosine")})
    rng = np.random.default_rng(0)
    took = {"store": 0.0, "bare": 0.0}
    for start in range(0, count, BATCH):
        rows = rng.normal(size=(min(BATCH, count - start), DIM)).astype(np.float32)
        rows /= np.linalg.norm(rows, axis=1, keepdims=True)
        ids = [str(uuid.UUID(int=start + at + 1)) for at in range(len(rows))]
        records = [MediaRecord(id_, Kind.IMAGE, paths=(f"/{id_}.jpg",), size=1).to_payload() for id_ in ids]
        points = [
            Point(id_, {"visual": row[None]}, record) for id_, row, record in zip(ids, rows, records, strict=True)
        ]
        took["store"] += seconds(lambda points=points: store.upsert("images", points))

        def alone(ids: list[str] = ids, rows: np.ndarray = rows, records: list[dict[str, object]] = records) -> None:
            structs = [
                models.PointStruct(id=id_, vector={"visual": row.tolist()}, payload=record)
                for id_, row, record in zip(ids, rows, records, strict=True)
            ]
            bare.upsert(plain, structs, wait=True)

        took["bare"] += seconds(alone)
    share = took["bare"] / took["store"]
    sys.stdout.write(
        f"upserts of {BATCH:,}: store {count / took['store']:,.0f} a second, bare {count / took['bare']:,.0f}: "
        f"{share:.0%} (wanted: 80 %)\n"
    )


def questions(store: Store, bare: QdrantClient, prefix: str, count: int) -> None:
    """Milliseconds of a question by upload and of the bare request for as many hits with their payload."""
    rng = np.random.default_rng(1)
    rows = rng.normal(size=(count, DIM)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)

    def ask(row: np.ndarray) -> None:
        probe = Probe(Kind.IMAGE, {"visual": row[None]}, {"visual": SPACE.fingerprint})
        find_similar(store, Question((probe,), collections=("images",), limit=HITS))

    def ask_bare(row: np.ndarray) -> None:
        query = models.QueryRequest(query=row.tolist(), using="visual", limit=COMPARED, with_payload=PAYLOAD)
        bare.query_batch_points(prefix + "images-1", [query])

    ask(rows[0])  # learns curves
    took = [(seconds(lambda row=row: ask(row)), seconds(lambda row=row: ask_bare(row))) for row in rows]
    ours, theirs = (median(side) * 1000 for side in zip(*took, strict=True))
    sys.stdout.write(
        f"find_similar by upload, {HITS} hits: {ours:.1f} ms, bare request {theirs:.1f} ms: "
        f"{ours / theirs:.2f} times (wanted: 1.8)\n"
    )


def seconds(call: Callable[[], object]) -> float:
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


if __name__ == "__main__":
    sys.exit(main())
