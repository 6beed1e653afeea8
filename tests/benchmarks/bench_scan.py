"""What a rescan of unchanged files costs, beside the plain walk it cannot do without.

    python tests/benchmarks/bench_scan.py [FILES [FILES_A_FOLDER]]

Prints the seconds of a rescan (scan, comparison with the ledger, bookkeeping of the job) and of ``os.walk`` with
``os.stat`` on every file, measured in turns over the same tree in the same process, and how many files were hashed.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
from sqlalchemy import func, insert, select

from ingest.jobs.service import JobService, JobState
from ingest.ledger.database import Ledger
from ingest.ledger.tables import files
from search.media import Kind, media_id
from search.settings import Settings
from search.spaces import CollectionSchema, Space, VectorField
from search.store import open_store
from search.store.base import Point, Store
from workers.batch.report import Batch, BatchReport
from workers.storage.files import Contents, FileAccess

ROUNDS = 7
TARGET = 5.0


class NoRunner:
    """There must be nothing to embed."""

    def run(self, batches: Iterable[Batch]) -> Iterator[BatchReport]:
        for batch in batches:
            raise AssertionError(f"batch of {len(batch.files)} files in a rescan")
            yield


def make_tree(root: Path, count: int, a_folder: int) -> None:
    for i in range(count):
        folder = root / f"{i // (a_folder * 20):03}" / f"{i // a_folder:05}"
        if i % a_folder == 0:
            folder.mkdir(parents=True)
        (folder / f"{i:07}.jpg").write_bytes(b"%d" % i)


def fill(store: Store, ledger: Ledger, job: str, root: Path) -> None:
    """Rows and points as an ingest of this tree would leave them."""
    space = Space("visual", "none", "1", "none", 4)
    store.ensure(CollectionSchema(Kind.IMAGE, (VectorField(space),)))
    rows = []
    for folder, _, names in os.walk(root):
        for name in names:
            path = os.path.join(folder, name)  # noqa: PTH118
            status = os.stat(path)  # noqa: PTH116
            values = {"path": path, "folder": folder, "size": status.st_size, "mtime_ns": status.st_mtime_ns}
            content = {"sha256": f"{len(rows):064}", "media_id": media_id(f"{len(rows):064}"), "kind": "image"}
            rows.append(values | content | {"library": 1, "state": "embedded", "job": int(job)})
    vector = np.ones((1, 4), np.float32)
    store.upsert("images", [Point(str(row["media_id"]), {"visual": vector}, {}) for row in rows])
    with ledger.write() as connection:
        connection.execute(insert(files), rows)


def walk_and_stat(root: Path) -> float:
    began = time.perf_counter()
    for folder, _, names in os.walk(root):
        for name in names:
            os.stat(os.path.join(folder, name))  # noqa: PTH116, PTH118
    return time.perf_counter() - began


def main(count: int, a_folder: int) -> int:
    hashes = 0
    read = FileAccess.read

    def counted(access: FileAccess, path: str, beneath: str | None = None) -> Contents:
        nonlocal hashes
        hashes += 1
        return read(access, path, beneath)

    FileAccess.read = counted  # type: ignore[method-assign]
    with tempfile.TemporaryDirectory() as scratch:
        root, home = Path(scratch, "media"), Path(scratch, "home")
        root.mkdir()
        settings = Settings(home=home)
        ledger = Ledger(settings.ledger_url)
        store = open_store(settings)
        jobs = JobService(settings, store, ledger, NoRunner())
        first = jobs.start([root])
        make_tree(root, count, a_folder)
        fill(store, ledger, first, root)
        jobs.cancel(first)  # it only lent its number
        rescans, walks = [], []
        for _ in range(ROUNDS):
            walks.append(walk_and_stat(root))
            began = time.perf_counter()
            done = jobs.run(jobs.start([root]))
            rescans.append(time.perf_counter() - began)
            assert (done.state, done.unchanged) == (JobState.DONE, count), done
        with ledger.read() as connection:
            assert connection.execute(select(func.count()).select_from(files)).scalar_one() == count
        store.close()
        ledger.close()
    rescan, walk = statistics.median(rescans), statistics.median(walks)
    ratio = statistics.median(r / w for r, w in zip(rescans, walks, strict=True))
    print(f"{count:,} unchanged files, {a_folder} a folder, median of {ROUNDS} rounds")
    print(f"  os.walk + os.stat   {walk * 1000:8.1f} ms")
    print(f"  rescan              {rescan * 1000:8.1f} ms   {ratio:.2f} x (target < {TARGET:g} x)")
    print(f"  files hashed        {hashes:8}")
    return 0 if ratio < TARGET and hashes == 0 else 1


if __name__ == "__main__":
    arguments = [int(argument) for argument in sys.argv[1:]]
    sys.exit(main(*(arguments + [20_000, 100][len(arguments) :])))
