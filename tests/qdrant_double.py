"""A Qdrant server's double that listens on a port, for processes of their own, and that can be away or frozen."""

from __future__ import annotations

import threading
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx


class QdrantServer:
    """Serves what ``answer`` says (``tests/search/store/qdrant_rest.py``), one request at a time.

    Stopped and started again it keeps its port and its points. Where ``answer`` raises that it could not be reached the
    connection is closed without an answer, and where it raises a time-out the answer never comes.
    """

    def __init__(self, answer: Any) -> None:
        self._answer = answer
        self._one_at_a_time = threading.Lock()
        self._thawed = threading.Event()
        self._thawed.set()
        self._server: ThreadingHTTPServer | None = None
        self._stopped = threading.Event()
        self._connections: set[Any] = set()
        self.port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def freeze(self) -> None:
        """Take connections and requests, and answer none before :meth:`thaw`: a process that got SIGSTOP."""
        self._thawed.clear()

    def thaw(self) -> None:
        self._thawed.set()

    def start(self) -> None:
        double = self
        self._stopped.clear()

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self) -> None:
                super().setup()
                double._connections.add(self.connection)

            def finish(self) -> None:
                double._connections.discard(self.connection)
                super().finish()

            def answer(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                double._thawed.wait()
                try:
                    with double._one_at_a_time:
                        told = double._answer(httpx.Request(self.command, f"{double.url}{self.path}", content=body))
                except httpx.TransportError as error:
                    self.close_connection = True
                    if isinstance(error, httpx.TimeoutException):
                        double._stopped.wait()
                    return
                with suppress(ConnectionError):  # who asked a frozen server has gone by now
                    self.send_response(told.status_code)
                    self.send_header("Content-Type", "application/json")
                    self.send_header("Content-Length", str(len(told.content)))
                    self.end_headers()
                    self.wfile.write(told.content)

            do_GET = do_PUT = do_POST = do_PATCH = do_DELETE = answer  # noqa: N815  # names of the library

            def log_message(self, *_: object) -> None:
                pass

        ThreadingHTTPServer.allow_reuse_address = True
        ThreadingHTTPServer.daemon_threads = True
        self._server = ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self) -> None:
        """Answer nobody any more, those included who are connected."""
        self._stopped.set()
        self._thawed.set()
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None
            for connection in list(self._connections):
                connection.close()
