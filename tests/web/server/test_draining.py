"""A server that is told to stop answers what is in work, and ends within its time."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any

import pytest

from .conftest import Server, everything, everything_or_reset, head, parted, wait_for

Start = Callable[..., Server]

LONG = 8 << 20
"""Bytes of an answer that no buffer of the system holds."""


class Slow:
    """An application whose answers wait for a test."""

    def __init__(self) -> None:
        self.asked = 0
        self.go_on = threading.Event()

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        self.asked += 1
        self.go_on.wait(30)
        start_response("200 OK", [("Content-Length", str(LONG))])
        return [bytes(LONG)]


@pytest.fixture
def slow() -> Slow:
    return Slow()


def test_every_request_in_flight_is_answered(start: Start, slow: Slow) -> None:
    server = start(slow, threads=8, drain_seconds=30, drain_head_seconds=10)
    asked = [server.connect(head("GET", "/")) for _ in range(16)]
    wait_for(lambda: slow.asked == 8)
    wait_for(lambda: len(server.web.task_dispatcher.queue) == 8)
    server.web.stop()
    slow.go_on.set()
    for connection in asked:
        status, body = parted(everything(connection))
        assert (status, len(body)) == (200, LONG)
    server.thread.join(10)
    assert not server.thread.is_alive()


def test_it_says_that_the_connection_ends(start: Start, slow: Slow) -> None:
    server = start(slow, drain_seconds=30, drain_head_seconds=10)
    before, meanwhile = server.connect(head("GET", "/")), server.connect(head("GET", "/").removesuffix(b"\r\n"))
    wait_for(lambda: slow.asked == 1)
    server.web.stop()
    wait_for(lambda: not is_listening(server))
    meanwhile.sendall(b"\r\n")
    slow.go_on.set()
    assert b"Connection: close" in everything(meanwhile)[:500]
    assert parted(everything(before))[0] == 200


def is_listening(server: Server) -> bool:
    try:
        socket.create_connection(("127.0.0.1", server.port), 5).close()
    except ConnectionRefusedError:
        return False
    return True


def test_idle_connections_and_half_open_requests_do_not_delay_it(start: Start) -> None:
    server = start(drain_seconds=30, drain_head_seconds=0.2)
    idle, half = server.connect(head("GET", "/healthz")), server.connect(b"GET / HTTP/1.1\r\n")
    assert idle.recv(12) == b"HTTP/1.1 200"
    began = time.monotonic()
    server.stop()
    assert time.monotonic() - began < 10
    assert everything_or_reset(half) == b""


def test_it_does_not_wait_for_ever(start: Start, slow: Slow) -> None:
    server = start(slow, drain_seconds=0.3)
    connection = server.connect(head("GET", "/"))
    wait_for(lambda: slow.asked == 1)
    began = time.monotonic()
    server.stop()
    assert time.monotonic() - began < 10
    assert everything_or_reset(connection) == b""
    slow.go_on.set()
