"""A small ingest over a temporary folder: real ledger, real files, fake embedding.

The store is the server's in-memory double, which is there at once; the tests that kill use the embedded one on disk.
The ledger is in SQLite; with ``--ledger postgresql`` every test here keeps it in a PostgreSQL server instead.
"""

from __future__ import annotations

import importlib.util
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import psycopg
import pytest
from qdrant_client import QdrantClient

from ingest.jobs.service import JobProgress, JobService
from ingest.ledger.database import Ledger
from search.media import COLLECTIONS, MediaRecord
from search.settings import Settings
from search.store.base import Store
from search.store.filters import Filter
from search.store.server.store import ServerStore

POSTGRESQL = Path("/usr/lib/postgresql")
PATIENCE = 60


def _load(name: str) -> ModuleType:
    """A module beside this one that a test may also run as a script."""
    spec = importlib.util.spec_from_file_location(f"ingest_{name}", Path(__file__).with_name(f"{name}.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


class Postgres:
    """A real PostgreSQL server in a temporary folder. It sorts texts as English does, as most servers do by default."""

    def __init__(self, programs: Path, user: str | None) -> None:
        self._programs, self._user = programs, user
        self.folder = Path(tempfile.mkdtemp(prefix="likewise-postgres-"))
        if user is not None:
            shutil.chown(self.folder, user)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        locale = ("--encoding=UTF8", "--locale=C", "--locale-provider=icu", "--icu-locale=en")
        options = ("--pgdata", str(self.folder / "data"), "--username=likewise", "--auth=trust", "--no-sync", *locale)
        subprocess.run([programs / "initdb", *options], user=user, cwd="/", check=True, capture_output=True)
        self._process: subprocess.Popen[bytes] | None = None

    def url(self, database: str) -> str:
        return f"postgresql+psycopg://likewise@127.0.0.1:{self.port}/{database}"

    def start(self) -> None:
        options = ("-D", str(self.folder / "data"), "-k", str(self.folder), "-h", "127.0.0.1", "-p", str(self.port))
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [self._programs / "postgres", *options, "-c", "fsync=off"], user=self._user, cwd="/", stderr=log
            )
        deadline = time.monotonic() + PATIENCE
        while subprocess.run([self._programs / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(self.port)]).returncode:
            assert time.monotonic() < deadline, (self.folder / "log").read_text()
            time.sleep(0.05)

    def stop(self) -> None:
        """At once, with whatever is connected cut off."""
        if self._process is not None:
            self._process.send_signal(signal.SIGQUIT)
            self._process.wait()
            self._process = None

    def make(self) -> str:
        """A new, empty database; its address."""
        name = f"test_{secrets.token_hex(6)}"
        with psycopg.connect(self.url("postgres").replace("+psycopg", ""), autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}"')
        return self.url(name)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A running PostgreSQL server; skips where the programs are not installed."""
    programs = sorted(POSTGRESQL.glob("*/bin/initdb"))
    if not programs:
        pytest.skip("needs PostgreSQL, which this machine does not have: no /usr/lib/postgresql/*/bin/initdb")
    user = None
    if os.geteuid() == 0:  # as whom the server refuses to run
        names = {entry.pw_name for entry in pwd.getpwall()}
        user = next(name for name in ("postgres", "nobody") if name in names)
    server = Postgres(programs[-1].parent, user)
    server.start()
    yield server
    server.stop()
    shutil.rmtree(server.folder)


@pytest.fixture
def make_settings(make_settings: Callable[..., Settings], request: pytest.FixtureRequest) -> Callable[..., Settings]:
    """As everywhere, with the ledger where ``--ledger`` says: one database for each data directory."""
    if request.config.getoption("--ledger") == "sqlite":
        return make_settings
    server: Postgres = request.getfixturevalue("postgres")
    databases: dict[Path, str] = {}

    def make(**overrides: object) -> Settings:
        settings = make_settings(**overrides)
        if settings.database_url is not None:
            return settings
        if settings.home not in databases:
            databases[settings.home] = server.make()
        return make_settings(**overrides, database_url=databases[settings.home])

    return make


@pytest.fixture(scope="session")
def fakes() -> ModuleType:
    return _load("fakes")


@pytest.fixture(scope="session")
def renewing() -> ModuleType:
    return _load("renewing")


@pytest.fixture
def library(make_settings: Callable[..., Settings], media: Path, renewing: ModuleType) -> Iterator[Any]:
    """A ``renewing.Library`` of files that are not taken in yet."""
    renewing.fill(media, renewing.PICTURES)
    made = renewing.Library(make_settings(), media)
    yield made
    made.close()


class Desk:
    """Everything one test handles."""

    def __init__(self, settings: Settings, fakes: ModuleType, media: Path, store: Store | None = None) -> None:
        self.settings = settings
        self.media = media
        self.store = store or ServerStore(QdrantClient(":memory:"))
        self.ledger = Ledger(settings.ledger_url)
        self.runner = fakes.FakeRunner(self.store)
        self.ingest = JobService(settings, self.store, self.ledger, self.runner, retry_delays=(0.0, 0.0))

    def run(self, *paths: Path, **options: Any) -> JobProgress:
        """Ingest the paths (the media folder by default); afterwards ``seen`` holds what was embedded."""
        self.runner.seen.clear()
        return self.ingest.run(self.ingest.start(paths or (self.media,), **options))

    @property
    def seen(self) -> list[str]:
        return [self.name(path) for path in self.runner.seen]

    def name(self, path: str) -> str:
        return os.path.relpath(path, self.media)

    def records(self, *, missing: bool = False) -> dict[str, MediaRecord]:
        """Every record that has a path in the store, by each of its names relative to the media folder."""
        found: dict[str, MediaRecord] = {}
        for collection in COLLECTIONS:
            for point in self.store.scroll(collection, where=Filter(include_missing=missing)):
                record = MediaRecord.from_payload(point.payload)
                assert record.missing == bool(point.payload["missing"])
                for path in record.paths:
                    assert self.name(path) not in found, "one path in two records"
                    found[self.name(path)] = record
        return found

    def write(self, name: str, content: bytes | str) -> Path:
        path = self.media / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def fill(self, count: int, folder: str = ".", suffix: str = "jpg") -> None:
        for i in range(count):
            self.write(f"{folder}/{i:05}.{suffix}", f"picture {folder} {i}")

    def close(self) -> None:
        self.ingest.halt()
        self.store.close()
        self.ledger.close()


@pytest.fixture
def media(tmp_path: Path) -> Path:
    folder = tmp_path / "media"
    folder.mkdir()
    return folder


@pytest.fixture
def make_desk(make_settings: Callable[..., Settings], fakes: ModuleType, media: Path) -> Iterator[Callable[..., Desk]]:
    desks: list[Desk] = []

    def make(store: Store | None = None, **settings: object) -> Desk:
        desks.append(Desk(make_settings(**settings), fakes, media, store))
        return desks[-1]

    yield make
    for desk in desks:
        desk.close()


@pytest.fixture
def desk(make_desk: Callable[..., Desk]) -> Desk:
    return make_desk()


def counts(progress: JobProgress) -> dict[str, int]:
    """The counters that are not zero, without the total."""
    names = ("embedded", "duplicate", "unchanged", "moved", "missing", "skipped", "failed")
    return {name: getattr(progress, name) for name in names if getattr(progress, name)}


@pytest.fixture(name="counts")
def _counts() -> Callable[[JobProgress], dict[str, int]]:
    return counts
