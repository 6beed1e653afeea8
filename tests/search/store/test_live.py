"""What only a real server can show; the contract suite runs on it too. Set QDRANT_URL (and QDRANT_API_KEY), or
QDRANT_URLS with the addresses of all nodes of a cluster, commas between."""

from __future__ import annotations

import os
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from qdrant_client import models

from search.store import open_store
from search.store.base import Point, VectorQuery
from search.store.payloads import PAYLOAD_INDEXES
from search.store.server.connection import make_client

NODES = [url for url in os.environ.get("QDRANT_URLS", os.environ.get("QDRANT_URL", "")).split(",") if url]

pytestmark = pytest.mark.skipif(not NODES, reason="needs a Qdrant server: set QDRANT_URL, or QDRANT_URLS")


@pytest.fixture
def client(live_settings):
    made = make_client(live_settings())
    yield made
    made.close()


@pytest.fixture
def make_store(live_settings):
    """A store as commands open it."""
    stores = []

    def make(**settings):
        stores.append(open_store(live_settings(**settings)))
        return stores[-1]

    yield make
    for store in stores:
        store.close()


@pytest.mark.parametrize("round_", range(10))
def test_first_ingests_by_three_processes_at_once(make_store, images, videos, make_image, round_):
    """Each at a node of its own, where there are three."""
    together = threading.Barrier(3)
    stores = [make_store(qdrant_url=NODES[number % len(NODES)]) for number in range(3)]

    def begin(number):
        together.wait()
        existing = stores[number].collections()
        for schema in (images, videos):
            stores[number].ensure(schema)
            if schema.collection not in existing:
                stores[number].set_metadata(schema.collection, {"begun": True})
        stores[number].upsert("images", [make_image(number)])

    with ThreadPoolExecutor(3) as threads:
        list(threads.map(begin, range(3)))
    for store in stores:
        assert (store.count("images"), store.schema("videos")) == (3, videos)
        assert store.metadata("images") == {"begun": True}


def test_every_node_answers_alike(make_store, images, make_image):
    first = make_store(qdrant_url=NODES[0])
    first.ensure(images)
    first.upsert("images", [make_image(n) for n in range(20)])
    query = VectorQuery(images.fields[0].space, make_image(3).vectors["visual"], 5, exact=True)
    wanted = [hit.id for hit in first.query("images", [query])[0]]
    for url in NODES:
        store = make_store(qdrant_url=url)
        assert store.count("images") == 20
        assert [hit.id for hit in store.query("images", [query])[0]] == wanted


@pytest.mark.parametrize("quantization", ["none", "int8", "binary"])
def test_the_collection_is_laid_out_as_asked(client, make_store, live_prefix, videos, quantization):
    make_store(
        qdrant_quantization=quantization,
        qdrant_shards=2,
        qdrant_on_disk=True,
        qdrant_hnsw_m=24,
        qdrant_hnsw_ef_construct=64,
    ).ensure(videos)
    info = client.get_collection(live_prefix + "videos")
    assert (info.config.params.shard_number, info.config.params.on_disk_payload) == (2, True)
    assert (info.config.hnsw_config.m, info.config.hnsw_config.ef_construct) == (24, 64)
    vectors = info.config.params.vectors
    assert vectors["visual"].multivector_config.comparator == models.MultiVectorComparator.MAX_SIM
    assert vectors["sound_raw"].hnsw_config.m == 0
    assert vectors["sound_raw"].quantization_config is None
    forms = {"none": type(None), "int8": models.ScalarQuantization, "binary": models.BinaryQuantization}
    assert isinstance(vectors["sound"].quantization_config, forms[quantization])
    assert {key: index.data_type.value for key, index in info.payload_schema.items()} == {
        key: index.value for key, index in PAYLOAD_INDEXES.items()
    }


def test_the_alias_is_the_current_generation(client, make_store, live_prefix, images, make_image):
    store = make_store()
    store.ensure(images)
    store.upsert("images", [make_image(1)])
    name = store.begin_generation(images)
    aliased = live_prefix + "images"
    assert client.count(aliased).count == 1
    store.promote(name)
    assert client.count(aliased).count == 0
    store.drop_generation("images.1")
    assert [c.name for c in client.get_collections().collections if c.name.startswith(aliased)] == [aliased + "-2"]


def test_a_collection_of_the_version_before_is_replaced(client, make_store, live_prefix, images, make_image):
    client.create_collection(
        live_prefix + "images",
        vectors_config={"visual": models.VectorParams(size=16, distance=models.Distance.COSINE)},
        metadata={"likewise_schema": images.to_json()},
    )
    store = make_store()
    store.ensure(images)
    store.upsert("images", [make_image(1)])
    store.promote(store.begin_generation(images))
    assert (store.count("images"), store.count("images.1")) == (0, 1)
    store.drop_generation("images.1")
    assert make_store().count("images") == 0
    aliases = {a.alias_name: a.collection_name for a in client.get_aliases().aliases}
    assert aliases[live_prefix + "images"] == live_prefix + "images-2"


def test_indexing_is_held_back_and_restored(client, make_store, live_prefix, images):
    store = make_store()
    store.ensure(images)

    def threshold():
        return client.get_collection(live_prefix + "images").config.optimizer_config.indexing_threshold

    usual = threshold()
    store.hold_indexing("images", held=True)
    assert threshold() == 0
    assert make_store().is_indexing_held("images")
    make_store().hold_indexing("images", held=False)
    assert (threshold() or 10_000) == (usual or 10_000)


@pytest.mark.parametrize("quantization", ["int8", "binary"])
def test_scores_of_an_indexed_and_compressed_collection_are_cosines(
    client, make_store, live_prefix, images, quantization
):
    store = make_store(qdrant_quantization=quantization)
    store.ensure(images)
    rows = np.random.default_rng(0).normal(size=(3000, 16)).astype(np.float32)
    ids = [str(uuid.UUID(int=n + 1)) for n in range(len(rows))]
    store.upsert("images", [Point(i, {"visual": row[None]}, {}) for i, row in zip(ids, rows, strict=True)])
    client.update_collection(
        live_prefix + "images", optimizers_config=models.OptimizersConfigDiff(indexing_threshold=1)
    )
    deadline = time.monotonic() + 120
    while not store.collections()["images"].indexed:
        assert time.monotonic() < deadline, "the server builds no index"
        time.sleep(0.2)
    unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    space = images.fields[0].space
    answers = store.query("images", [VectorQuery(space, row[None], 10, ef=128) for row in rows[:50]])
    exact = store.query("images", [VectorQuery(space, row[None], 10, exact=True) for row in rows[:50]])
    for row, hits, truth in zip(unit, answers, exact, strict=False):
        for hit in (*hits, *truth):
            assert hit.score == pytest.approx(float(unit[uuid.UUID(hit.id).int - 1] @ row), abs=1e-4)
    found = sum(hits[0].id == truth[0].id for hits, truth in zip(answers, exact, strict=True))
    assert found >= 45, "an approximate index may miss a few"
