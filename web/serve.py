"""Serve pages and API of a node from this process until a signal ends it."""

from __future__ import annotations

import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType

from ingest.node import Node
from search.errors import LikewiseError
from search.settings import Settings
from web.app import create_app
from web.auth import check_exposure
from web.running import Running, announced
from web.server.limits import ServerLimits
from web.server.web_server import WebServer


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

    A second SIGINT ends it at once.

    Args:
        listening: from :func:`listen`; closed at the end.
        on_ready: called with the address of the page when it can be opened.
    """
    url = address(node.settings.host, listening.getsockname()[1])
    server = make_server(node, listening, processes=1)
    running = Running(url, os.getpid(), node.token)
    # Suppressed also where a signal arrives just before or after serving.
    with (
        suppress(KeyboardInterrupt),
        ended_by_signals(server, node, signal.SIGTERM, signal.SIGINT),
        announced(node.settings.home, running),
    ):
        threading.Thread(target=on_ready, args=(url,), daemon=True).start()
        server.run()


def make_server(node: Node, listening: socket.socket, processes: int) -> WebServer:
    """The server of a node, which answers once it runs.

    Args:
        processes: that accept from the same socket.
    """
    settings = node.settings
    return WebServer(
        create_app(node),
        listening,
        ServerLimits.of(settings, processes),
        threads=settings.web_threads,
        behind_proxy=settings.web_proxies > 0,
        is_shared=processes > 1,
    )


def address(host: str, port: int) -> str:
    """Address for a browser on this machine."""
    name = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)  # noqa: S104
    return f"http://{name}:{port}"


@contextmanager
def ended_by_signals(server: WebServer, node: Node, *signals: signal.Signals) -> Iterator[None]:
    """In the block, these signals let the server finish; the job in work is stopped at once, not after the last answer,
    and so are streams of progress. A second SIGINT interrupts the block."""

    def end(number: int, frame: FrameType | None) -> None:
        if server.is_stopping and number == signal.SIGINT:
            raise KeyboardInterrupt
        if not server.is_stopping:
            threading.Thread(target=node.halt).start()
        server.stop()

    before = {number: signal.signal(number, end) for number in signals}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
