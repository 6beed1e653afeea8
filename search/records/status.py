"""Describes what a store holds, as ``likewise status`` and ``/api/v1/status`` answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from search.store.base import Store


@dataclass(frozen=True, slots=True)
class SpaceStatus:
    """Which model fills a space; ``fingerprint`` as in ``search.spaces``."""

    model: str
    dim: int
    fingerprint: str


@dataclass(frozen=True, slots=True)
class CollectionStatus:
    """``indexed`` counts vectors under the approximate index; the others are compared one by one."""

    points: int
    indexed: int
    spaces: Mapping[str, SpaceStatus]


@dataclass(frozen=True, slots=True)
class StoreStatus:
    """``store`` is ``edge`` or ``server``; ``home`` the data directory."""

    collections: Mapping[str, CollectionStatus]
    store: str
    home: str


def store_status(store: Store, home: Path) -> StoreStatus:
    """Count what is there. Internal spaces (``…_raw``) are left out."""
    collections = {}
    for name, info in store.collections().items():
        spaces = {
            space.name: SpaceStatus(space.model, space.dim, space.fingerprint)
            for space in (field.space for field in info.schema.fields)
            if not space.name.endswith("_raw")
        }
        collections[name] = CollectionStatus(info.points, info.indexed, spaces)
    return StoreStatus(collections, store.engine, str(home))
