"""What only the server store must do: put a server's refusals in Likewise's words."""

from __future__ import annotations

import pytest
from qdrant_client import QdrantClient
from qdrant_client.http.exceptions import UnexpectedResponse

from search.errors import DiskFullError, NotFoundError, SpaceMismatchError, StoreError, StoreUnavailableError
from search.store import open_store
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
        (500, b'{"status":{"error":"Service internal error"}}', StoreError),
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
    large = [Point(str(n), {"visual": vectors(300, 1280)}, {}) for n in range(3)]
    assert [len(chunk) for chunk in _requests(large)] == [1, 1, 1]
    small = [Point(str(n), {"visual": vectors(1, 16)}, {}) for n in range(1001)]
    assert [len(chunk) for chunk in _requests(small)] == [500, 500, 1]
