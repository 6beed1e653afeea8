"""What the server says to the application about connections, and which requests wait for which."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Callable
from typing import Any

import httpx

from web.access.peer import CONNECTION


def test_what_is_kept_about_a_connection_lasts_as_long_as_it(start: Callable[..., Any]) -> None:
    def count(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        known = environ[CONNECTION]
        known["requests"] = known.get("requests", 0) + 1
        start_response("200 OK", [("Content-Length", "1")])
        return [str(known["requests"]).encode()]

    server = start(count)
    counted = []
    for _ in range(2):
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
        for _ in range(2):
            connection.request("GET", "/")
            counted.append(connection.getresponse().read())
        connection.close()
    assert counted == [b"1", b"2", b"1", b"2"]


def test_previews_do_not_queue_behind_questions(start: Callable[..., Any]) -> None:
    asked, goes_on = threading.Semaphore(0), threading.Event()

    def answer(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        if environ["PATH_INFO"] == "/question":
            asked.release()
            goes_on.wait(30)
        start_response("200 OK", [("Content-Length", "2")])
        return [b"ok"]

    server = start(answer, threads=2)
    questions = [server.connect(b"GET /question HTTP/1.0\r\n\r\n") for _ in range(3)]
    assert asked.acquire(timeout=30)
    assert asked.acquire(timeout=30)  # both threads are at work, and the third question waits
    assert httpx.get(f"{server.url}/media/some-id/preview", timeout=30, trust_env=False).text == "ok"
    goes_on.set()
    assert all(question.recv(1 << 16).startswith(b"HTTP/1.0 200") for question in questions)
