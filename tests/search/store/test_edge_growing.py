"""A collection of the embedded store that is given sparse vectors and payload indexes: kept, indexed, and optimised."""

from __future__ import annotations

import json
import threading
import uuid

import numpy as np
import pytest

from search.media import Kind, MediaRecord
from search.store.base import Point, VectorQuery
from search.store.edge import layout, shard
from search.store.edge.store import EdgeStore
from search.store.filters import Filter, NumberRange
from search.store.payloads import PAYLOAD_INDEXES

NEW_INDEXES = ("location", "sort_time", "sort_name", "added")


@pytest.fixture
def home(tmp_path):
    return tmp_path / "home"


@pytest.fixture
def opened(home):
    """Opens the store; closes it again in the end, or before it is opened anew."""
    stores = []

    def open_anew():
        close()
        stores.append(EdgeStore(home))
        return stores[-1]

    def close():
        while stores:
            stores.pop().close()

    yield open_anew
    close()


@pytest.fixture
def fill(tagged, vectors, weights):
    """Writes points with a sparse vector, every tenth an empty one, into a new collection; they have ids by number."""

    def write(store, n):
        store.ensure(tagged)
        points = [
            Point(
                str(uuid.UUID(int=i + 1)),
                {"visual": vectors(seed=i), "concepts": weights({i % 40: 0.5} if i % 10 else {})},
                {"size": i},
            )
            for i in range(n)
        ]
        store.upsert("images", points)
        return points

    return write


def hits(store, tagged, weights, values, limit=1000):
    query = VectorQuery(tagged.by_name["concepts"].space, weights(values), limit, Filter(include_missing=True))
    return {hit.id: hit.score for hit in store.query("images", [query])[0]}


def test_sparse_vectors_are_there_after_reopening(opened, fill, tagged, weights):
    points = fill(opened(), 50)
    store = opened()
    assert store.schema("images") == tagged
    assert hits(store, tagged, weights, {3: 1}) == {points[3].id: 0.5, points[43].id: 0.5}
    assert store.count("images", Filter(has_space="concepts")) == 50


def test_an_optimised_shard_answers_as_before(opened, fill, tagged, weights, monkeypatch):
    monkeypatch.setattr(layout, "INDEXING_THRESHOLD_KB", 16)
    store = opened()
    points = fill(store, 700)
    before = {i: hits(store, tagged, weights, {i: 1, 7: 0.25}) for i in range(0, 40, 5)}
    assert store.optimise("images") is True

    def check(store):
        assert {i: hits(store, tagged, weights, {i: 1, 7: 0.25}) for i in before} == before
        assert store.count("images", Filter(has_space="concepts")) == 700
        found = store.retrieve("images", [points[10].id, points[11].id], vectors=["concepts"])
        assert [np.flatnonzero(p.vectors["concepts"]).tolist() for p in found] == [[], [11]]

    check(store)
    check(opened())


def test_sparse_vectors_do_not_count_as_dense_ones(opened, fill, monkeypatch):
    """700 points of 64 bytes are 44 KB; their sparse vectors make them neither more nor less worth an index."""
    monkeypatch.setattr(layout, "INDEXING_THRESHOLD_KB", 40)
    store = opened()
    fill(store, 700)
    monkeypatch.setattr(layout, "INDEXING_THRESHOLD_KB", 45)
    assert store.optimise("images") is False
    monkeypatch.setattr(layout, "INDEXING_THRESHOLD_KB", 40)
    assert store.optimise("images") is True
    assert store.optimise("images") is False


def test_writes_beside_the_optimiser_are_carried_over(opened, fill, tagged, vectors, weights, monkeypatch):
    monkeypatch.setattr(layout, "INDEXING_THRESHOLD_KB", 16)
    store = opened()
    points = fill(store, 600)
    run_child = shard.LiveShard._run_child

    def meanwhile(self, target):
        built = run_child(self, target)
        store.update_vectors("images", {points[1].id: {"concepts": weights({39: 2})}})
        store.update_vectors("images", {points[2].id: {"concepts": weights({})}})
        new = {"visual": vectors(seed=1), "concepts": weights({39: 4})}
        store.upsert("images", [Point(str(uuid.UUID(int=5000)), new, {})])
        store.delete("images", [points[39].id])
        return built

    monkeypatch.setattr(shard.LiveShard, "_run_child", meanwhile)
    assert store.optimise("images") is True

    def check(store):
        found = hits(store, tagged, weights, {39: 1})
        assert found[points[1].id] == 2
        assert found[str(uuid.UUID(int=5000))] == 4
        assert points[39].id not in found
        assert points[2].id not in hits(store, tagged, weights, {2: 1})
        assert store.count("images", Filter(ids=(points[2].id,), has_space="concepts")) == 1

    check(store)
    check(opened())


def test_points_that_edits_took_out_of_the_index_are_indexed_again(opened, fill, weights, monkeypatch):
    """The engine writes an edited point anew, unindexed, and goes on counting its old place in the index."""
    monkeypatch.setattr(layout, "INDEXING_THRESHOLD_KB", 16)
    store = opened()
    points = fill(store, 600)
    assert store.optimise("images") is True
    store.delete("images", [point.id for point in points[500:]])
    store.patch_payload("images", {point.id: {"size": 1} for point in points[:200]})
    assert store.optimise("images") is False
    store.update_vectors("images", {point.id: {"concepts": weights({1: 1})} for point in points[200:400]})
    store = opened()
    assert store.optimise("images") is True
    assert store.optimise("images") is False


def test_a_sparse_space_is_added_while_the_optimiser_is_at_work(
    opened, images, tagged, make_image, weights, monkeypatch
):
    monkeypatch.setattr(layout, "INDEXING_THRESHOLD_KB", 16)
    store = opened()
    store.ensure(images)
    points = [make_image(n) for n in range(600)]
    store.upsert("images", points)
    started, results = threading.Event(), []
    copy_to = shard.LiveShard._copy_to

    def announce(self, target):
        copied = copy_to(self, target)
        started.set()
        return copied

    monkeypatch.setattr(shard.LiveShard, "_copy_to", announce)
    thread = threading.Thread(target=lambda: results.append(store.optimise("images")))
    thread.start()
    assert started.wait(60)
    store.ensure(tagged)
    thread.join()
    store.update_vectors("images", {points[0].id: {"concepts": weights({1: 1})}})
    assert store.optimise("images") is (results == [False])
    assert hits(store, tagged, weights, {1: 1}) == {points[0].id: 1}


@pytest.fixture
def older(opened, images, monkeypatch):
    """A collection as version 0.1 made it: without the payload indexes that are newer, and without what they hold."""
    fewer = {key: index for key, index in PAYLOAD_INDEXES.items() if key not in NEW_INDEXES}
    with monkeypatch.context() as patched:
        patched.setattr(layout, "PAYLOAD_INDEXES", fewer)
        opened().ensure(images)


def payload_indexes(store):
    with store._shards.at("images").reading() as engine:
        return set(engine.info().payload_schema)


def test_a_shard_of_a_version_before_is_given_the_payload_indexes_it_lacks(opened, older, images, make_image, home):
    store = opened()
    points = [make_image(n, mtime=1000.0 + n, latitude=10.0, longitude=20.0 + n) for n in range(9)]
    store.upsert("images", points)

    def check(store):
        assert payload_indexes(store) == set(PAYLOAD_INDEXES)
        latest = store.ordered("images", "sort_time", limit=3, descending=True)
        assert [p.id for p in latest] == [points[n].id for n in (8, 7, 6)]
        assert store.count("images", Filter(near=(10.0, 20.0, 1000.0))) == 1
        assert store.count("images", Filter(numbers=(NumberRange("sort_time", gt=1005),))) == 3

    check(store)
    check(opened())


def test_payload_indexes_are_given_to_the_generation_that_was_begun(opened, older, images):
    store = opened()
    name = store.begin_generation(images)
    store.promote(name)
    assert payload_indexes(store) == set(PAYLOAD_INDEXES)


def test_metadata_of_a_version_before_says_nothing_of_what_was_written(opened, fill, home):
    fill(opened(), 20)
    store = opened()
    path = home / "collections" / "images" / "metadata.json"
    described = json.loads(path.read_text())
    assert described.pop("written") == 20
    store.close()
    path.write_text(json.dumps(described))
    store = opened()
    assert store.count("images") == 20
    assert store.optimise("images") is False


def test_a_record_there_and_back_through_the_engine(opened, images):
    """Its place, as the engine indexes it, and numbers of 53 bits included."""
    store = opened()
    store.ensure(images)
    record = MediaRecord(
        str(uuid.uuid4()),
        Kind.IMAGE,
        ("/p/zzzz zzzz.jpg",),
        latitude=-17.5,
        longitude=179.25,
        added=1.7e9 + 0.123456,
        concept_frames=(3, 0),
    )
    store.upsert("images", [Point(record.id, {}, record.to_payload())])
    (found,) = store.scroll("images")
    assert found.payload == record.to_payload()
    assert MediaRecord.from_payload(found.payload) == record
