"""The stores that the contract is checked on, and a small collection of each shape."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from qdrant_client import QdrantClient

from search.media import COLLECTIONS, Kind, MediaRecord
from search.spaces import CollectionSchema, Distance, Space, VectorField
from search.store.base import Array, Point, Store
from search.store.edge import EdgeStore
from search.store.server import ServerStore

VISUAL = Space("visual", "test-model", "1", "none", 16)
SOUND = Space("sound", "test-sound", "1", "none", 8)
SOUND_RAW = Space("sound_raw", "test-sound", "1", "none", 8, Distance.DOT)

IMAGES = CollectionSchema(Kind.IMAGE, (VectorField(VISUAL),))
VIDEOS = CollectionSchema(
    Kind.VIDEO, (VectorField(VISUAL, multi=True), VectorField(SOUND), VectorField(SOUND_RAW, indexed=False))
)


def _empty(client: QdrantClient) -> None:
    for name in COLLECTIONS:
        client.delete_collection(name)


def _live_client() -> QdrantClient:
    return QdrantClient(
        url=os.environ["QDRANT_URL"],
        api_key=os.environ.get("QDRANT_API_KEY"),
        timeout=60,
        check_compatibility=False,
        prefer_grpc=False,
    )


_IMPLEMENTATIONS = ["edge", "memory"] + (["live"] if "QDRANT_URL" in os.environ else [])


@pytest.fixture(params=_IMPLEMENTATIONS)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """An empty store of each implementation. The live server loses its Likewise collections, before and after."""
    made: Store
    if request.param == "edge":
        made = EdgeStore(tmp_path / "home")
    elif request.param == "memory":
        made = ServerStore(QdrantClient(":memory:"))
    else:
        client = _live_client()
        _empty(client)
        made = ServerStore(client)
    yield made
    made.close()
    if request.param == "live":
        _empty(_live_client())


@pytest.fixture
def images() -> CollectionSchema:
    return IMAGES


@pytest.fixture
def videos() -> CollectionSchema:
    return VIDEOS


@pytest.fixture
def vectors() -> Callable[..., Array]:
    """Seeded random float32 ``(n, dim)``."""

    def make(n: int = 1, dim: int = VISUAL.dim, seed: int = 0) -> Array:
        return np.random.default_rng(seed).normal(size=(n, dim)).astype(np.float32)

    return make


@pytest.fixture
def make_image(vectors: Callable[..., Array]) -> Callable[..., Point]:
    """The n-th image: a seeded vector, and a record with the facts given."""

    def make(n: int, **facts: object) -> Point:
        id_ = str(uuid.uuid5(uuid.NAMESPACE_OID, str(n)))
        record = MediaRecord(id_, Kind.IMAGE, **{"paths": (f"/pictures/{n}.jpg",), "size": 100 + n} | facts)
        return Point(id_, {"visual": vectors(seed=n)}, record.to_payload())

    return make
