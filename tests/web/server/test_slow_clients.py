"""Clients that stop reading, half-open requests and trickles take no thread, and end after a while."""

from __future__ import annotations

import re
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from .conftest import LARGE, Server, everything, everything_or_reset, head, parted, wait_for

Start = Callable[..., Server]


def paused(server: Server, request: bytes) -> socket.socket:
    """A download of which only the first bytes are taken."""
    connection = server.connect(request, buffer=4096)
    assert connection.recv(12) == b"HTTP/1.1 200"
    return connection


def test_paused_downloads_keep_no_thread(start: Start, large_file: str) -> None:
    server = start()
    for number in range(200):
        paused(server, head("GET", large_file))
        if number in {7, 199}:
            assert server.is_alive()


def test_a_request_behind_a_paused_download_keeps_no_thread(start: Start, large_file: str) -> None:
    server = start()
    for _ in range(8):
        paused(server, 2 * head("GET", large_file))
    assert server.is_alive()


def test_requests_in_one_piece_are_answered_one_after_the_other(start: Start) -> None:
    connection = start().connect(2 * head("GET", "/healthz") + head("GET", "/nothing", "Connection: close"))
    assert re.findall(rb"HTTP/1.1 (\d+)", everything(connection)) == [b"200", b"200", b"404"]


def test_half_open_requests_keep_no_thread_and_end(start: Start) -> None:
    server = start(head_seconds=1.0)
    begun = head("GET", "/api/v1/status").removesuffix(b"\r\n")
    half_open = [server.connect(begun if number % 2 else b"") for number in range(200)]
    assert server.is_alive()
    assert {everything(connection) for connection in half_open} == {b""}
    assert server.is_alive()


def trickle(connection: socket.socket, piece: bytes) -> threading.Event:
    """Send a piece again and again until the connection ends; what is set then."""
    ended = threading.Event()

    def send() -> None:
        try:
            while not ended.wait(0.02):
                connection.sendall(piece)
        except OSError:
            ended.set()

    threading.Thread(target=send, daemon=True).start()
    return ended


def test_headers_that_trickle_have_an_end(start: Start) -> None:
    server = start(head_seconds=0.3, idle_seconds=30)
    connection = server.connect(head("GET", "/healthz").removesuffix(b"\r\n"))
    assert trickle(connection, b"X: y\r\n").wait(10)
    blank = server.connect()
    assert trickle(blank, b"\r\n\r\n").wait(10)


def test_a_body_that_trickles_is_refused(start: Start) -> None:
    server = start(head_seconds=0.3, body_rate=10_000)
    slow = server.connect(head("POST", "/api/v1/similar", "Content-Length: 100000"))
    ended = trickle(slow, b"x")  # some 50 bytes a second
    status, told = parted(everything(slow))
    ended.set()
    assert status == 408
    assert b"too slowly" in told


def test_a_body_that_comes_fast_enough_is_taken(start: Start) -> None:
    server = start(head_seconds=0.3, body_rate=1000)
    body = b'{"like": [' + b" " * 9000 + b"]}"
    begun = head("POST", "/api/v1/similar", f"Content-Length: {len(body)}", "Connection: close") + body[:8000]
    connection = server.connect(begun)  # may take 8.3 s
    time.sleep(0.5)
    connection.sendall(body[8000:])
    status, told = parted(everything(connection))
    assert status == 400
    assert b"application/json" in told  # the application has had it


def test_a_reader_that_takes_nothing_is_closed(start: Start, large_file: str) -> None:
    server = start(reader_seconds=0.3)
    connection = paused(server, head("GET", large_file))
    wait_for(lambda: not server.web.active_channels)
    assert 12 + len(everything_or_reset(connection)) < LARGE


def test_a_reader_that_takes_little_by_little_is_kept(start: Start, large_file: str) -> None:
    server = start(reader_seconds=1.0)
    connection = paused(server, head("GET", large_file))
    ends = time.monotonic() + 2.0
    while time.monotonic() < ends:
        assert connection.recv(1 << 20)
        time.sleep(0.01)
    assert server.web.active_channels


def test_an_idle_connection_is_closed(start: Start) -> None:
    server = start(idle_seconds=0.3, head_seconds=30)
    connection = server.connect(head("GET", "/healthz"))
    assert everything(connection).startswith(b"HTTP/1.1 200")


def test_a_file_that_becomes_shorter_while_it_is_sent_ends_the_connection(
    start: Start, large_file: str, tmp_path: Path
) -> None:
    server = start()
    connection = paused(server, head("GET", large_file))
    with (tmp_path / "long.webm").open("r+b") as file:
        file.truncate(1000)
    assert len(everything_or_reset(connection)) < LARGE
    wait_for(lambda: not server.web.active_channels)
    assert server.is_alive()


class TestConnections:
    def test_those_that_wait_give_way(self, start: Start) -> None:
        server = start(connections=20, connections_an_address=10)
        waiting = [server.connect() for _ in range(30)]
        assert server.is_alive()
        assert everything_or_reset(waiting[0]) == b""
        assert len(server.web.active_channels) <= 10

    def test_downloads_do_not_give_way(self, start: Start, large_file: str) -> None:
        server = start(connections_an_address=3)
        for _ in range(3):
            paused(server, head("GET", large_file))
        status, told = server.ask(b"")
        assert status == 503
        assert b"Too many connections" in told

    def test_a_proxy_may_have_all_of_them(self, start: Start, large_file: str) -> None:
        server = start(connections_an_address=None, connections=10)
        for _ in range(9):
            paused(server, head("GET", large_file))
        assert server.is_alive()


def test_settings_and_open_files_bound_the_connections(make_settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from web.server import limits

    monkeypatch.setattr(limits.resource, "getrlimit", lambda _: (1024, 1024))
    monkeypatch.setattr(limits.resource, "setrlimit", lambda *_: None)
    few = limits.ServerLimits.of(make_settings(), processes=1)
    assert few.connections * limits.DESCRIPTORS + limits.OTHER_DESCRIPTORS <= 1024
    monkeypatch.setattr(limits.resource, "getrlimit", lambda _: (1024, 1 << 20))
    many = limits.ServerLimits.of(make_settings(web_proxies=1), processes=8)
    assert many.connections == limits.CONNECTIONS
    assert many.connections_an_address is None
    assert many.all_bodies == many.largest_upload + limits.OVERHEAD
