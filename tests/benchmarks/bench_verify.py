"""How fast what is stored is read back and checked, what checksums cost a write, and what a background check takes.

    .venv/bin/python tests/benchmarks/bench_verify.py [--points N] [--files]

Points are photos with 512 numbers of ``visual``, 64 of ``style``, 21 concepts of 5,000 and 78 features, in an embedded
store; each has a preview of 20 kB. Once the files are in the system's cache; with ``--files`` also once they were
dropped from it, which needs root.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from unittest import mock

import numpy as np
from sqlalchemy import insert

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import capacity_store

from ingest.ledger.credits import Credits
from ingest.ledger.database import Ledger
from ingest.ledger.tables import files, libraries
from ingest.maintenance.verify.ledger_checks import LedgerChecks, lost_records
from ingest.maintenance.verify.record_checks import RecordChecks
from ingest.maintenance.verify.scrub import pace
from ingest.plan.store_records import Records
from search.media import Kind, MediaRecord, Payload, media_id
from search.settings import Settings
from search.spaces import CollectionSchema, Distance, Space, VectorField
from search.store import checksums
from search.store.base import Point
from search.store.edge.store import EdgeStore
from search.store.payloads import to_stored
from workers.storage.previews import Previews

SPACES = (Space("visual", "bench", "1", "none", 512), Space("style", "bench", "1", "none", 64))
CONCEPTS = Space("concepts", "bench", "1", "none", 5000, Distance.DOT)
SCHEMA = CollectionSchema(Kind.IMAGE, (*map(VectorField, SPACES), VectorField(CONCEPTS, sparse=True)))
PREVIEW = b"RIFF" + (20_000 - 8).to_bytes(4, "little") + b"WEBPVP8 " + bytes(20_000 - 16)
CHUNK = 1000


def points(count: int) -> Iterator[list[Point]]:
    """Seeded photos, a thousand at a time."""
    rng = np.random.default_rng(0)
    for start in range(0, count, CHUNK):
        made = []
        for n in range(start, min(start + CHUNK, count)):
            concepts = np.zeros((1, CONCEPTS.dim), np.float32)
            concepts[0, rng.choice(CONCEPTS.dim, 21, replace=False)] = rng.random(21)
            vectors = {space.name: rng.normal(size=(1, space.dim)).astype(np.float32) for space in SPACES}
            id_ = media_id(str(n))
            record = replace(
                MediaRecord.from_payload(capacity_store.payload(n)),
                id=id_,
                paths=(f"/pictures/{n // 1000:03}/{n:07}.jpg",),
                libraries=("pictures",),
                mtime=float(n),
                photographer=None,
                credit=None,
                artist=None,
                missing=False,
                thumbnail=f"{id_[:2]}/{id_}.webp",
                features=tuple(rng.normal(size=78).tolist()),
            )
            made.append(Point(id_, {**vectors, "concepts": concepts}, record.to_payload()))
        yield made


def without_checksums(schema: CollectionSchema, vectors: object, point: Point) -> Payload:
    """What a store wrote before there were checksums."""
    return to_stored(point.payload)


def fill(store: EdgeStore, ledger: Ledger, previews: Previews, count: int) -> tuple[float, float]:
    """Write everything; the seconds of a processor that the points took with checksums, and a tenth of them without,
    scaled up."""
    store.ensure(SCHEMA)
    seconds = plain = 0.0
    with ledger.write() as connection:
        connection.execute(insert(libraries), [{"id": 1, "name": "pictures"}])
    for group in points(count):
        few = group[: len(group) // 10]
        with mock.patch.object(checksums, "payload_to_store", without_checksums):
            began = time.process_time()
            store.upsert("images", few)
            plain += (time.process_time() - began) * len(group) / len(few)
        began = time.process_time()
        store.upsert("images", group)
        seconds += time.process_time() - began
        previews.save(dict.fromkeys((point.id for point in group), PREVIEW))
        rows = [
            {
                "path": point.payload["paths"][0],
                "folder": str(Path(point.payload["paths"][0]).parent),
                "library": 1,
                "size": point.payload.get("size", 0),
                "mtime_ns": int(point.payload["mtime"] * 1e9),
                "media_id": point.id,
                "kind": "image",
                "state": "embedded",
                "job": 1,
            }
            for point in group
        ]
        with ledger.write() as connection:
            connection.execute(insert(files), rows)
    return seconds, plain


def drop_cache() -> bool:
    try:
        Path("/proc/sys/vm/drop_caches").write_text("3")
    except OSError:
        return False
    return True


def verify(settings: Settings, store: EdgeStore, ledger: Ledger, how: str) -> float:
    """Check everything once; records a second."""
    stored = Records(store, Previews(settings))
    against = LedgerChecks(ledger, stored, Credits(ledger, store))
    checks = RecordChecks(settings, store)
    records = read = found = 0
    began, worked = time.perf_counter(), time.process_time()
    compared = 0.0
    for page in checks.pages("images"):
        records, read, found = records + len(page.ids), read + page.read, found + len(page.findings)
        start = time.process_time()
        found += len(against.compare(page))
        compared += time.process_time() - start
    lost = sum(map(len, lost_records(ledger, stored)))
    seconds, cpu = time.perf_counter() - began, time.process_time() - worked
    print(
        f"verify, {how}: {records / seconds:,.0f} records/s, {read / 2**20 / seconds:,.0f} MiB/s; of a processor "
        f"{1e6 * cpu / records:,.0f} µs a record, {1e6 * compared / records:,.0f} of them for the ledger; "
        f"{found + lost} findings"
    )
    return records / seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--points", type=int, default=20_000)
    parser.add_argument("--files", action="store_true", help="also with nothing in the system's cache")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(home=Path(folder) / "home", device="cpu")
        settings.home.mkdir()
        store, ledger = EdgeStore(settings.home), Ledger(settings.ledger_url)
        seconds, plain = fill(store, ledger, Previews(settings), arguments.points)
        print(
            f"upsert: {1e6 * seconds / arguments.points:,.0f} µs of a processor a point with checksums, "
            f"{1e6 * plain / arguments.points:,.0f} µs without"
        )
        few = next(points(CHUNK))
        began = time.process_time()
        for point in few:
            checksums.checksums(SCHEMA, point.vectors, point.payload)
        print(f"checksums alone: {1e6 * (time.process_time() - began) / len(few):,.0f} µs a point")
        rate = verify(settings, store, ledger, "in the system's cache")
        if arguments.files:
            how = "read from disk" if drop_cache() else "the cache could not be dropped"
            verify(settings, store, ledger, how)
        for total in (arguments.points, 1_000_000):
            size, pause = pace(total, settings.scrub_days)
            print(
                f"in the background, {total:,} records in {settings.scrub_days:g} days: {size} every {pause:,.0f} s, "
                f"{100 * size / rate / pause:.3f} % of a core; a whole pass by `verify` {total / rate:,.0f} s"
            )
        ledger.close()
        store.close()


if __name__ == "__main__":
    main()
