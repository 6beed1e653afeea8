"""What only the server store must do: put a server's refusals in Likewise's words."""

from __future__ import annotations

import uuid
from dataclasses import replace

import pytest
from qdrant_client import QdrantClient
from qdrant_client.http.exceptions import UnexpectedResponse

from search.errors import DiskFullError, NotFoundError, SpaceMismatchError, StoreError, StoreUnavailableError
from search.spaces import CollectionSchema, VectorField
from search.store import open_store, server
from search.store.base import Point
from search.store.server import ServerStore, _requests
from search.store.server_errors import server_errors


def test_a_server_that_is_not_there_is_a_retryable_error(make_settings):
    with pytest.raises(StoreUnavailableError, match="cannot be reached") as caught:
        open_store(make_settings(store="server", qdrant_url="http://127.0.0.1:1"))
    assert caught.value.retryable


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (404, b'{"status":{"error":"Not found: Collection `images` doesn\'t exist!"}}', NotFoundError),
        (
            400,
            b'{"status":{"error":"Wrong input: Vector dimension error: expected 4, got 3"}}',
            SpaceMismatchError,
        ),
        (400, b'{"status":{"error":"Wrong input: Not existing vector name error: x"}}', SpaceMismatchError),
        (400, b'{"status":{"error":"Format error in JSON body"}}', StoreError),
        (401, b"Must provide an API key", StoreError),
        (500, b'{"status":{"error":"Service internal error: No space left on device"}}', DiskFullError),
        (
            500,
            b'{"status":{"error":"Service internal error: Tonic status error: status: Unavailable"}}',
            StoreUnavailableError,
        ),
        (503, b"", StoreUnavailableError),
        (429, b"", StoreUnavailableError),
    ],
)
def test_refusals_of_a_server(status, body, expected):
    with pytest.raises(expected) as caught, server_errors("images"):
        raise UnexpectedResponse(status, "", body, None)
    assert type(caught.value) is expected
    assert isinstance(caught.value.__cause__, UnexpectedResponse)


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


def test_requests_stay_within_what_a_server_accepts(vectors):
    large = [(n, {"visual": vectors(300, 1280)}) for n in range(3)]
    assert list(_requests(large)) == [[0], [1], [2]]
    small = [(n, {"visual": vectors(1, 16)}) for n in range(1001)]
    assert [len(chunk) for chunk in _requests(small)] == [500, 500, 1]


def test_new_vectors_of_many_points_are_sent_in_requests_a_server_accepts(videos, vectors, monkeypatch):
    client = QdrantClient(":memory:")
    store = ServerStore(client)
    store.ensure(videos)
    frames = {str(uuid.uuid4()): {"visual": vectors(32)} for _ in range(6)}
    store.upsert("videos", [Point(id_, named, {}) for id_, named in frames.items()])
    monkeypatch.setattr(server, "_REQUEST_FLOATS", 2 * 32 * 16)
    sent = []
    update = client.update_vectors

    def counting(collection, edits, **options):
        sent.append(len(edits))
        return update(collection, edits, **options)

    monkeypatch.setattr(client, "update_vectors", counting)
    store.update_vectors("videos", frames)
    assert sent == [2, 2, 2]


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
