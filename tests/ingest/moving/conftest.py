"""A library of every kind of thing that is moved, and what moves it."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from qdrant_client import QdrantClient

from ingest.maintenance.backup import write
from search import transfer
from search.settings import Settings
from search.store.server.store import ServerStore

TESTS = Path(__file__).parents[2]


def load(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"moving_{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def moving() -> ModuleType:
    return load(Path(__file__).with_name("library.py"))


@pytest.fixture
def qdrant() -> Iterator[Any]:
    """A running double of a Qdrant server, empty; ``qdrant.url`` is its address."""
    rest = load(TESTS / "search" / "store" / "qdrant_rest.py").QdrantRest()
    server = load(TESTS / "qdrant_double.py").QdrantServer(rest._answer)
    server.start()
    yield server
    server.stop()


@pytest.fixture(autouse=True)
def _small_steps(monkeypatch: pytest.MonkeyPatch, moving: ModuleType) -> None:
    monkeypatch.setattr(write, "PART_BYTES", moving.PART_BYTES)
    monkeypatch.setattr(transfer, "MOST_POINTS", moving.PAGE_POINTS)


@pytest.fixture
def make_desk(
    moving: ModuleType, make_settings: Callable[..., Settings], tmp_path: Path
) -> Iterator[Callable[..., Any]]:
    """A data directory of that name, on the in-memory server unless told otherwise."""
    desks: list[Any] = []

    def make(name: str, engine: str = "server", **settings: object) -> Any:
        store = ServerStore(QdrantClient(":memory:")) if engine == "server" else None
        desks.append(moving.Desk(make_settings(home=tmp_path / name, **settings), store))
        return desks[-1]

    yield make
    for desk in desks:
        desk.close()


@pytest.fixture
def desk(make_desk: Callable[..., Any]) -> Any:
    """The library, on the in-memory server."""
    made = make_desk("home")
    made.fill()
    return made


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where a backup may go."""
    return tmp_path / "backup"
