"""No body is received before its sender is known, and none that is too large or finds no room."""

from __future__ import annotations

import errno
import os
import re
import socket
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from flask.testing import FlaskClient
from waitress import buffers

from web.server.limits import MIB

from .conftest import Server, everything, head, parted, wait_for

Start = Callable[..., Server]

UPLOAD = ("Content-Type: multipart/form-data; boundary=x",)
JSON = ("Content-Type: application/json",)


def spooled() -> int:
    """Bytes in files of this process that have no name, as those have to which waitress writes large bodies."""
    sizes = 0
    for link in Path("/proc/self/fd").iterdir():
        try:
            if str(link.readlink()).endswith("(deleted)"):
                sizes += link.stat().st_size
        except OSError:
            continue
    return sizes


def first_answer(connection: socket.socket) -> tuple[int, bytes]:
    """The answer to a request whose body has not been sent."""
    answer = b""
    while b"\r\n\r\n" not in answer or len(answer.partition(b"\r\n\r\n")[2]) < length(answer):
        answer += connection.recv(1 << 16)
    return parted(answer)


def length(answer: bytes) -> int:
    found = re.search(rb"Content-Length: (\d+)", answer)
    return int(found[1]) if found else 0


def test_bodies_of_strangers_are_not_received(start: Start) -> None:
    server = start(largest_upload=250 * MIB, all_bodies=1000 * MIB)
    memory, disk = psutil.Process().memory_info().rss, spooled()
    fields = (*UPLOAD, f"Content-Length: {8 * MIB}")
    strangers = [server.connect(head("POST", "/look", *fields, token=None)) for _ in range(20)]
    for stranger in strangers:
        status, told = first_answer(stranger)
        assert (status, b"needs a token" in told) == (401, True)
        stranger.sendall(bytes(4 * MIB))
    assert spooled() == disk
    assert psutil.Process().memory_info().rss - memory < 20 * MIB
    assert server.is_alive()


@pytest.mark.parametrize(
    ("method", "path", "fields", "token", "expected"),
    [
        ("POST", "/look", (*UPLOAD, f"Content-Length: {100 * MIB}"), "own-token", 413),
        ("POST", "/api/v1/nothing", (*JSON, "Content-Length: 90000"), "own-token", 404),
        ("POST", "/api/v1/search", (*JSON, "Content-Length: 90000"), "own-token", 405),
        ("POST", "/api/v1/similar", (*JSON, f"Content-Length: {2 * MIB}"), "own-token", 413),
        ("POST", "/api/v1/similar", (*UPLOAD, f"Content-Length: {2 * MIB}"), None, 401),
        ("POST", "/api/v1/similar", (*UPLOAD, "Transfer-Encoding: chunked"), None, 401),
        ("POST", "/look", (*UPLOAD, "Origin: http://evil.example", "Content-Length: 90000"), None, 403),
        ("POST", "/look", (*UPLOAD, "Host: evil.example", "Content-Length: 90000"), None, 403),
        ("POST", "/login", (f"Content-Length: {MIB}",), None, 413),
        ("GET", "/healthz", (f"Content-Length: {MIB}",), None, 413),
        ("POST", "/api/v1/similar", ("Content-Length: " + "9" * 5000,), None, 400),
    ],
)
def test_the_headers_alone_are_refused(
    start: Start, method: str, path: str, fields: tuple[str, ...], token: str | None, expected: int
) -> None:
    assert first_answer(start().connect(head(method, path, *fields, token=token)))[0] == expected


def test_a_body_that_comes_without_being_asked_for_is_bounded_too(client: FlaskClient) -> None:
    """As by the command line's own node, and by other servers."""
    answer = client.post("/api/v1/similar", data=b"{}".ljust(MIB + 1), content_type="application/json")
    assert (answer.status_code, answer.json["error"]["code"]) == (413, "too_large")
    assert "1024 KiB" in answer.json["error"]["message"]
    many = {"paths": [f"/nowhere/{number:06}" for number in range(70_000)]}
    assert client.post("/api/v1/jobs", json=many).json["error"]["code"] == "not_found"


def test_a_label_table_may_be_long(start: Start) -> None:
    body = b'{"from": "csv", "table": "' + b"x" * 2 * MIB + b'", "of": "all"}'
    connection = start().connect(
        head("POST", "/api/v1/photographers/label", *JSON, f"Content-Length: {len(body)}", "Connection: close")
    )
    connection.sendall(body)
    status, told = parted(everything(connection))
    assert (status, b"takes 'of' or 'undo'" in told) == (400, True)


def test_chunks_are_counted(start: Start) -> None:
    connection = start().connect(head("POST", "/api/v1/similar", *JSON, "Transfer-Encoding: chunked"))
    for _ in range(3):
        connection.sendall(b"80000\r\n" + bytes(0x80000) + b"\r\n")
    assert first_answer(connection)[0] == 413


def test_the_line_before_a_chunk_is_short(start: Start) -> None:
    server = start()
    connection = server.connect(head("POST", "/api/v1/similar", *UPLOAD, "Transfer-Encoding: chunked"))
    connection.sendall(b"1" * 100_000)
    assert first_answer(connection)[0] == 400


@pytest.mark.parametrize("pieces", [1, 2, 50])
def test_a_body_may_come_in_pieces(start: Start, pieces: int) -> None:
    body = b'{"nothing": 1}' + b" " * 100_000
    connection = start().connect(
        head("POST", "/api/v1/similar", *JSON, f"Content-Length: {len(body)}", "Connection: close")
    )
    step = -(-len(body) // pieces)
    for at in range(0, len(body), step):
        connection.sendall(body[at : at + step])
    status, told = parted(everything(connection))
    assert (status, b"no parameter 'nothing'" in told) == (400, True)


def test_who_asks_first_is_told_to_go_on(start: Start) -> None:
    server = start()
    fields = (*JSON, "Expect: 100-continue", "Content-Length: 14", "Connection: close")
    connection = server.connect(head("POST", "/api/v1/similar", *fields))
    assert connection.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
    connection.sendall(b'{"nothing": 1}')
    assert parted(everything(connection))[0] == 400
    assert first_answer(server.connect(head("POST", "/api/v1/similar", *fields, token=None)))[0] == 401


def test_all_bodies_together_have_an_end(start: Start) -> None:
    server = start(all_bodies=10 * MIB)
    request = head("POST", "/api/v1/similar", *UPLOAD, f"Content-Length: {7 * MIB}")
    one = server.connect(request)
    wait_for(lambda: server.web.bodies.free == 3 * MIB)
    refused = everything(server.connect(request))
    assert refused.startswith(b"HTTP/1.1 503")
    assert b"Retry-After: " in refused
    one.close()
    wait_for(lambda: server.web.bodies.free == 10 * MIB)
    connection = server.connect(head("POST", "/api/v1/similar", *JSON, "Content-Length: 90000", "Connection: close"))
    connection.sendall(b"{}".ljust(90000))
    assert parted(everything(connection))[0] == 400
    wait_for(lambda: server.web.bodies.free == 10 * MIB)


def test_a_full_temporary_folder_is_told(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(buffer: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(buffers.TempfileBasedBuffer, "newfile", full)
    connection = start().connect(head("POST", "/api/v1/similar", *UPLOAD, f"Content-Length: {2 * MIB}"))
    connection.sendall(bytes(MIB))
    status, told = first_answer(connection)
    assert (status, b"disk_full" in told) == (507, True)
