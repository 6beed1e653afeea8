"""Vectors by gRPC: what goes that way, and that addresses, deadlines, limits and refusals are as by REST."""

from __future__ import annotations

import contextlib
import shutil
import socket
import subprocess
import time
from types import SimpleNamespace

import httpx
import pytest

from search.errors import (
    DiskFullError,
    NotFoundError,
    SpaceMismatchError,
    StoreError,
    StoreUnavailableError,
)
from search.store.server.errors import PointGoneError, TooLargeError
from search.store.server.store import ServerStore

pytestmark = pytest.mark.filterwarnings("ignore:Local mode performs exact")


def refusal(status, said, **headers):
    return httpx.Response(status, json={"status": {"error": said}, "time": 0.0}, headers=headers)


def test_what_goes_which_way(rest, serve, store_of, images, make_image, question, ways):
    store = store_of(serve(), key="secret")
    store.ensure(images)
    noted = ways()
    store.upsert("images", [make_image(n) for n in range(3)])
    ids = [make_image(n).id for n in range(3)]
    assert len(store.query("images", [question])[0]) == 3
    assert len(list(store.scroll("images", vectors=["visual"]))) == 3
    assert len(store.retrieve("images", ids, vectors=["visual"])) == 3
    assert [where for grpc, where in noted if grpc] == ["points", "points/query/batch", "points/scroll", "points"]
    noted.clear()
    store.retrieve("images", ids, vectors=[])
    store.patch_payload("images", {ids[0]: {"camera": "Leica"}})
    assert len(list(store.scroll("images"))) == store.count("images") == 3
    assert {grpc for grpc, _ in noted} == {False}


@pytest.mark.parametrize(
    ("status", "said", "expected"),
    [
        (404, "Not found: Collection `images` doesn't exist!", NotFoundError),
        (404, "Not found: No point with id 1 found", PointGoneError),
        (400, "Wrong input: Vector dimension error: expected dim: 4, got 3", SpaceMismatchError),
        (400, 'Bad request: Limit exceeded 2 > 1 for "search batch size". Help: Reduce it', TooLargeError),
        (413, "", TooLargeError),
        (401, "Must provide an API key or an Authorization bearer token", StoreError),
        (403, "Forbidden: Global manage access is required", StoreError),
        (403, "Storage locked: write is forbidden", StoreError),
        (408, "Timeout: Operation 'Search' timed out after 60s", StoreUnavailableError),
        (429, "Rate limiting exceeded: Read rate limit exceeded", StoreUnavailableError),
        (500, "Service internal error: Tonic status error: status: Unavailable", StoreUnavailableError),
        (500, "Service internal error: No space left on device", DiskFullError),
        (500, "Pre-condition failure: Shard is not ready", StoreUnavailableError),
        (503, "Shard temporarily unavailable: shard is recovering", StoreUnavailableError),
    ],
)
def test_refusals_are_those_of_rest(rest, clock, serve, store_of, images, question, status, said, expected):
    """The double answers them to REST and to gRPC, with the codes of either."""
    refused = []
    for store in (store_of(serve()), ServerStore(rest.client())):
        rest.refuse = lambda request: None
        store.ensure(images)
        answer = refusal(status, said, **{"Retry-After": "17"}) if said else httpx.Response(status, text="<html>")
        rest.refuse = lambda request, answer=answer: answer if "/points" in request.url.path else None
        with pytest.raises(expected) as caught:
            store.query("images", [question])
        assert type(caught.value) is expected
        refused.append(caught.value)
    ours, theirs = refused
    assert (ours.message, ours.retryable) == (theirs.message, theirs.retryable) or status in (413, 429)
    if status == 429:
        assert (said in ours.message, "17 s" in ours.hint) == (True, True)
    assert not any(message.startswith("The Qdrant server cannot") for message in (ours.message, theirs.message))


def test_a_collection_that_vanished_is_forgotten(rest, serve, store_of, images, make_image, question):
    store = store_of(serve())
    store.ensure(images)
    store.query("images", [question])
    rest.double.delete_collection("images-1")
    with pytest.raises(NotFoundError):
        store.query("images", [question])
    store.ensure(images)
    store.upsert("images", [make_image(1)])
    assert len(store.query("images", [question])[0]) == 1


def test_one_that_is_not_whole_yet(rest, clock, serve, store_of, images, make_image, question):
    """A node that is behind says for a second that it knows no such collection."""
    ServerStore(rest.client()).ensure(images)
    rest.settles = 1.0
    rest._made["images-1"] = (clock.now, "another")
    store = store_of(serve())
    store._collections._schemas["images-1"] = images
    store.upsert("images", [make_image(1)])
    assert clock.now - 1000 >= 1.0
    assert len(store.query("images", [question])[0]) == 1


class TestTooLong:
    @pytest.mark.parametrize("by", ["server", "proxy"])
    def test_messages_are_halved_and_it_is_remembered(self, rest, serve, store_of, images, make_image, by, ways):
        double = serve()
        if by == "server":
            double.stop()
            double.longest = 5_000
            double.start()
        else:
            rest.largest_body = 20_000
        store = store_of(double)
        store.ensure(images)
        points = [make_image(n) for n in range(60)]
        noted = ways()
        store.upsert("images", points)
        assert store.count("images") == 60
        noted.clear()
        store.upsert("images", points)
        sent = [grpc for grpc, where in noted if where == "points"]
        assert len(sent) > 1
        assert all(sent)
        assert len(double.calls) >= len(sent) * 2 - (by == "server")

    def test_answers_too(self, rest, serve, store_of, images, make_image):
        store = store_of(serve())
        store.ensure(images)
        store.upsert("images", [make_image(n) for n in range(40)])

        def refuse(request):
            asked = rest.requests[-1][2] or {}
            size = asked.get("limit", 0) if request.url.path.endswith("/scroll") else len(asked.get("ids", ()))
            return httpx.Response(413) if size > 10 and "via" in request.headers else None

        rest.refuse = refuse
        ids = sorted(make_image(n).id for n in range(40))
        assert [point.id for point in store.scroll("images", vectors=["visual"])] == ids
        assert [point.id for point in store.retrieve("images", ids, vectors=["visual"])] == ids
        rest.requests.clear()
        list(store.scroll("images", vectors=["visual"]))
        assert max(body["limit"] for body in rest.asked("POST", ".*/scroll")) <= 10, "what was learnt is remembered"
        list(store.scroll("images"))
        assert rest.asked("POST", ".*/scroll")[-1]["limit"] == 1000

    @pytest.mark.skipif(shutil.which("nginx") is None, reason="there is no nginx here")
    def test_by_a_proxy(self, rest, serve, store_of, images, make_image, tmp_path, ways):
        """nginx, whose statuses gRPC tells in words of its own. REST is asked where there is no gRPC behind it."""
        double = serve()
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        places = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        inside = "".join(f"{place}_temp_path {tmp_path}/{place}; " for place in places)
        server = (
            f"listen 127.0.0.1:{port} http2; client_max_body_size 6k; location / {{grpc_pass grpc://{double.target};}}"
        )
        conf = tmp_path / "nginx.conf"
        conf.write_text(
            f"daemon off; pid {tmp_path}/pid; events {{}} http {{access_log off; {inside} server {{{server}}}}}"
        )
        nginx = subprocess.Popen(["nginx", "-c", conf, "-p", tmp_path, "-e", tmp_path / "errors"])
        try:
            wait_for_port(port)
            store = store_of(SimpleNamespace(target=f"127.0.0.1:{port}"))
            store.ensure(images)
            noted = ways()
            store.upsert("images", [make_image(n) for n in range(60)])
            sent = [grpc for grpc, where in noted if where == "points"]
            assert len(sent) > 1
            assert all(sent)
            double.stop()  # and nginx answers 502
            noted.clear()
            store.upsert("images", [make_image(1)])
            assert (False, "points") in noted
        finally:
            nginx.terminate()
            nginx.wait()


def wait_for_port(port):
    ends = time.monotonic() + 20
    while time.monotonic() < ends:
        with contextlib.suppress(ConnectionRefusedError), socket.create_connection(("127.0.0.1", port)):
            return
        time.sleep(0.02)
