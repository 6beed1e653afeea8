"""Answers for a process whose store or ledger is not there yet: it is alive, and not ready."""

from __future__ import annotations

import html
import json
import socket
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from web.api.problem import CONTENT_TYPE, problem
from web.server.limits import ServerLimits
from web.server.web_server import WebServer

RETRY_SECONDS = 5
THREADS = 2


class NotReady:
    """A WSGI application that answers 503 to everything but ``/healthz``.

    Attributes:
        message, hint: why, for people.
    """

    def __init__(self, message: str, hint: str) -> None:
        self.message, self.hint = message, hint

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        if path == "/healthz":
            body, kind, status = json.dumps({"status": "ok"}), "application/json", "200 OK"
        elif "text/html" in environ.get("HTTP_ACCEPT", ""):
            said = f"<p>{html.escape(self.message)}</p><p>{html.escape(self.hint)}</p>"
            body = f'<!doctype html><html lang="en"><title>Not ready</title><h1>Not ready yet</h1>{said}</html>'
            kind, status = "text/html; charset=utf-8", "503 Service Unavailable"
        else:
            body = json.dumps(problem(503, "store_unavailable", f"Not ready yet. {self.message}", self.hint, path))
            kind, status = CONTENT_TYPE, "503 Service Unavailable"
        content = body.encode()
        headers = [("Content-Type", kind), ("Content-Length", str(len(content))), ("Cache-Control", "no-store")]
        start_response(status, [*headers, *([] if status.startswith("2") else [("Retry-After", str(RETRY_SECONDS))])])
        return [content]


@contextmanager
def answering(
    application: NotReady, listening: socket.socket, limits: ServerLimits, on_tick: Callable[[], object]
) -> Iterator[None]:
    """In the block, requests are answered by ``application``; ``listening`` stays open.

    Args:
        on_tick: called about once a second, in another thread.
    """
    server = WebServer(application, listening.dup(), limits, threads=THREADS)
    thread = threading.Thread(target=server.run, args=(on_tick,), name="not ready", daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.stop()
        thread.join(limits.drain_seconds)
