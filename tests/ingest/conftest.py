"""A small ingest over a temporary folder: real ledger, real files, fake embedding.

The store is the server's in-memory double, which is there at once; the tests that kill use the embedded one on disk.
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

from ingest.job import Ingest, JobProgress
from ingest.ledger import Ledger
from search.media import COLLECTIONS, MediaRecord
from search.settings import Settings
from search.store.base import Store
from search.store.filters import Filter
from search.store.server import ServerStore

FAKES = Path(__file__).with_name("fakes.py")


def _load_fakes() -> ModuleType:
    spec = importlib.util.spec_from_file_location("ingest_fakes", FAKES)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def fakes() -> ModuleType:
    return _load_fakes()


class Desk:
    """Everything one test handles."""

    def __init__(self, settings: Settings, fakes: ModuleType, media: Path, store: Store | None = None) -> None:
        self.settings = settings
        self.media = media
        self.store = store or ServerStore(QdrantClient(":memory:"))
        self.ledger = Ledger(settings.ledger_url)
        self.runner = fakes.FakeRunner(self.store)
        self.ingest = Ingest(settings, self.store, self.ledger, self.runner, retry_delays=(0.0, 0.0))

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
