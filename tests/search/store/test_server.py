"""What only the server store must do: put a server's refusals in Likewise's words."""

from __future__ import annotations

import importlib.util
import uuid
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from qdrant_client import QdrantClient, models
from qdrant_client.http.exceptions import UnexpectedResponse

from search.errors import DiskFullError, NotFoundError, SpaceMismatchError, StoreError, StoreUnavailableError
from search.spaces import CollectionSchema, VectorField
from search.store import open_store
from search.store.base import Point, VectorQuery
from search.store.server import store as server
from search.store.server.errors import PointGoneError, TooLargeError
from search.store.server.store import ServerStore


def test_a_server_that_is_not_there_is_a_retryable_error(make_settings):
    with pytest.raises(StoreUnavailableError, match="cannot be reached") as caught:
        open_store(make_settings(store="server", qdrant_url="http://127.0.0.1:1"))
    assert caught.value.retryable


def qdrant_double():
    """The module of the double that listens on a port."""
    path = Path(__file__).parents[2] / "qdrant_double.py"
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def refusal(status, said, **headers):
    """An answer in a Qdrant server's form."""
    return httpx.Response(status, json={"status": {"error": said}, "time": 0.0}, headers=headers)


@pytest.mark.parametrize(
    ("status", "said", "expected"),
    [
        (404, "Not found: Collection `images` doesn't exist!", NotFoundError),
        (404, "Not found: No point with id 1 found", PointGoneError),
        (404, "404 page not found", StoreError),
        (400, "Wrong input: Vector dimension error: expected dim: 4, got 3", SpaceMismatchError),
        (400, "Wrong input: Not existing vector name error: x", SpaceMismatchError),
        (400, "Format error in JSON body", StoreError),
        (400, "Bad request: Limit exceeded 2000 > 1000 for limit. Help: Reduce the limit", TooLargeError),
        (413, "Request Entity Too Large", TooLargeError),
        (401, "Must provide an API key", StoreError),
        (403, "Storage locked: write is forbidden", StoreError),
        (408, "Timeout: Operation 'Search' timed out after 60s", StoreUnavailableError),
        (429, "Rate limiting exceeded: Read rate limit exceeded", StoreUnavailableError),
        (500, "Service internal error: Tonic status error: status: Unavailable", StoreUnavailableError),
        (500, "Service internal error: No space left on device", DiskFullError),
        (500, "Pre-condition failure: Shard is not ready", StoreUnavailableError),
        (503, "Shard temporarily unavailable: shard is recovering", StoreUnavailableError),
        (507, "Insufficient storage: disk usage is over the quota", DiskFullError),
    ],
)
def test_refusals_of_a_server(rest, clock, images, vectors, status, said, expected):
    store = ServerStore(rest.client())
    store.ensure(images)
    rest.refuse = lambda request: refusal(status, said) if "/points" in request.url.path else None
    with pytest.raises(expected) as caught:
        store.query("images", [VectorQuery(images.fields[0].space, vectors(), 1)])
    assert type(caught.value) is expected
    assert isinstance(caught.value.__cause__, UnexpectedResponse)
    if expected is not NotFoundError:
        assert said in caught.value.message


@pytest.mark.parametrize("status", [429, 503])
def test_a_server_that_says_when_to_come_again(rest, images, status):
    store = ServerStore(rest.client())
    rest.refuse = lambda request: refusal(status, "Slow down", **{"Retry-After": "17"})
    with pytest.raises(StoreUnavailableError, match=r"Slow down.*17 s"):
        store.ensure(images)
    rest.refuse = lambda request: httpx.Response(status, headers={"Retry-After": "Fri, 01 Jan 2027 00:00:00 GMT"})
    with pytest.raises(StoreUnavailableError):
        store.ensure(images)


@pytest.mark.parametrize(
    "failure",
    [
        httpx.ConnectError("connection refused"),
        httpx.ConnectTimeout("timed out"),
        httpx.ReadTimeout("timed out"),
        httpx.WriteTimeout("timed out"),
        httpx.ReadError("connection reset by peer"),
        httpx.RemoteProtocolError("server disconnected without sending a response"),
    ],
)
def test_a_server_that_goes_away(rest, images, make_image, failure):
    store = ServerStore(rest.client())
    store.ensure(images)

    def fail(request):
        raise failure

    rest.refuse = fail
    for call in (lambda: store.upsert("images", [make_image(1)]), store.collections, lambda: store.count("images.2")):
        with pytest.raises(StoreUnavailableError) as caught:
            call()
        assert caught.value.retryable
    rest.refuse = lambda request: None
    store.upsert("images", [make_image(1)])
    assert store.count("images") == 1


def test_most_nodes_are_away(rest, images, make_image):
    """Reads are refused, writes get no answer, and nothing is agreed on."""
    store = ServerStore(rest.client())
    store.ensure(images)
    store.upsert("images", [make_image(1)])
    rest.majority_lost = True
    for call, said in (
        (lambda: store.count("images"), "1 of 1 read operations failed"),
        (lambda: store.upsert("images", [make_image(2)]), "did not answer in time"),
        (lambda: store.set_metadata("images", {"a": 1}), "consensus"),
        (lambda: store.promote("images.1"), "read operations failed"),
    ):
        with pytest.raises(StoreUnavailableError, match=said):
            call()
    rest.majority_lost = False
    store.upsert("images", [make_image(2)])
    assert store.count("images") == 2


def test_a_frozen_server_over_a_socket(rest, images):
    """It takes the connection, and answers once it is thawed."""
    served = qdrant_double().QdrantServer(rest._answer)
    served.start()
    client = QdrantClient(url=served.url, check_compatibility=False, timeout=1)
    store = ServerStore(client)
    store.ensure(images)
    served.freeze()
    client.http.client._client.timeout = 0.05
    with pytest.raises(StoreUnavailableError, match="did not answer in time"):
        store.count("images")
    client.http.client._client.timeout = 5.0
    served.thaw()
    assert store.count("images") == 0
    store.close()
    served.stop()


@pytest.mark.parametrize("answer", ["<html>Welcome</html>", '{"a": 1}'])
def test_what_is_no_qdrant_server(rest, answer):
    rest.refuse = lambda request: httpx.Response(200, text=answer)
    with pytest.raises(StoreError, match="LIKEWISE_QDRANT_URL") as caught:
        ServerStore(rest.client()).collections()
    assert not caught.value.retryable


def test_a_page_of_a_proxy_is_not_repeated_in_full(rest):
    rest.refuse = lambda request: httpx.Response(502, text="<html>" + "bad gateway " * 1000)
    with pytest.raises(StoreUnavailableError) as caught:
        ServerStore(rest.client()).collections()
    assert len(caught.value.message) < 500


@pytest.mark.filterwarnings("ignore:Payload indexes have no effect")
def test_a_collection_made_by_someone_else_is_refused(images):
    client = QdrantClient(":memory:")
    client.create_collection("images", vectors_config={})
    client.create_collection("unrelated", vectors_config={})
    store = ServerStore(client)
    with pytest.raises(SpaceMismatchError, match="does not say what its vectors are"):
        store.ensure(images)
    client.delete_collection("images")
    assert store.collections() == {}
    store.ensure(images)
    assert set(store.collections()) == {"images"}


def test_values_that_a_server_counts_no_times_are_no_facets(rest, images):
    """Source: ``LocalShard::exact_facet`` counts every value that its index knows, also of points that are gone."""
    store = ServerStore(rest.client())
    store.ensure(images)
    hits = [{"value": "Bo", "count": 2}, {"value": "Ada", "count": 0}]
    answer = httpx.Response(200, json={"result": {"hits": hits}, "status": "ok", "time": 0.0})
    rest.refuse = lambda request: answer if request.url.path.endswith("/facet") else None
    assert [(f.value, f.count) for f in store.facet("images", "photographer")] == [("Bo", 2)]


def test_a_space_that_another_process_added_may_be_fetched_at_once(images, videos, make_image, vectors):
    client = QdrantClient(":memory:")
    one, other = ServerStore(client), ServerStore(client)
    one.ensure(images)
    one.upsert("images", [make_image(1)])
    id_ = make_image(1).id
    assert set(other.retrieve("images", [id_], vectors=["visual"])[0].vectors) == {"visual"}
    one.ensure(CollectionSchema(images.kind, (*images.fields, videos.by_name["sound"])))
    one.update_vectors("images", {id_: {"sound": vectors(1, 8)}})
    assert set(other.retrieve("images", [id_], vectors=["visual", "sound"])[0].vectors) == {"visual", "sound"}
    assert [set(point.vectors) for point in other.scroll("images", vectors=["sound"])] == [{"sound"}]


def test_new_vectors_of_many_points_are_sent_in_requests_a_server_accepts(videos, vectors, monkeypatch):
    client = QdrantClient(":memory:")
    store = ServerStore(client)
    store.ensure(videos)
    frames = {str(uuid.uuid4()): {"visual": vectors(32)} for _ in range(6)}
    store.upsert("videos", [Point(id_, named, {}) for id_, named in frames.items()])
    store._limits.points.floats = 2 * 32 * 16
    sent = []
    update = client.update_vectors

    def counting(collection, edits, **options):
        sent.append(len(edits))
        return update(collection, edits, **options)

    monkeypatch.setattr(client, "update_vectors", counting)
    store.update_vectors("videos", frames)
    assert sent == [2, 2, 2]


class TestPointsThatOthersDelete:
    """Between the question which of them exist and the edit; the server then refuses the edit as a whole."""

    @pytest.fixture(params=["/points/vectors", "/points/batch"])
    def edit(self, request, rest, images, make_image, vectors):
        """The end of a path, and an edit of images 1 and 2 that is sent there."""
        store = ServerStore(rest.client())
        store.ensure(images)
        store.upsert("images", [make_image(n) for n in range(3)])
        rest.requests.clear()

        def run():
            ids = [make_image(n).id for n in (1, 2)]
            if request.param == "/points/vectors":
                store.update_vectors("images", {id_: {"visual": vectors(seed=99)} for id_ in ids})
            else:
                store.patch_payload("images", {id_: {"camera": "Leica"} for id_ in ids})

        return request.param, run

    def test_those_that_are_left_are_edited(self, rest, make_image, edit):
        path, run = edit
        gone, left = make_image(1).id, make_image(2).id

        def refuse(request):
            if not request.url.path.endswith(path):
                return None
            rest.refuse = lambda request: None
            rest.double.delete("images-1", models.PointIdsList(points=[gone]))
            return refusal(404, f"Not found: No point with id {gone} found")

        rest.refuse = refuse
        run()
        first, second = (str(body) for body in rest.asked("PUT" if "vectors" in path else "POST", f".*{path}"))
        assert (gone in first, left in first) == (True, True)
        assert (gone in second, left in second) == (False, True)
        assert {point.id for point in rest.double.scroll("images-1")[0]} == {make_image(0).id, left}

    def test_a_server_that_keeps_saying_so_is_asked_a_few_times(self, rest, edit):
        path, run = edit
        rest.refuse = lambda request: (
            refusal(404, "Not found: No point with id 1 found") if request.url.path.endswith(path) else None
        )
        with pytest.raises(PointGoneError) as caught:
            run()
        assert caught.value.retryable
        assert len([None for _, where, _ in rest.requests if where.endswith(path)]) == server._EDITS


def test_a_collection_made_anew_by_another_process_is_not_taken_for_the_old_one(images):
    client = QdrantClient(":memory:")
    store = ServerStore(client)
    store.ensure(images)
    client.delete_collection("images-1")
    space = replace(images.fields[0].space, model="other-model")
    other = CollectionSchema(images.kind, (VectorField(space),))
    ServerStore(client).ensure(other)
    with pytest.raises(SpaceMismatchError, match=r"other-model.*test-model"):
        store.ensure(images)
    store.ensure(other)
    assert store.schema("images") == other
