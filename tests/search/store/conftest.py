"""The stores that the contract is checked on, and a small collection of each shape."""

from __future__ import annotations

import importlib.util
import os
import re
import sys
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx
import numpy as np
import pytest
from qdrant_client import QdrantClient

from search.media import Kind, MediaRecord
from search.settings import Settings
from search.spaces import CollectionSchema, Distance, Space, VectorField
from search.store.base import Array, Point, Store, VectorQuery
from search.store.edge.store import EdgeStore
from search.store.server.connection import make_breaker, make_client
from search.store.server.grpc_nodes import GrpcAddress, GrpcNodes
from search.store.server.grpc_points import GrpcPoints
from search.store.server.points import RestPoints
from search.store.server.store import ServerStore, make_store

VISUAL = Space("visual", "test-model", "1", "none", 16)
SOUND = Space("sound", "test-sound", "1", "none", 8)
SOUND_RAW = Space("sound_raw", "test-sound", "1", "none", 8, Distance.DOT)
CONCEPTS = Space("concepts", "test-concepts", "1", "none", 40, Distance.DOT)

IMAGES = CollectionSchema(Kind.IMAGE, (VectorField(VISUAL),))
VIDEOS = CollectionSchema(
    Kind.VIDEO, (VectorField(VISUAL, multi=True), VectorField(SOUND), VectorField(SOUND_RAW, indexed=False))
)
TAGGED = CollectionSchema(Kind.IMAGE, (*IMAGES.fields, VectorField(CONCEPTS, sparse=True)))


def _load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


QdrantRest = _load("qdrant_rest").QdrantRest
QdrantGrpc = _load("qdrant_grpc").QdrantGrpc


LIVE_URLS = os.environ.get("QDRANT_URLS") or os.environ.get("QDRANT_URL") or ""
"""Addresses of a live server's nodes, with commas between."""


def _live_settings(**settings: object) -> Settings:
    """Settings of the live server; collections of several nodes have shards and copies on all of them."""
    spread = {"qdrant_shards": 3, "qdrant_replicas": 2} if "," in LIVE_URLS else {}
    key = os.environ.get("QDRANT_API_KEY")
    return Settings.model_validate(
        {"store": "server", "qdrant_url": LIVE_URLS, "qdrant_api_key": key} | spread | settings
    )


def _live_client() -> QdrantClient:
    return make_client(_live_settings())


_LIVE = ["live", "live int8", "live binary", "live grpc"] if LIVE_URLS else []


@pytest.fixture
def live_prefix() -> Iterator[str]:
    """A prefix that no collection of a live server has; those that a test made with it are gone afterwards."""
    prefix = f"likewise-test-{uuid.uuid4().hex[:12]}-"
    yield prefix
    client = _live_client()
    for described in client.get_collections().collections:
        if described.name.startswith(prefix):
            client.delete_collection(described.name)
    client.close()


@pytest.fixture
def live_settings(live_prefix: str) -> Callable[..., Settings]:
    """Settings of the live server, with a prefix of this test's own."""

    def make(**settings: object) -> Settings:
        return _live_settings(**{"qdrant_prefix": live_prefix} | settings)

    return make


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep of the tests that ask the double by gRPC those that send or fetch vectors; a live server is asked all."""
    items[:] = [
        item
        for item in items
        if not isinstance(item, pytest.Function)
        or getattr(item, "callspec", None) is None
        or item.callspec.params.get("store") != "grpc"
        or item.get_closest_marker("by_grpc") is not None
    ]


@pytest.fixture(params=["edge", "memory", "rest", "grpc", *_LIVE])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """An empty store of each implementation: embedded; on the server's double, called directly and over HTTP
    with other settings and a server in strict mode; on a live server, plain and with compressed vectors, beside
    whatever is there."""
    made: Store
    engine, _, variant = request.param.partition(" ")
    if engine == "edge":
        made = EdgeStore(tmp_path / "home")
    elif engine == "memory":
        made = ServerStore(QdrantClient(":memory:"))
    elif engine == "rest":
        made = ServerStore(_strict().client(), _settings("some-", "int8"))
    elif engine == "grpc":
        made = request.getfixturevalue("over_grpc")(_strict(), _settings("some-", "int8"))
    else:
        by_grpc = os.environ.get("QDRANT_GRPC", "on") if variant == "grpc" else "off"
        quantization = variant if variant in ("int8", "binary") else "none"
        prefix = request.getfixturevalue("live_prefix")
        made = make_store(_live_settings(qdrant_prefix=prefix, qdrant_quantization=quantization, qdrant_grpc=by_grpc))
    yield made
    made.close()


def _strict() -> Any:
    strict = QdrantRest()
    strict.strict = {"max_query_limit": 100, "search_max_batchsize": 3, "upsert_max_batchsize": 40}
    return strict


_BY_GRPC = r"PUT .*/points|POST .*/points/query/batch"
"""What a store with gRPC never asks by REST, but for fetches with vectors."""


@pytest.fixture
def grpc_double() -> type:
    """The double that is asked by gRPC, to be started by the test."""
    made: type = QdrantGrpc
    return made


@pytest.fixture
def over_grpc() -> Iterator[Callable[..., ServerStore]]:
    """Makes a store on a double of REST that is asked by gRPC; by REST it does not answer what should go that way."""
    served = []

    def make(rest: Any, settings: Settings | None = None) -> ServerStore:
        def misdirected(request: httpx.Request) -> httpx.Response | None:
            by_rest = "via" not in request.headers
            asked = f"{request.method} {request.url.path}"
            vectors = b'"with_vector":[' in request.content
            return httpx.Response(418) if by_rest and (vectors or re.fullmatch(_BY_GRPC, asked)) else None

        rest.refuse = misdirected
        double = QdrantGrpc(rest)
        double.start()
        served.append(double)
        client, breaker = rest.client(), make_breaker()
        nodes = GrpcNodes([GrpcAddress(double.target)], None, breaker)
        return ServerStore(client, settings, GrpcPoints(nodes, RestPoints(client)))

    yield make
    for double in served:
        double.stop()


@pytest.fixture
def other_store() -> Iterator[Store]:
    """Another empty store, to bring something over to."""
    made = ServerStore(QdrantClient(":memory:"))
    yield made
    made.close()


@pytest.fixture
def adds_spaces(request: pytest.FixtureRequest) -> bool:
    """Whether the store under test can be given spaces later on: a server can from version 1.18 on."""
    if not request.node.callspec.params["store"].startswith("live"):
        return True
    client = _live_client()
    version = client.info().version
    client.close()
    return tuple(int(part) for part in version.split(".")[:2]) >= (1, 18)


def _settings(prefix: str, quantization: str) -> Settings:
    return Settings.model_validate({"qdrant_prefix": prefix, "qdrant_quantization": quantization})


@pytest.fixture
def rest() -> QdrantRest:
    """A server behind HTTP that remembers what it was asked."""
    return QdrantRest()


@pytest.fixture
def serve(rest: Any) -> Iterator[Callable[..., Any]]:
    """Starts a double that is asked by gRPC, for a host of the double of REST."""
    doubles: list[Any] = []

    def make(host: str = "qdrant.test", **options: Any) -> Any:
        doubles.append(QdrantGrpc(rest, host, **options))
        doubles[-1].start()
        return doubles[-1]

    yield make
    for double in doubles:
        double.stop()


@pytest.fixture
def store_of(rest: Any) -> Iterator[Callable[..., Any]]:
    """A store that asks these doubles in turn by gRPC, and ``rest`` by REST."""
    stores: list[Any] = []

    def make(*doubles: Any, host: str = "qdrant.test", key: str | None = None) -> Any:
        breaker = make_breaker()
        nodes = GrpcNodes([GrpcAddress(double.target) for double in doubles], key, breaker)
        client = rest.client(host)
        stores.append(ServerStore(client, None, GrpcPoints(nodes, RestPoints(client))))
        stores[-1].breaker = breaker
        return stores[-1]

    yield make
    for store in stores:
        store.close()


@pytest.fixture
def question(images: CollectionSchema, vectors: Callable[..., Array]) -> VectorQuery:
    """About what is like one vector."""
    return VectorQuery(images.fields[0].space, vectors(), 5, with_payload=("size",))


@pytest.fixture
def ways(rest: Any) -> Callable[[], list[tuple[bool, str]]]:
    """Begins to note of each request to ``rest`` whether it came by gRPC, and where it went."""

    def begin() -> list[tuple[bool, str]]:
        noted: list[tuple[bool, str]] = []
        rest.refuse = lambda request: noted.append(("via" in request.headers, request.url.path.rpartition("-1/")[2]))
        return noted

    return begin


class Clock:
    """Stands for the module ``time``: its seconds pass in ``sleep`` alone, and at once."""

    def __init__(self) -> None:
        self.now = 1000.0
        self._lock = threading.Lock()

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        with self._lock:
            self.now += seconds


@pytest.fixture
def clock(rest: QdrantRest, monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The clock of ``rest`` and of every store on a server."""
    made = Clock()
    rest.clock = made.monotonic
    for name, module in list(sys.modules.items()):
        if name.startswith("search.store.server.") and hasattr(module, "time"):
            monkeypatch.setattr(module, "time", made)
    return made


@pytest.fixture
def images() -> CollectionSchema:
    return IMAGES


@pytest.fixture
def tagged() -> CollectionSchema:
    """Images that have a sparse vector too."""
    return TAGGED


@pytest.fixture
def weights() -> Callable[..., Array]:
    """A sparse vector, dense as it travels: component to value."""

    def make(values: Mapping[int, float]) -> Array:
        made = np.zeros((1, CONCEPTS.dim), np.float32)
        for component, value in values.items():
            made[0, component] = value
        return made

    return make


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
