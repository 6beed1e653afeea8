"""``likewise serve`` as a program of its own: forked processes that answer as one."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from click.testing import CliRunner
from PIL import Image

from search.settings import Settings
from web.cli import main
from web.running import FILE, find_running

pytestmark = pytest.mark.models

MODELS = {
    "LIKEWISE_IMAGE_MODEL": "efficientnet_lite0",
    "LIKEWISE_VIDEO_MODEL": "frames",
    "LIKEWISE_SOUND_MODEL": "logmel_rows",
    "LIKEWISE_DEVICE": "cpu",
}
TOKEN = "correct horse battery"


@dataclass(frozen=True)
class Served:
    home: Path
    url: str
    process: subprocess.Popen[str]

    @property
    def log(self) -> str:
        return (self.home.parent / "serve.log").read_text()

    @property
    def processes(self) -> list[int]:
        """The forked ones."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        return [int(pid) for pid in children.split()]

    def end(self, number: signal.Signals) -> int:
        self.process.send_signal(number)
        return self.process.wait(60)


Start = Callable[..., Served]


class Starter:
    """Starts servers on one data directory, and kills what is left of them.

    Args:
        folder: of the data directory and the log.
    """

    def __init__(self, folder: Path, repository: Path) -> None:
        self._folder, self._repository = folder, repository
        self._started: list[subprocess.Popen[str]] = []

    def __call__(self, *arguments: str, is_ready: bool = True, **variables: str) -> Served:
        home, log_file = self._folder / "home", self._folder / "serve.log"
        command = [sys.executable, "-m", "web.cli", "serve", "--home", str(home), "--port", "0", "--json", *arguments]
        environ = {name: value for name, value in os.environ.items() if not name.startswith("LIKEWISE_")}
        with log_file.open("w") as log:
            process = subprocess.Popen(
                command,
                cwd=self._repository,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                env=environ | MODELS | variables,
            )
        self._started.append(process)
        assert process.stdout is not None
        if not is_ready:
            while find_running(home) is None:
                assert process.poll() is None, log_file.read_text()
                time.sleep(0.05)
            return Served(home, json.loads((home / FILE).read_text())["url"], process)
        line = process.stdout.readline()
        assert line, log_file.read_text()
        return Served(home, json.loads(line).get("url", line), process)

    def kill(self) -> None:
        for process in self._started:
            process.kill()
            process.wait()


@pytest.fixture
def start(tmp_path: Path, repository: Path) -> Iterator[Start]:
    starter = Starter(tmp_path, repository)
    yield starter
    starter.kill()


@pytest.fixture(scope="module")
def public(tmp_path_factory: pytest.TempPathFactory, repository: Path) -> Iterator[Served]:
    """A server of all addresses, which asks for a token and takes files of up to 8 MiB."""
    starter = Starter(tmp_path_factory.mktemp("public"), repository)
    yield starter("--host", "0.0.0.0", LIKEWISE_TOKEN=TOKEN, LIKEWISE_MAX_UPLOAD_MB="8")
    starter.kill()


def load(path: Path) -> ModuleType:
    """A module of tests by its path, for tests are no package."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def qdrant(repository: Path) -> Iterator[Any]:
    """A running double of a Qdrant server, empty."""
    rest = load(repository / "tests" / "search" / "store" / "qdrant_rest.py").QdrantRest()
    server = load(repository / "tests" / "qdrant_double.py").QdrantServer(rest._answer)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def cluster(make_settings: Callable[..., Settings], qdrant: Any, broker: Any) -> Settings:
    """Settings of every process of a cluster with the models that come with the packages."""
    return make_settings(
        store="server",
        qdrant_url=qdrant.url,
        broker_url=broker.url,
        image_model="efficientnet_lite0",
        video_model="frames",
        token=TOKEN,
    )


@pytest.fixture
def two(start: Start, cluster: Settings) -> Served:
    """Two processes over a server's store, which ask for a token."""
    variables = {
        "LIKEWISE_STORE": "server",
        "LIKEWISE_QDRANT_URL": str(cluster.qdrant_url),
        "LIKEWISE_BROKER_URL": cluster.broker_url.get_secret_value() if cluster.broker_url else "",
        "LIKEWISE_TOKEN": TOKEN,
        "LIKEWISE_QUERY_SECONDS": "240",  # the worker's first question waits for its models, on whatever machine
    }
    return start("--processes", "2", **variables)


def raw(url: str, request: bytes) -> tuple[bytes, Any]:
    """Status line and JSON body of what is answered to these bytes."""
    address = urlsplit(url)
    with socket.create_connection((address.hostname, address.port), timeout=30) as connection:
        connection.sendall(request)
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    head, _, body = answer.partition(b"\r\n\r\n")
    return head.split(b"\r\n")[0], json.loads(body)


def check_end(served: Served, number: signal.Signals) -> None:
    """A signal ends it cleanly."""
    assert find_running(served.home) is not None
    assert served.end(number) == 0
    assert not (served.home / FILE).exists()
    assert "Traceback" not in served.log


def test_it_answers_and_is_found_by_the_command_line_until_it_is_ended(
    start: Start, make_media: Callable[..., Path]
) -> None:
    served = start()
    running = find_running(served.home)
    assert running is not None
    assert httpx.get(served.url, headers=running.headers).status_code == 200
    assert httpx.get(f"{served.url}/readyz").json()["parts"] == {"store": "ok", "ledger": "ok"}
    result = CliRunner().invoke(main, ["ingest", str(make_media()), "--json", "--home", str(served.home)])
    assert json.loads(result.stdout)["embedded"] == 9
    status = httpx.get(f"{served.url}/api/v1/status", headers=running.headers).json()
    assert status["collections"]["images"]["points"] == 9
    check_end(served, signal.SIGTERM)


def test_what_is_refused_before_the_application_sees_it_is_told_in_json(public: Served) -> None:
    url = public.url
    status, told = raw(url, b"NONSENSE\r\n\r\n")
    assert status == b"HTTP/1.1 400 Bad Request"
    assert told["error"]["code"] == "usage"
    status, told = raw(url, b"GET /" + b"x" * 9000 + b" HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
    assert status.startswith(b"HTTP/1.1 414")
    assert told["error"]["code"] == "usage"
    status, told = raw(url, b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: " + b"y" * 9000 + b"\r\n\r\n")
    assert status.startswith(b"HTTP/1.1 431")
    assert told["error"]["code"] == "usage"


def test_an_upload_far_over_the_cap_is_refused_in_json(public: Served, tmp_path: Path) -> None:
    big = tmp_path / "big.jpg"
    with big.open("wb") as file:
        file.truncate(100 << 20)
    result = CliRunner().invoke(main, ["similar", str(big), "--json", "--home", str(public.home)])
    error = json.loads(result.stdout)["error"]
    assert error["code"] == "too_large"
    assert "8 MiB" in error["message"]


def test_forwarded_headers_are_not_believed_unless_told(public: Served) -> None:
    """A client that says it is another one would get round the throttle, and one that says https a wrong origin."""
    url = public.url
    for number in range(11):
        headers = {"Authorization": f"Bearer wrong-{number}", "X-Forwarded-For": f"10.0.0.{number}"}
        last = httpx.get(f"{url}/api/v1/status", headers=headers)
    assert last.status_code == 429


def test_proxies_that_are_declared_are_believed_until_it_is_interrupted(start: Start) -> None:
    served = start("--host", "0.0.0.0", LIKEWISE_TOKEN=TOKEN, LIKEWISE_WEB_PROXIES="1")
    url = served.url
    for number in range(11):
        headers = {"Authorization": f"Bearer wrong-{number}", "X-Forwarded-For": f"10.0.0.{number}"}
        last = httpx.get(f"{url}/api/v1/status", headers=headers)
    assert last.status_code == 401
    check_end(served, signal.SIGINT)


def test_several_processes_are_one_to_whoever_asks(two: Served) -> None:
    """Logged in once, with one form token, whichever of them answers; and Prometheus gets the counts of both."""
    assert len(two.processes) == 2
    with httpx.Client(base_url=two.url) as client:
        page = client.get("/login").text
        form_token = re.search(r'name="form_token" value="([^"]+)"', page)
        assert form_token
        form = {"token": TOKEN, "form_token": form_token[1], "next": "/"}
        assert client.post("/login", data=form, headers={"Origin": two.url}).status_code == 303
        cookies = dict(client.cookies)
    asked = 24
    for _ in range(asked):  # a connection of its own each, so that both processes get some
        assert httpx.get(f"{two.url}/status", cookies=cookies).status_code == 200
        assert httpx.get(f"{two.url}/api/v1/search?q=x", cookies=cookies).status_code == 200
    running = find_running(two.home)
    assert running is not None
    for _ in range(4):
        scrape = httpx.get(f"{two.url}/metrics", headers=running.headers).text
        assert f'likewise_question_seconds_count{{question="words"}} {asked}.0' in scrape


def test_an_upload_is_remembered_by_every_process(
    two: Served, cluster: Settings, start_worker: Callable[..., Any], tmp_path: Path
) -> None:
    start_worker(cluster, light=False)
    picture = tmp_path / "red.png"
    Image.new("RGB", (64, 64), "red").save(picture)
    running = find_running(two.home)
    assert running is not None
    with picture.open("rb") as file:
        sent = httpx.post(f"{two.url}/look", files={"file": file}, headers=running.headers, timeout=240)
    assert sent.status_code == 303, sent.text
    for _ in range(12):
        page = httpx.get(f"{two.url}{sent.headers['Location']}", headers=running.headers)
        assert page.status_code == 200
        assert "no longer remembered" not in page.text


def test_a_process_that_dies_is_replaced(two: Served) -> None:
    first = two.processes
    os.kill(first[0], signal.SIGKILL)
    deadline = time.monotonic() + 60
    while len([pid for pid in two.processes if pid not in first]) != 1:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert httpx.get(f"{two.url}/healthz").status_code == 200
    assert two.end(signal.SIGTERM) == 0


def test_the_processes_end_with_the_one_that_forked_them(start: Start) -> None:
    served = start()
    (forked,) = served.processes
    served.process.kill()
    served.process.wait()
    deadline = time.monotonic() + 60
    while Path(f"/proc/{forked}").exists() and Path(f"/proc/{forked}/cmdline").read_bytes():  # empty: a zombie
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_until_its_store_is_there_it_is_alive_and_not_ready(start: Start, qdrant: Any) -> None:
    qdrant.stop()
    variables = {"LIKEWISE_STORE": "server", "LIKEWISE_QDRANT_URL": qdrant.url, "LIKEWISE_TOKEN": TOKEN}
    served = start(is_ready=False, **variables)
    assert httpx.get(f"{served.url}/healthz").json() == {"status": "ok"}
    ready = httpx.get(f"{served.url}/readyz")
    assert (ready.status_code, ready.json()["code"]) == (503, "store_unavailable")
    page = httpx.get(served.url, headers={"Accept": "text/html"})
    assert page.status_code == 503
    assert page.headers["Retry-After"]
    assert "Not ready yet" in page.text
    qdrant.start()
    assert served.process.stdout is not None
    assert json.loads(served.process.stdout.readline())["url"] == served.url
    assert httpx.get(f"{served.url}/readyz").status_code == 200
    assert served.end(signal.SIGTERM) == 0
    assert served.log.count("Not ready until that works.") == 1


def test_a_store_that_is_away_is_told_at_once_where_waiting_is_not_wanted(tmp_path: Path, repository: Path) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        qdrant = f"http://127.0.0.1:{unused.getsockname()[1]}"
    command = [sys.executable, "-m", "web.cli", "serve", "--home", str(tmp_path / "home"), "--port", "0", "--json"]
    command += ["--wait", "0"]
    environ = {name: value for name, value in os.environ.items() if not name.startswith("LIKEWISE_")}
    variables = {"LIKEWISE_STORE": "server", "LIKEWISE_QDRANT_URL": qdrant}
    done = subprocess.run(
        command, cwd=repository, capture_output=True, text=True, env=environ | variables, check=False, timeout=120
    )
    assert done.returncode == 3, done.stderr
    assert json.loads(done.stdout)["error"]["code"] == "store_unavailable"
    assert not (tmp_path / "home" / FILE).exists()


class TestRefusals:
    """Before anything is made."""

    def refused(self, tmp_path: Path, *arguments: str) -> Any:
        result = CliRunner().invoke(main, ["serve", *arguments, "--json", "--home", str(tmp_path / "home")])
        assert result.exit_code == 2
        assert not (tmp_path / "home").exists()
        return json.loads(result.stdout)["error"]

    def test_an_embedded_store_has_one_owner(self, tmp_path: Path) -> None:
        error = self.refused(tmp_path, "--processes", "2")
        assert "embedded store" in error["message"]
        assert "LIKEWISE_STORE=server" in error["hint"]

    def test_several_processes_need_a_broker(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("LIKEWISE_STORE", "server")
        monkeypatch.setenv("LIKEWISE_QDRANT_URL", "http://127.0.0.1:9")
        assert "LIKEWISE_BROKER_URL" in self.refused(tmp_path, "--processes", "2")["hint"]

    def test_a_public_address_needs_a_token(self, tmp_path: Path) -> None:
        assert "LIKEWISE_TOKEN" in self.refused(tmp_path, "--host", "0.0.0.0")["hint"]
