"""What the server says to the application about connections."""

from __future__ import annotations

import http.client
from collections.abc import Callable
from typing import Any

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
