"""The server on a loopback socket, in a thread of this process, with deadlines of fractions of a second."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from search.media import Kind, MediaRecord, media_id
from search.store.base import Point
from web.app import create_app
from web.server.limits import MIB, ServerLimits
from web.server.web_server import WebServer

TOKEN = "own-token"
ALIVE_SECONDS = 10.0
"""A busy machine answers within them; a server whose threads are all kept does not."""

LARGE = 64 << 20
"""Bytes of a file of which the buffers of a connection hold only a part."""

Application = Callable[[dict[str, Any], Any], Iterable[bytes]]


@dataclass(frozen=True)
class Server:
    """A server that runs until the test ends, or :meth:`stop`."""

    web: WebServer
    port: int
    thread: threading.Thread
    opened: ExitStack

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def connect(self, sent: bytes = b"", *, buffer: int = 0) -> socket.socket:
        """A connection on which ``sent`` has been sent; ``buffer`` makes the system keep no more for a slow reader."""
        connection = self.opened.enter_context(socket.socket())
        connection.settimeout(30)
        if buffer:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        connection.connect(("127.0.0.1", self.port))
        connection.sendall(sent)
        return connection

    def ask(self, sent: bytes) -> tuple[int, bytes]:
        """Status and body of the answer to one request, after which the server closes the connection."""
        return parted(everything(self.connect(sent)))

    def get(self, path: str, **headers: str) -> httpx.Response:
        sent = {"Authorization": f"Bearer {TOKEN}"} | {name.replace("_", "-"): text for name, text in headers.items()}
        return httpx.get(self.url + path, headers=sent, timeout=30, trust_env=False)

    def is_alive(self) -> bool:
        """Whether a health check and a search are answered in time."""
        for path in ("/healthz", "/api/v1/search?q=forest"):
            headers = {"Authorization": f"Bearer {TOKEN}"}
            assert httpx.get(self.url + path, headers=headers, timeout=ALIVE_SECONDS, trust_env=False).is_success
        return True

    def stop(self) -> None:
        self.web.stop()
        self.thread.join(30)
        assert not self.thread.is_alive()


def everything(connection: socket.socket) -> bytes:
    """What is sent until the connection is closed."""
    return b"".join(iter(lambda: connection.recv(1 << 16), b""))


def everything_or_reset(connection: socket.socket) -> bytes:
    taken = b""
    try:
        while piece := connection.recv(1 << 20):
            taken += piece
    except ConnectionResetError:
        pass
    return taken


def wait_for(condition: Callable[[], bool], seconds: float = 10.0) -> None:
    ends = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < ends
        time.sleep(0.02)


def parted(answer: bytes) -> tuple[int, bytes]:
    head, _, body = answer.partition(b"\r\n\r\n")
    return int(head.split()[1]), body


def head(method: str, path: str, *fields: str, token: str | None = TOKEN) -> bytes:
    """The head of a request."""
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", *fields]
    lines += [f"Authorization: Bearer {token}"] if token else []
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


@pytest.fixture
def start(make_node: Callable[..., Any]) -> Iterator[Callable[..., Server]]:
    """Starts a server of the library; keywords are limits."""
    with ExitStack() as stack:

        def start(application: Application | None = None, *, threads: int = 8, **limits: Any) -> Server:
            granted = {
                "largest_upload": 8 * MIB,
                "all_bodies": 24 * MIB,
                "tick": 0.05,
                "drain_head_seconds": 0.1,
            } | limits
            app = application or create_app(make_node(max_upload_mb=8, web_threads=threads)).wsgi_app
            listening = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
            web = WebServer(app, listening, ServerLimits(**granted), threads=threads)
            thread = threading.Thread(target=web.run, daemon=True)
            server = Server(web, listening.getsockname()[1], thread, stack.enter_context(ExitStack()))
            stack.callback(server.stop)
            thread.start()
            return server

        yield start


@pytest.fixture
def large_file(library: Any, tmp_path: Path) -> Iterator[str]:
    """Path of a stored video that takes long to send."""
    path = tmp_path / "long.webm"
    with path.open("wb") as file:
        file.truncate(LARGE)
    record = MediaRecord(media_id(str(path)), Kind.VIDEO, (str(path),), size=LARGE, mime="video/webm")
    library.store.upsert("videos", [Point(record.id, {}, record.to_payload())])
    yield f"/media/{record.id}/file"
    library.store.delete("videos", [record.id])
