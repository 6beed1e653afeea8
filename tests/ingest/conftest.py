"""A small ingest over a temporary folder: real ledger, real files, fake embedding.

The store is the server's in-memory double, which is there at once; the tests that kill use the embedded one on disk.
The ledger is in SQLite; with ``--ledger postgresql`` every test here keeps it in a PostgreSQL server instead.
"""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from qdrant_client import QdrantClient

from ingest.jobs.service import JobProgress, JobService
from ingest.ledger.database import Ledger
from search.media import COLLECTIONS, MediaRecord
from search.settings import Settings
from search.store.base import Store
from search.store.filters import Filter
from search.store.server.store import ServerStore

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


@pytest.fixture
def make_settings(make_settings: Callable[..., Settings], request: pytest.FixtureRequest) -> Callable[..., Settings]:
    """As everywhere, with the ledger where ``--ledger`` says: one database for each data directory."""
    if request.config.getoption("--ledger") == "sqlite":
        return make_settings
    server: Any = request.getfixturevalue("postgres")
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
