"""Vectors by gRPC: what goes that way, and that addresses, deadlines, limits and refusals are as by REST."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import threading
import time

import httpx
import pytest

from search.deadlines import deadline
from search.errors import (
    DiskFullError,
    NotFoundError,
    SettingsError,
    SpaceMismatchError,
    StoreError,
    StoreUnavailableError,
)
from search.settings import Settings, load_settings
from search.store.base import VectorQuery
from search.store.server.connection import make_breaker
from search.store.server.errors import PointGoneError, TooLargeError
from search.store.server.grpc_nodes import GrpcAddress, GrpcNodes, NotReachedError, grpc_addresses
from search.store.server.grpc_points import GrpcPoints
from search.store.server.points import RestPoints
from search.store.server.store import ServerStore
from web.checks import Health, run_checks

pytestmark = pytest.mark.filterwarnings("ignore:Local mode performs exact")


@pytest.fixture
def serve(rest, grpc_double):
    """Starts a double that is asked by gRPC, for a host of the double of REST."""
    doubles = []

    def make(host="qdrant.test", **options):
        doubles.append(grpc_double(rest, host, **options))
        doubles[-1].start()
        return doubles[-1]

    yield make
    for double in doubles:
        double.stop()


@pytest.fixture
def store_of(rest):
    """A store that asks these doubles in turn by gRPC, and ``rest`` by REST."""
    stores = []

    def make(*doubles, host="qdrant.test", key=None):
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
def question(images, vectors):
    return VectorQuery(images.fields[0].space, vectors(), 5, with_payload=("size",))


def refusal(status, said, **headers):
    return httpx.Response(status, json={"status": {"error": said}, "time": 0.0}, headers=headers)


def by_grpc(rest):
    """Notes of each request to ``rest`` whether it came by gRPC, and where it went."""
    noted = []
    rest.refuse = lambda request: noted.append(("via" in request.headers, request.url.path.rpartition("-1/")[2]))
    return noted


def test_what_goes_which_way(rest, serve, store_of, images, make_image, question):
    store = store_of(serve(), key="secret")
    store.ensure(images)
    noted = by_grpc(rest)
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
    def test_messages_are_halved_and_it_is_remembered(self, rest, serve, store_of, images, make_image, by):
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
        noted = by_grpc(rest)
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


class TestAway:
    def test_rest_is_asked_while_the_port_is_closed(self, serve, store_of, rest, images, make_image, question, caplog):
        double = serve()
        store = store_of(double)
        store.ensure(images)
        store.upsert("images", [make_image(1)])
        double.stop()
        noted = by_grpc(rest)
        for _ in range(2):
            assert len(store.query("images", [question])[0]) == 1
        assert {grpc for grpc, _ in noted} == {False}
        (record,) = (record for record in caplog.records if "gRPC" in record.getMessage())
        assert f"{double.target}: " in record.getMessage()
        assert "LIKEWISE_QDRANT_GRPC" in record.getMessage()
        double.start()
        ends = time.monotonic() + 20
        while noted[-1] != (True, "points/query/batch") and time.monotonic() < ends:
            store._points._nodes._not_before = 0.0  # as after REST_INSTEAD_SECONDS
            store.query("images", [question])
        assert noted[-1] == (True, "points/query/batch")

    def test_the_server_is_away_altogether(self, serve, store_of, rest, images, make_image):
        double = serve()
        store = store_of(double)
        store.ensure(images)
        double.stop()
        rest.away = {"qdrant.test"}
        with pytest.raises(StoreUnavailableError, match="cannot be reached"):
            store.upsert("images", [make_image(1)])

    def test_the_next_node_is_asked(self, serve, store_of, rest, images, make_image, question):
        one, two = serve("one"), serve("two")
        store = store_of(one, two)
        store.ensure(images)
        store.upsert("images", [make_image(1)])
        one.stop()
        assert len(store.query("images", [question])[0]) == 1
        store.upsert("images", [make_image(2)])
        assert (one.calls, two.calls) == (["points"], ["batch", "points"])
        one.start()
        two.stop()
        assert len(store.query("images", [question])[0]) == 2

    def test_one_that_dies_before_it_answers(self, serve, store_of, rest, images, make_image):
        store = store_of(serve("one"), serve("two"))
        store.ensure(images)

        def refuse(request):
            if request.url.host == "one":
                raise httpx.RemoteProtocolError("Socket closed")

        rest.refuse = refuse
        store.upsert("images", [make_image(1)])
        assert store.count("images") == 1

    @pytest.mark.parametrize("requests", [1, 2, 3])
    def test_one_that_dies_between_two_calls(self, serve, store_of, rest, images, make_image, question, requests):
        store = store_of(serve("one"), serve("two"))
        store.ensure(images)
        rest.dies_after(requests, "one")
        for n in range(3):
            store.upsert("images", [make_image(n)])
            assert len(store.query("images", [question])[0]) == n + 1


class TestFrozen:
    def test_a_request_waits_no_longer_than_its_deadline_and_others_do_not_queue(
        self, serve, store_of, images, make_image, question
    ):
        double = serve()
        store = store_of(double)
        store.ensure(images)
        store.upsert("images", [make_image(1)])
        double.freeze()
        began = time.monotonic()
        with deadline(0.3), pytest.raises(StoreUnavailableError, match="did not answer in time"):
            store.query("images", [question])
        assert time.monotonic() - began < 5
        assert store.breaker.is_open
        asking, ended = threading.Event(), threading.Event()

        def first():
            with deadline(5), store.breaker.call():  # the one request that asks
                asking.set()
                ended.wait(20)

        thread = threading.Thread(target=first)
        thread.start()
        asking.wait(20)
        with deadline(5), pytest.raises(StoreUnavailableError, match="does not answer"):
            store.query("images", [question])
        ended.set()
        thread.join()
        double.thaw()
        with deadline(5):
            assert len(store.query("images", [question])[0]) == 1
        assert not store.breaker.is_open

    def test_the_next_request_goes_to_another_node(self, serve, store_of, images, make_image):
        one, two = serve("one"), serve("two")
        store = store_of(one, two)
        store.ensure(images)
        one.freeze()
        with deadline(0.3), pytest.raises(StoreUnavailableError):
            store.upsert("images", [make_image(1)])
        store.upsert("images", [make_image(2)])
        assert two.calls == ["points"]


def test_a_forked_process_asks_by_rest(serve, store_of, rest, images, make_image, question):
    """gRPC's threads are not in it; it would wait for ever."""
    double = serve()
    store = store_of(double)
    store.ensure(images)
    store.upsert("images", [make_image(1)])
    child = os.fork()
    if child == 0:
        status = 1
        try:
            status = 0 if len(store.query("images", [question])[0]) == 1 else 2
        finally:
            os._exit(status)
    ends = time.monotonic() + 30
    while (ended := os.waitpid(child, os.WNOHANG)) == (0, 0) and time.monotonic() < ends:
        time.sleep(0.02)
    if ended == (0, 0):
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    assert ended == (child, 0)
    assert len(store.query("images", [question])[0]) == 1
    assert double.calls == ["points", "batch"]


class TestSettings:
    def addresses(self, url, grpc):
        settings = Settings.model_validate({"store": "server", "qdrant_url": url, "qdrant_grpc": grpc})
        return [address.target for address in grpc_addresses(settings)]

    def test_addresses(self):
        assert self.addresses("http://one:6333/path,http://[::1]", "off") == []
        assert self.addresses("http://one:6333/path,http://[::1]", "on") == ["one:6334", "[::1]:6334"]
        assert self.addresses("http://one,http://two", "7000") == ["one:7000", "two:7000"]
        assert self.addresses("http://one:1,http://one:2", "3, 4") == ["one:3", "one:4"]
        assert self.addresses("http://one:1,http://one:2", "on") == ["one:6334"]

    @pytest.mark.parametrize("grpc", ["1,2,3", "0", "70000", ","])
    def test_what_is_no_port(self, grpc):
        with pytest.raises(SettingsError, match="LIKEWISE_QDRANT_GRPC"):
            self.addresses("http://one,http://two", grpc)

    def test_what_is_no_setting(self):
        with pytest.raises(SettingsError, match="LIKEWISE_QDRANT_GRPC"):
            load_settings({}, {"LIKEWISE_QDRANT_GRPC": "yes"})

    def test_doctor_says_when_nothing_is_there(self, serve, monkeypatch, tmp_path, rest):
        double = serve()
        monkeypatch.setattr("search.store.open_store", lambda settings: ServerStore(rest.client()))

        def check(port):
            settings = Settings.model_validate(
                {"home": tmp_path, "store": "server", "qdrant_url": "http://127.0.0.1", "qdrant_grpc": str(port)}
            )
            return next(check for check in run_checks(settings) if check.name == "store")

        assert check(double.port).health is Health.OK
        assert double.calls == ["health"]
        double.stop()
        closed = check(double.port)
        assert closed.health is Health.WARNING
        assert f"not reached by gRPC ({double.target}: " in closed.detail
        assert "LIKEWISE_QDRANT_GRPC" in closed.hint


def test_certificates_and_key(serve, tmp_path, rest):
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("needs openssl")
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    made = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost"
    names, files = ["-addext", "subjectAltName=DNS:localhost"], ["-keyout", key, "-out", certificate]
    subprocess.run([openssl, *made.split(), *names, *files], check=True, capture_output=True)
    double = serve(tls=(key.read_bytes(), certificate.read_bytes()))

    def nodes(**settings):
        given = {"store": "server", "qdrant_url": "https://localhost:1", "qdrant_grpc": str(double.port)}
        return GrpcNodes(grpc_addresses(Settings.model_validate(given | settings)), "secret", make_breaker())

    trusting = nodes(qdrant_ca_file=certificate)
    trusting.check()
    assert double.metadata["api-key"] == "secret"
    trusting.close()
    with pytest.raises(NotReachedError, match="CERTIFICATE_VERIFY_FAILED"):
        nodes().check()
    (roots,) = {
        address.roots
        for address in grpc_addresses(
            Settings.model_validate(
                {
                    "store": "server",
                    "qdrant_url": "https://localhost",
                    "qdrant_grpc": "on",
                    "qdrant_ca_file": certificate,
                }
            )
        )
    }
    assert roots.count(b"BEGIN CERTIFICATE") > 50, "the usual authorities are trusted as well"
