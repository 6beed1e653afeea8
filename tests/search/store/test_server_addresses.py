"""Several addresses of a Qdrant server, ports that are not named, certificates and keys."""

from __future__ import annotations

import shutil
import ssl
import subprocess
import threading
import warnings
from http.server import BaseHTTPRequestHandler, HTTPServer

import httpx
import pytest

from search.errors import SettingsError, StoreError, StoreUnavailableError
from search.settings import Settings, load_settings
from search.store import open_store
from search.store.server.connection import Nodes, addresses_of, make_client
from search.store.server.store import ServerStore
from search.store.server.timing import CONNECT_SECONDS
from web.checks.result import Health
from web.checks.run import run_checks

pytestmark = pytest.mark.filterwarnings("error:Api key is used with an insecure connection")


@pytest.fixture
def make_store(rest):
    """A store as commands open it, over the double."""

    def make(url, **settings):
        client = make_client(Settings.model_validate({"store": "server", "qdrant_url": url} | settings))
        client.http.client._client._transport = rest.transport()
        client.http.client._client._mounts = {}
        return ServerStore(client)

    return make


class TestSeveral:
    ADDRESSES = "http://one:6333, http://two:6333,http://three:6333/path/"

    def hosts(self, rest):
        asked = []
        rest.refuse = lambda request: asked.append((request.url.host, request.headers["Host"], request.url.path))
        return asked

    def test_the_next_one_is_asked_when_one_is_away(self, rest, make_store, images, make_image):
        store = make_store(self.ADDRESSES)
        store.ensure(images)
        asked = self.hosts(rest)
        rest.away = {"one"}
        store.upsert("images", [make_image(1)])
        assert asked[0][0] == "one"
        assert {host for host, _, _ in asked[1:]} == {"two"}, "whoever answered is asked again"
        rest.away = {"two"}
        asked.clear()
        rest.refuse = lambda request: asked.append((request.url.host, request.headers["Host"], request.url.path))
        with pytest.raises(Exception, match="404"):
            store.count("images")  # the double knows no path before its own
        assert asked[-1] == ("three", "three:6333", "/path/collections/images-1/points/count")

    @pytest.mark.parametrize("requests", range(1, 40, 6))
    def test_a_node_that_dies_between_two_calls(self, rest, make_store, images, make_image, requests):
        store = make_store("http://one:6333,http://two:6333")
        rest.dies_after(requests, "one")
        store.ensure(images)
        store.upsert("images", [make_image(1)])
        store.promote(store.begin_generation(images))
        assert store.count("images.1") == 1

    def test_one_that_dies_before_it_answers(self, rest, make_store, images, make_image):
        store = make_store("http://one:6333,http://two:6333")
        store.ensure(images)

        def refuse(request):
            if request.url.host == "one":
                raise httpx.RemoteProtocolError("Server disconnected without sending a response.", request=request)

        rest.refuse = refuse
        store.upsert("images", [make_image(1)])
        assert store.count("images") == 1

    def test_one_that_never_answers_is_not_asked_next(self, rest, make_store, images):
        store = make_store("http://one:6333,http://two:6333")
        store.ensure(images)
        rest.frozen = {"one"}
        with pytest.raises(StoreUnavailableError, match="did not answer in time"):
            store.count("images")
        assert store.count("images") == 0

    def test_all_are_away(self, rest, make_store):
        store = make_store(self.ADDRESSES)
        rest.away = {"one", "two", "three"}
        with pytest.raises(StoreUnavailableError) as caught:
            store.collections()
        for address in ("http://one:6333", "http://two:6333", "http://three:6333/path"):
            assert f"{address} ([Errno 111] Connection refused)" in caught.value.message

    def test_connecting_has_a_timeout_of_its_own(self):
        seen = []
        request = httpx.Request("GET", "http://one:6333/aliases", extensions={"timeout": {"connect": 60, "read": 60}})

        def send(request):
            seen.append(request.extensions["timeout"])
            return httpx.Response(200)

        Nodes(["http://one:6333"])(request, send)
        assert [seen[0]["connect"], seen[0]["read"]] == [CONNECT_SECONDS, 60]


@pytest.mark.parametrize(
    ("url", "addresses"),
    [
        ("http://host", ["http://host:6333"]),
        ("http://host/path/", ["http://host:6333/path"]),
        ("https://host", ["https://host:6333", "https://host:443"]),
        ("https://host/", ["https://host:6333", "https://host:443"]),
        ("https://host/path", ["https://host:443/path"]),
        ("https://host:8443/path", ["https://host:8443/path"]),
        ("http://[::1]", ["http://[::1]:6333"]),
        ("http://a:1,https://b/c", ["http://a:1", "https://b:443/c"]),
    ],
)
def test_ports_that_are_not_named(url, addresses):
    settings = Settings.model_validate({"store": "server", "qdrant_url": url})
    assert addresses_of(settings.qdrant_urls) == addresses


@pytest.mark.parametrize("url", ["http://one:6333,two", "ftp://one", "http://one,http://user:secret@two", " , "])
def test_what_is_no_list_of_addresses(url):
    with pytest.raises(SettingsError) as caught:
        load_settings({}, {"LIKEWISE_STORE": "server", "LIKEWISE_QDRANT_URL": url})
    assert "secret@" not in str(caught.value)


class TestKey:
    @pytest.mark.parametrize(
        ("url", "warned"),
        [
            ("http://10.0.0.1:6333", True),
            ("https://one,http://two", True),
            ("http://127.0.0.1:6333", False),
            ("http://localhost", False),
            ("https://one", False),
        ],
    )
    def test_that_anybody_on_the_way_can_read(self, url, warned):
        settings = Settings.model_validate({"store": "server", "qdrant_url": url, "qdrant_api_key": "secret"})
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            make_client(settings).close()
        assert (settings.qdrant_key_in_the_open is not None) == warned
        assert settings.model_copy(update={"qdrant_api_key": None}).qdrant_key_in_the_open is None

    def test_is_sent(self, rest, make_store):
        keys = []
        rest.refuse = lambda request: keys.append(request.headers["api-key"])
        make_store("http://one", qdrant_api_key="secret").collections()
        assert set(keys) == {"secret"}

    def test_doctor_says_so(self, tmp_path, monkeypatch, rest, make_store):
        settings = Settings.model_validate(
            {"home": tmp_path, "store": "server", "qdrant_url": "http://one", "qdrant_api_key": "secret"}
        )
        monkeypatch.setattr("search.store.open_store", lambda settings: make_store("http://one"))
        check = next(check for check in run_checks(settings) if check.name == "store")
        assert check.health is Health.WARNING
        assert "http://one without encryption" in check.detail


class TestCertificates:
    @pytest.fixture
    def served(self, tmp_path):
        """The address of a server with a certificate that it signed itself, and the certificate."""
        openssl = shutil.which("openssl")
        if openssl is None:
            pytest.skip("needs openssl")
        key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
        made = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost"
        names = ["-addext", "subjectAltName=DNS:localhost"]
        files = ["-keyout", key, "-out", certificate]
        subprocess.run([openssl, *made.split(), *names, *files], check=True, capture_output=True)

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                body = b'{"result": {"aliases": []}, "status": "ok", "time": 0}'
                known = self.path == "/aliases"
                self.send_response(200 if known else 404)
                self.send_header("Content-Length", str(len(body) if known else 0))
                self.end_headers()
                self.wfile.write(body if known else b"")

            def log_message(self, *_):
                pass

        server = HTTPServer(("127.0.0.1", 0), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield f"https://localhost:{server.server_address[1]}", certificate
        server.shutdown()
        server.server_close()

    def test_one_of_your_own(self, served):
        url, certificate = served
        client = make_client(
            Settings.model_validate({"store": "server", "qdrant_url": url, "qdrant_ca_file": certificate})
        )
        assert client.get_aliases().aliases == []
        client.close()
        with pytest.raises(StoreError, match=r"not trusted.*LIKEWISE_QDRANT_CA_FILE") as caught:
            open_store(Settings.model_validate({"store": "server", "qdrant_url": url}))
        assert not caught.value.retryable

    @pytest.mark.parametrize("content", [None, "no certificate"])
    def test_a_file_that_holds_none(self, tmp_path, content):
        file = tmp_path / "authority.pem"
        if content is not None:
            file.write_text(content)
        variables = {
            "LIKEWISE_STORE": "server", "LIKEWISE_QDRANT_URL": "https://one", "LIKEWISE_QDRANT_CA_FILE": str(file)
        }  # fmt: skip
        with pytest.raises(SettingsError, match=r"LIKEWISE_QDRANT_CA_FILE names '.*authority.pem'"):
            open_store(load_settings({}, variables))
