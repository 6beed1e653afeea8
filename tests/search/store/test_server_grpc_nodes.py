"""Nodes that are asked by gRPC: away, frozen, behind TLS, in a forked process, and named by settings."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import threading
import time
import uuid

import httpx
import pytest

from search.deadlines import deadline
from search.errors import SettingsError, StoreUnavailableError
from search.settings import Settings, load_settings
from search.store.base import Point
from search.store.server.connection import make_breaker
from search.store.server.grpc_nodes import GrpcNodes, NotReachedError, grpc_addresses
from search.store.server.store import ServerStore
from web.checks.result import Health
from web.checks.run import run_checks

pytestmark = pytest.mark.filterwarnings("ignore:Local mode performs exact")


class TestAway:
    def test_rest_is_asked_while_the_port_is_closed(
        self, serve, store_of, rest, images, make_image, question, caplog, ways
    ):
        double = serve()
        store = store_of(double)
        store.ensure(images)
        store.upsert("images", [make_image(1)])
        double.stop()
        noted = ways()
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

    def test_vectors_of_each_form_are_the_same_by_either_way(
        self, serve, store_of, rest, tagged, videos, make_image, vectors, weights
    ):
        """Those that REST was given instead are read by gRPC, and the other way round."""
        open_, closed = serve(), serve()
        closed.stop()
        by_grpc, by_rest = store_of(open_), store_of(closed)
        wanted = {"images": [], "videos": []}
        for n, store in enumerate((by_grpc, by_rest)):
            for schema in (tagged, videos):
                store.ensure(schema)
            pictures = make_image(n, duration=2.0, features=(0.0, None, 1 / 7), tags=("日本",))
            pictures.vectors["concepts"] = weights({3: 0.5, 39: 1.25})
            film = Point(str(uuid.UUID(int=n + 1)), {"visual": vectors(3, seed=n), "sound_raw": vectors(1, 8, n)}, {})
            store.upsert("images", [pictures])
            store.upsert("videos", [film])
            wanted["images"].append(pictures.id)
            wanted["videos"].append(film.id)
        for collection, names in (("images", ["visual", "concepts"]), ("videos", ["visual", "sound_raw"])):
            read = [store.retrieve(collection, wanted[collection], vectors=names) for store in (by_grpc, by_rest)]
            for one, other in zip(*read, strict=True):
                assert (one.id, one.payload, one.checksums) == (other.id, other.payload, other.checksums)
                assert one.checksums
                assert {name: vector.tobytes() for name, vector in one.vectors.items()} == {
                    name: vector.tobytes() for name, vector in other.vectors.items()
                }
                assert set(one.vectors) == set(names)
        assert "points" in open_.calls

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
