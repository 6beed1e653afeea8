"""Serve pages and API of a node from one process until a signal ends it."""

from __future__ import annotations

import json
import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType

from waitress.channel import HTTPChannel
from waitress.server import create_server
from waitress.task import ErrorTask

from ingest.node import Node
from search.errors import LikewiseError
from search.settings import Settings
from web.app import create_app
from web.auth import check_exposure
from web.running import Running, announced


class PortInUseError(LikewiseError):
    """Another program listens on the port."""

    code = "port_in_use"


def listen(settings: Settings) -> socket.socket:
    """Bind the socket of the server; done first, as all else depends on it.

    Raises:
        SettingsError: the address is public and no token is set.
        PortInUseError: the port is taken, or this user may not open it.
    """
    check_exposure(settings)
    try:
        (family, kind, protocol, _, address), *_ = socket.getaddrinfo(
            settings.host, settings.port, type=socket.SOCK_STREAM
        )
        listening = socket.socket(family, kind, protocol)
        try:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.bind(address)
        except OSError:
            listening.close()
            raise
    except OSError as error:
        raise PortInUseError(
            f"Cannot listen on {settings.host}:{settings.port}: {error.strerror}.",
            "Choose another port with --port (0 picks a free one) or LIKEWISE_PORT.",
        ) from None
    return listening


def serve(node: Node, listening: socket.socket, on_ready: Callable[[str], None]) -> None:
    """Answer requests in this thread until SIGTERM or SIGINT; then finish the requests in work and return.

    Args:
        listening: from :func:`listen`; closed at the end.
        on_ready: called with the address of the page when it can be opened.
    """
    server = create_server(
        create_app(node),
        sockets=[listening],
        threads=node.settings.web_threads,
        ident=None,
        max_request_body_size=(node.settings.max_upload_mb + 1) << 20,
        clear_untrusted_proxy_headers=not node.settings.web_proxies,
    )
    server.channel_class = _Channel
    url = address(node.settings.host, listening.getsockname()[1])
    # Both signals become KeyboardInterrupt, on which waitress ends its loop; suppressed where one arrives before or
    # after serving.
    running = Running(url, os.getpid(), node.token)
    with suppress(KeyboardInterrupt), _terminated_as_interrupted(), announced(node.settings.home, running):
        threading.Thread(target=on_ready, args=(url,), daemon=True).start()
        server.run()
    server.close()


class _ErrorTask(ErrorTask):  # type: ignore[misc]  # waitress has no types
    """Error of a request that waitress refuses before the application gets it, in the form of all errors."""

    def execute(self) -> None:
        error = self.request.error
        message, hint = f"{error.reason}: {error.body}.", ""
        if error.code == 413:
            megabytes = self.channel.server.adj.max_request_body_size // 2**20 - 1
            message = f"The upload is larger than {megabytes} MiB, the most this node takes."
            hint = "Raise LIKEWISE_MAX_UPLOAD_MB, or ingest the file by its path."
        code = "too_large" if error.code == 413 else "usage" if error.code < 500 else "error"
        body = json.dumps({"error": {"code": code, "message": message, "hint": hint}}).encode()
        self.status = f"{error.code} {error.reason}"
        self.response_headers += [("Content-Type", "application/json"), ("Connection", "close")]
        self.close_on_finish = True
        self.content_length = len(body)
        self.write(body)


class _Channel(HTTPChannel):  # type: ignore[misc]
    error_task_class = _ErrorTask


def address(host: str, port: int) -> str:
    """Address for a browser on this machine."""
    name = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)  # noqa: S104
    return f"http://{name}:{port}"


@contextmanager
def _terminated_as_interrupted() -> Iterator[None]:
    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
