"""What only a real server can show; the contract suite runs on it too. Set QDRANT_URL (and QDRANT_API_KEY)."""

from __future__ import annotations

import os
import time
import uuid

import numpy as np
import pytest
from qdrant_client import QdrantClient, models

from search.settings import Settings
from search.store import open_store
from search.store.base import Point, VectorQuery
from search.store.payloads import PAYLOAD_INDEXES

pytestmark = pytest.mark.skipif("QDRANT_URL" not in os.environ, reason="needs a Qdrant server: set QDRANT_URL")


@pytest.fixture
def client():
    made = QdrantClient(
        url=os.environ["QDRANT_URL"],
        api_key=os.environ.get("QDRANT_API_KEY"),
        timeout=60,  # a change of a collection waits until the server's optimisers have stopped
        check_compatibility=False,
    )
    yield made
    made.close()


@pytest.fixture
def make_store(live_prefix):
    """A store as commands open it."""
    stores = []

    def make(**settings):
        defaults = {"store": "server", "qdrant_url": os.environ["QDRANT_URL"], "qdrant_prefix": live_prefix}
        if "QDRANT_API_KEY" in os.environ:
            defaults["qdrant_api_key"] = os.environ["QDRANT_API_KEY"]
        stores.append(open_store(Settings.model_validate(defaults | settings)))
        return stores[-1]

    yield make
    for store in stores:
        store.close()


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
