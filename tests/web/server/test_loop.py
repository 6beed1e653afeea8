"""The loop sleeps while threads answer."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from typing import Any

import pytest
from waitress import wasyncore

from .conftest import Server, head, wait_for

CHUNK = bytes(1 << 16)
SECONDS = 0.5


@pytest.fixture
def polls(monkeypatch: pytest.MonkeyPatch) -> list[None]:
    """One entry for each turn of a loop."""
    turns: list[None] = []
    poll = wasyncore.poll2

    def counted(*arguments: Any) -> Any:
        turns.append(None)
        return poll(*arguments)

    monkeypatch.setattr(wasyncore, "poll2", counted)
    return turns


def test_it_does_not_turn_round_while_a_thread_sends(start: Callable[..., Server], polls: list[None]) -> None:
    """As where that thread waits for its turn with the interpreter, which the loop would keep from it."""
    go_on = threading.Event()

    def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        start_response("200 OK", [("Content-Length", str(2 * len(CHUNK)))])
        yield CHUNK
        go_on.wait(30)
        yield CHUNK

    server = start(application, tick=60.0)
    connection = server.connect(head("GET", "/", "Connection: close"))
    wait_for(lambda: len(server.web.active_channels) == 1)
    (channel,) = server.web.active_channels.values()
    wait_for(lambda: bool(channel.requests))
    with channel.outbuf_lock:
        channel.total_outbufs_len += 1
        server.web.pull_trigger()
        before = len(polls)
        go_on.wait(SECONDS)
        turns = len(polls) - before
        channel.total_outbufs_len -= 1
    go_on.set()
    taken = 0
    while piece := connection.recv(1 << 16):
        taken += len(piece)
    assert taken > 2 * len(CHUNK)
    assert turns < 10
