"""Aliases on a server: collections of the version before, other processes, somebody else's collections, crashes."""

from __future__ import annotations

import json
from dataclasses import replace

import httpx
import pytest
from qdrant_client import QdrantClient, models

from search.errors import NotFoundError, SpaceMismatchError, StoreUnavailableError, UsageError
from search.settings import Settings
from search.spaces import CollectionSchema, VectorField
from search.store.base import Point, VectorQuery
from search.store.payloads import PAYLOAD_INDEXES
from search.store.server import names as server_names
from search.store.server.store import ServerStore

pytestmark = pytest.mark.filterwarnings("ignore:Payload indexes have no effect", "ignore:Local mode performs exact")


@pytest.fixture
def client():
    return QdrantClient(":memory:")


@pytest.fixture
def better(images):
    space = replace(images.fields[0].space, model="better-model")
    return CollectionSchema(images.kind, (VectorField(space),))


@pytest.fixture
def legacy(client, images, make_image):
    """A store on a server where the version before made ``images``: a collection of that name, no alias."""
    client.create_collection(
        "images",
        vectors_config={"visual": models.VectorParams(size=16, distance=models.Distance.COSINE)},
        metadata={"likewise_schema": images.to_json(), "likewise_value_mean": 7},
    )
    store = ServerStore(client)
    store.upsert("images", [make_image(n) for n in range(5)])
    return store


def aliases(client):
    return {alias.alias_name: alias.collection_name for alias in client.get_aliases().aliases}


def names(client):
    return {described.name for described in client.get_collections().collections}


class TestOfTheVersionBefore:
    def test_it_opens_as_generation_1(self, client, legacy, images):
        store = ServerStore(client)
        store.ensure(images)
        assert set(store.collections()) == {"images"}
        assert [(g.name, g.points, g.current) for g in store.generations("images")] == [("images.1", 5, True)]
        assert store.count("images") == store.count("images.1") == 5
        assert (names(client), aliases(client)) == ({"images"}, {})

    def test_it_is_replaced_though_no_alias_can_have_its_name(self, client, legacy, better, make_image):
        name = legacy.begin_generation(better)
        legacy.upsert(name, [make_image(1)])
        legacy.promote(name)
        for store in (legacy, ServerStore(client)):
            assert store.schema("images") == better
            assert store.metadata("images") == {"mean": 7}
            assert (store.count("images"), store.count("images.1"), store.count("images.2")) == (1, 5, 1)
            assert [g.current for g in store.generations("images")] == [False, True]
        assert aliases(client) == {"images-current": "images-2"}

    def test_one_can_go_back_to_it(self, client, legacy, images, better):
        legacy.promote(legacy.begin_generation(better))
        legacy.promote("images.1")
        assert legacy.schema("images") == images
        assert ServerStore(client).count("images") == 5
        legacy.promote("images.2")
        assert ServerStore(client).schema("images") == better

    def test_once_it_is_dropped_the_alias_has_its_proper_name(self, client, legacy, better):
        legacy.promote(legacy.begin_generation(better))
        legacy.drop_generation("images.1")
        assert (names(client), aliases(client)) == ({"images-2"}, {"images": "images-2"})
        assert ServerStore(client).schema("images") == better
        with pytest.raises(NotFoundError):
            legacy.count("images.1")

    def test_killed_between_dropping_it_and_naming_the_alias(self, client, legacy, images, better):
        legacy.promote(legacy.begin_generation(better))
        client.delete_collection("images")
        store = ServerStore(client)
        assert store.schema("images") == better
        store.ensure(better)
        store.promote(store.begin_generation(images))
        assert aliases(client) == {"images": "images-3"}
        assert ServerStore(client).schema("images") == images

    def test_dropping_again_names_the_alias(self, client, legacy, better):
        legacy.promote(legacy.begin_generation(better))
        client.delete_collection("images")
        ServerStore(client).drop_generation("images.1")
        assert aliases(client) == {"images": "images-2"}


class TestOtherProcesses:
    def test_they_follow_a_promotion(self, client, images, better, make_image, monkeypatch):
        one, other = ServerStore(client), ServerStore(client)
        one.ensure(images)
        one.upsert("images", [make_image(n) for n in range(3)])
        assert other.count("images") == 3
        one.promote(one.begin_generation(better))
        other.upsert("images", [make_image(7)])
        assert one.count("images.2") == 1, "a write goes to the current one, whatever was current a moment ago"
        one.promote("images.1")
        monkeypatch.setattr(server_names, "ALIASES_HELD", 0.0)
        assert other.count("images") == 3

    def test_a_question_in_the_new_space_is_understood_at_once(self, client, images, better, make_image):
        one, other = ServerStore(client), ServerStore(client)
        one.ensure(images)
        assert other.count("images") == 0
        one.promote(one.begin_generation(better))
        one.upsert("images", [make_image(1)])
        question = VectorQuery(better.fields[0].space, make_image(1).vectors["visual"], 1)
        assert [hit.id for hit in other.query("images", [question])[0]] == [make_image(1).id]

    def test_a_space_that_another_process_added_is_known_when_it_is_asked_for(self, client, images, videos, vectors):
        one, other = ServerStore(client), ServerStore(client)
        one.ensure(images)
        assert other.schema("images") == images
        one.ensure(CollectionSchema(images.kind, (*images.fields, videos.by_name["sound"])))
        assert other.query("images", [VectorQuery(videos.by_name["sound"].space, vectors(1, 8), 1)]) == [[]]

    def test_a_generation_that_was_dropped_is_found_out(self, client, images, better):
        one, other = ServerStore(client), ServerStore(client)
        one.ensure(images)
        assert other.count("images") == 0
        one.promote(one.begin_generation(better))
        one.drop_generation("images.1")
        with pytest.raises(NotFoundError):
            other.count("images")
        assert other.schema("images") == better


class TestHeld:
    """What collections, aliases and schemas there are is not asked for by every question."""

    def test_a_promotion_by_another_process_is_seen_within_two_seconds(self, rest, clock, images, better, make_image):
        one, other = ServerStore(rest.client()), ServerStore(rest.client())
        one.ensure(images)
        one.upsert("images", [make_image(n) for n in range(3)])
        assert (other.count("images"), other.collections()["images"].points) == (3, 3)
        name = one.begin_generation(better)
        one.set_metadata(name, {"made": "anew"})
        one.promote(name)
        assert one.schema("images") == better, "whoever promotes it knows at once"
        clock.sleep(2)
        assert (other.count("images"), other.schema("images"), other.metadata("images")) == (
            0,
            better,
            {"made": "anew"},
        )
        assert (other.collections()["images"].points, other.collections()["images"].schema) == (0, better)

    def test_how_long(self, rest, clock, images, videos, make_image, vectors):
        store, other = ServerStore(rest.client()), ServerStore(rest.client())
        store.ensure(images)

        def asked():
            rest.requests.clear()
            found = {name: info.points for name, info in store.collections().items()}
            store.metadata("images")
            return found, [path for _, path, _ in rest.requests]

        asked()
        assert asked() == ({"images": 0}, [])
        store.upsert("images", [make_image(1)])
        assert asked() == ({"images": 1}, ["/collections/images-1"]), "its own changes are known at once"
        other.upsert("images", [make_image(2)])
        other.ensure(videos)
        clock.sleep(2)
        found, paths = asked()
        assert set(found) == {"images", "videos"}
        assert paths.count("/aliases") == 1
        clock.sleep(5)
        assert asked()[0] == {"images": 2, "videos": 0}
        other.upsert("videos", [Point(make_image(3).id, {"visual": vectors(2)}, {})])
        clock.sleep(2)
        assert asked()[0] == {"images": 2, "videos": 1}, "whether there is anything is known sooner than how much"
        rest.double.delete_collection("images-1")
        with pytest.raises(NotFoundError):
            store.count("images")
        assert set(store.collections()) == {"videos"}, "what has vanished is forgotten at once"


class TestSomebodyElses:
    def test_a_prefix_keeps_two_likewises_apart(self, client, images, better, make_image):
        stores = [ServerStore(client, Settings.model_validate({"qdrant_prefix": p})) for p in ("", "a-", "a-images-")]
        for number, store in enumerate(stores):
            assert store.collections() == {}
            store.ensure(images)
            store.upsert("images", [make_image(n) for n in range(number)])
        stores[1].promote(stores[1].begin_generation(better))
        assert [store.count("images") for store in stores] == [0, 0, 2]
        assert [len(store.generations("images")) for store in stores] == [1, 2, 1]
        assert names(client) == {"images-1", "a-images-1", "a-images-2", "a-images-images-1"}
        assert aliases(client) == {
            "images": "images-1",
            "a-images": "a-images-2",
            "a-images-images": "a-images-images-1",
        }

    def test_a_collection_named_like_a_generation_is_left_alone(self, client, images, better):
        store = ServerStore(client)
        store.ensure(images)
        client.create_collection("images-2", vectors_config={})
        client.create_collection("images-backup", vectors_config={})
        assert [g.name for g in store.generations("images")] == ["images.1"]
        assert store.begin_generation(better) == "images.3"
        with pytest.raises(SpaceMismatchError, match="does not say"):
            store.drop_generation("images.2")
        with pytest.raises(SpaceMismatchError, match="does not say"):
            store.promote("images.2")
        assert names(client) == {"images-1", "images-2", "images-3", "images-backup"}


class TestKilled:
    """The process is killed between two requests: here, the server stops answering for good."""

    def lasting(self, rest, requests):
        """Let so many more writing requests through."""
        left = [requests]

        def refuse(request):
            if request.method != "GET":
                left[0] -= 1
            return httpx.Response(503) if left[0] < 0 else None

        rest.refuse = refuse

    @pytest.mark.parametrize("requests", range(len(PAYLOAD_INDEXES) + 2))
    def test_in_ensure(self, rest, images, make_image, requests):
        self.lasting(rest, requests)
        with pytest.raises(StoreUnavailableError):
            ServerStore(rest.client()).ensure(images)
        rest.refuse = lambda request: None
        store = ServerStore(rest.client())
        assert store.collections() == {}, "no collection before all of it is there"
        store.ensure(images)
        store.upsert("images", [make_image(1)])
        assert len(rest.indexes["images-1"]) == len(PAYLOAD_INDEXES)
        assert aliases(rest.double) == {"images": "images-1"}

    @pytest.mark.parametrize("requests", [0, 1, 7, len(PAYLOAD_INDEXES)])
    def test_in_begin_generation(self, rest, images, better, requests):
        store = ServerStore(rest.client())
        store.ensure(images)
        self.lasting(rest, requests)
        with pytest.raises(StoreUnavailableError):
            store.begin_generation(better)
        rest.refuse = lambda request: None
        assert ServerStore(rest.client()).begin_generation(better) == "images.2"
        assert len(rest.indexes["images-2"]) == len(PAYLOAD_INDEXES)
        assert aliases(rest.double) == {"images": "images-1"}

    @pytest.mark.parametrize("requests", [0, 1, 2])
    def test_in_adding_a_space(self, rest, images, videos, requests):
        store = ServerStore(rest.client())
        store.ensure(images)
        wider = CollectionSchema(images.kind, (*images.fields, videos.by_name["sound_raw"]))
        self.lasting(rest, requests)
        with pytest.raises(StoreUnavailableError):
            store.ensure(wider)
        rest.refuse = lambda request: None
        store = ServerStore(rest.client())
        assert store.schema("images") == images
        store.ensure(wider)
        assert store.schema("images") == wider

    @pytest.mark.parametrize(("hold", "requests"), [(True, 0), (True, 1), (False, 0)])
    def test_in_holding_indexing_and_in_letting_it_go(self, rest, images, hold, requests):
        store = ServerStore(rest.client())
        store.ensure(images)
        usual = rest.optimizers["images-1"]["indexing_threshold"]
        if not hold:
            store.hold_indexing("images", held=True)
        self.lasting(rest, requests)
        with pytest.raises(StoreUnavailableError):
            store.hold_indexing("images", held=hold)
        rest.refuse = lambda request: None
        store = ServerStore(rest.client())
        if rest.optimizers["images-1"]["indexing_threshold"] == 0:
            assert store.is_indexing_held("images"), "whoever finds it held lets it go"
        store.hold_indexing("images", held=True)
        assert rest.optimizers["images-1"]["indexing_threshold"] == 0
        store.hold_indexing("images", held=False)
        assert rest.optimizers["images-1"]["indexing_threshold"] == usual
        assert not store.is_indexing_held("images")


def test_a_generation_that_is_dropped_while_they_are_listed(rest, images, better):
    store, other = ServerStore(rest.client()), ServerStore(rest.client())
    store.ensure(images)
    store.begin_generation(better)

    def refuse(request):
        if request.url.path == "/collections/images-2":
            rest.refuse = lambda request: None
            other.drop_generation("images.2")

    rest.refuse = refuse
    assert [generation.name for generation in store.generations("images")] == ["images.1"]


@pytest.mark.parametrize("before", ["likewise_indexing_threshold", "indexing_threshold': 0"])
def test_one_lets_indexing_go_while_another_begins_to_hold_it(rest, images, before):
    """Whichever of the requests that hold it comes second, it is held or not, and known to be."""
    store, other = ServerStore(rest.client()), ServerStore(rest.client())
    store.ensure(images)
    usual = rest.optimizers["images-1"]["indexing_threshold"]
    other.hold_indexing("images", held=True)

    def refuse(request):
        if request.method == "PATCH" and before in str(json.loads(request.content)):
            rest.refuse = lambda request: None
            other.hold_indexing("images", held=False)

    rest.refuse = refuse
    store.hold_indexing("images", held=True)
    assert rest.optimizers["images-1"]["indexing_threshold"] == 0
    assert store.is_indexing_held("images")
    other.hold_indexing("images", held=False)
    assert rest.optimizers["images-1"]["indexing_threshold"] == usual


def test_two_processes_begin_a_generation_at_once(rest, images, better, videos):
    """Both saw none; the second meets the collection that the first has made meanwhile."""
    store, other = ServerStore(rest.client()), ServerStore(rest.client())
    store.ensure(images)
    wider = CollectionSchema(images.kind, (*images.fields, videos.by_name["sound"]))

    def meanwhile(schema):
        def refuse(request):
            if request.method == "PUT" and request.url.path.endswith("/images-2"):
                rest.refuse = lambda request: None
                other.begin_generation(schema)

        rest.refuse = refuse

    meanwhile(better)
    assert store.begin_generation(better) == "images.2"
    other.drop_generation("images.2")
    meanwhile(better)
    with pytest.raises(UsageError, match=r"images\.2"):
        store.begin_generation(wider)


@pytest.mark.parametrize("same", [True, False])
def test_two_processes_make_a_collection_at_once(rest, images, better, same):
    """Both saw none; the server answers the second that it exists."""
    store, other = ServerStore(rest.client()), ServerStore(rest.client())

    def refuse(request):
        if request.method == "PUT" and request.url.path == "/collections/images-1":
            rest.refuse = lambda request: None
            other.ensure(images if same else better)

    rest.refuse = refuse
    if same:
        store.ensure(images)
        assert store.schema("images") == images
    else:
        with pytest.raises(SpaceMismatchError, match=r"better-model.*test-model"):
            store.ensure(images)
        assert store.schema("images") == better
    assert aliases(rest.double) == {"images": "images-1"}
