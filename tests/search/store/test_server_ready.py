"""A collection that was made just now: its maker, other processes and other nodes of a Qdrant cluster."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from search.errors import NotFoundError, StoreUnavailableError
from search.settings import Settings
from search.store.base import VectorQuery
from search.store.payloads import PAYLOAD_INDEXES
from search.store.server.store import ServerStore
from search.store.server.timing import WHOLE_SECONDS

pytestmark = pytest.mark.filterwarnings("ignore:Local mode performs exact")

CLUSTER = Settings.model_validate({"qdrant_shards": 3, "qdrant_replicas": 2})


def store_at(rest, host):
    return ServerStore(rest.client(host), CLUSTER)


class TestNotYetWhole:
    """For a second reading its description and making an index fail, and other nodes do not know it."""

    @pytest.fixture(autouse=True)
    def settling(self, rest, clock):
        rest.settles = 1.0

    def test_ensure_returns_when_it_is_whole(self, rest, clock, images):
        store_at(rest, "one").ensure(images)
        assert clock.now - 1000 >= 1.0
        assert set(rest.indexes["images-1"]) == set(PAYLOAD_INDEXES)
        before = clock.now
        for host in ("one", "two"):
            assert store_at(rest, host).schema("images") == images
        assert clock.now == before

    @pytest.mark.parametrize("host", ["one", "two"])
    def test_another_process_makes_it_too(self, rest, images, host):
        store, other = store_at(rest, "one"), store_at(rest, host)

        def refuse(request):
            if request.url.path.endswith("/index"):  # the collection is there, and not whole
                rest.refuse = lambda request: None
                other.ensure(images)

        rest.refuse = refuse
        store.ensure(images)
        assert set(rest.indexes["images-1"]) == set(PAYLOAD_INDEXES)
        assert store.schema("images") == other.schema("images") == images

    def test_reads_of_one_that_has_an_alias_already(self, rest, clock, images, vectors):
        """Made in one go, and asked at another node that is behind."""
        store_at(rest, "one").ensure(images)
        rest._made["images-1"] = (clock.now, "one")
        question = VectorQuery(images.fields[0].space, vectors(), 1)
        for read in (
            lambda store: store.collections()["images"].schema,
            lambda store: store.count("images"),
            lambda store: store.query("images", [question]),
            lambda store: store.metadata("images"),
            lambda store: store.upsert("images", []),
        ):
            for host in ("one", "two"):
                rest._made["images-1"] = (clock.now, "one")
                read(store_at(rest, host))
        known = store_at(rest, "two")
        known.count("images")
        rest._made["images-1"] = (clock.now, "one")
        assert known.count("images") == 0

    def test_a_generation_too(self, rest, images):
        store = store_at(rest, "one")
        store.ensure(images)
        name = store.begin_generation(images)
        store.promote(name)
        assert store.count("images") == 0
        assert set(rest.indexes["images-2"]) == set(PAYLOAD_INDEXES)

    def test_what_does_not_pass_is_said_after_a_while(self, rest, clock, images):
        rest.settles = 3600.0
        with pytest.raises(StoreUnavailableError, match="0 of 0 read operations failed") as caught:
            store_at(rest, "one").ensure(images)
        assert caught.value.retryable
        assert WHOLE_SECONDS <= clock.now - 1000 < WHOLE_SECONDS + 1

    def test_nothing_else_is_waited_for(self, rest, clock, images):
        store = store_at(rest, "one")
        store.ensure(images)
        before = clock.now
        for text in (
            "1 of 1 read operations failed: tcp connect error",
            "1 out of 3 shards failed to apply operation: No space left on device",
        ):
            answer = httpx.Response(500, json={"status": {"error": text}})
            rest.refuse = lambda request, answer=answer: answer if "images-1" in request.url.path else None
            with pytest.raises(Exception, match=text[:20]):
                store_at(rest, "one").count("images")
        rest.refuse = lambda request: None
        with pytest.raises(NotFoundError):
            store.count("audio")
        assert clock.now == before


@pytest.mark.parametrize(("dead", "served"), [(0, True), (3, True), (4, False)])
def test_replicas_on_a_node_that_is_away(rest, clock, images, dead, served):
    rest.dead = dead
    if served:
        store_at(rest, "one").ensure(images)
        assert clock.now == 1000
    else:
        with pytest.raises(StoreUnavailableError, match=r"No node serves shard 2 of collection 'images-1'"):
            store_at(rest, "one").ensure(images)
        assert clock.now - 1000 >= WHOLE_SECONDS
        rest.dead = 0
        store_at(rest, "one").ensure(images)


@pytest.mark.parametrize(
    ("status", "said", "times"),
    [
        (404, "Not found: Collection `images-1` doesn't exist!", 3),
        (404, "404 page not found", 1),
        (403, "Forbidden", 1),
        (500, "Service internal error: 0 of 0 read operations failed", 3),
    ],
)
def test_a_server_that_does_not_say_where_replicas_are(rest, clock, images, status, said, times):
    """A node that is behind is asked again; a server, or a proxy, that does not tell is not."""
    asked = []

    def refuse(request):
        if request.url.path.endswith("/cluster"):
            asked.append(request)
            return httpx.Response(status, json={"status": {"error": said}}) if len(asked) < 3 else None
        return None

    rest.refuse = refuse
    store_at(rest, "one").ensure(images)
    assert len(asked) == times


@pytest.mark.parametrize("round_", range(10))
def test_first_ingests_by_two_workers_and_a_coordinator_at_once(rest, clock, images, videos, make_image, round_):
    """Each opens the store, makes what is not there, and writes, at a node of its own."""
    rest.settles = 1.0
    together = threading.Barrier(3)

    def begin(number):
        store = store_at(rest, f"node-{number}")
        together.wait()
        existing = store.collections()
        for schema in (images, videos):
            store.ensure(schema)
            if schema.collection not in existing:
                store.set_metadata(schema.collection, {"begun": True})
        store.upsert("images", [make_image(number)])
        return store.count("images"), store.schema("videos"), store.metadata("images")

    with ThreadPoolExecutor(3) as threads:
        answers = list(threads.map(begin, range(3)))
    assert all(schema == videos and metadata == {"begun": True} for _, schema, metadata in answers)
    assert max(count for count, _, _ in answers) == 3
    assert set(rest.indexes["images-1"]) == set(rest.indexes["videos-1"]) == set(PAYLOAD_INDEXES)
