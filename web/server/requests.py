"""Parses a request within limits, and asks for permission before its body is received."""

from __future__ import annotations

import errno
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any

from waitress.parser import HTTPRequestParser, ParsingError
from waitress.utilities import BadRequest

from web.bodies import why_too_large
from web.server.limits import BodyRoom, Reservation

MOST_LINE = 8190
"""Bytes of the request line: an address may hold many ids."""
MOST_FIELD = 8190
"""Bytes of one header field."""
MOST_HEAD = 32 * 1024
"""Bytes of request line and header fields together."""
MOST_CHUNK_LINE = 1024
MOST_TRAILER = MOST_FIELD
BUSY_SECONDS = 5
"""After which a request that found no room may be sent again."""


@dataclass(frozen=True, slots=True)
class Refused:
    """Why the server does not let a request through to the application.

    Attributes:
        code, message, hint: of the error that is answered (``web.errors``).
        headers: of the answer, besides those of every refusal.
    """

    status: int
    reason: str
    code: str
    message: str
    hint: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)


def no_room() -> Refused:
    return Refused(
        503,
        "Service Unavailable",
        "error",
        "Too many requests with large bodies are being received.",
        f"Send it again in {BUSY_SECONDS} seconds.",
        {"Retry-After": str(BUSY_SECONDS)},
    )


def too_slow() -> Refused:
    return Refused(408, "Request Timeout", "usage", "The body of the request came too slowly.", "Send it again.")


def too_large(most: int) -> Refused:
    return Refused(413, "Content Too Large", "too_large", *why_too_large(most))


class RequestParser(HTTPRequestParser):  # type: ignore[misc]  # waitress has no types
    """One request as it arrives.

    Attributes:
        received_at: when all of it had arrived, by the monotonic clock.
        is_permitted: the application lets its body be received.
    """

    def __init__(self, adj: Any) -> None:
        super().__init__(adj)
        self.received_at = 0.0
        self.is_permitted = False
        self._most_bytes = adj.max_request_body_size
        self._room: Reservation | None = None
        self._is_closed = False
        self._lock = threading.Lock()

    def received(self, data: bytes) -> int:
        """Take what has arrived; the number of bytes that belong to this request."""
        if self.body_rcv is None and not self.completed:
            refused = _too_long(self.header_plus + data)
            if refused is not None:
                self.refuse(refused)
                return len(data)
        try:
            taken: int = super().received(data)
        except OSError as error:  # the temporary folder, where a large body is kept
            self.refuse(_not_kept(error))
            return len(data)
        if self.body_rcv is not None and self.error is None:
            self._check_body()
        return taken

    def parse_header(self, header_plus: bytes) -> None:
        try:
            super().parse_header(header_plus)
        except ValueError:  # a number of thousands of digits
            raise ParsingError("Content-Length is invalid") from None

    def awaits_permission(self, arrived: int) -> bool:
        """Whether more of the body has to be received than the ``arrived`` bytes, and nobody has allowed it."""
        if self.completed or not self.headers_finished or self.is_permitted:
            return False
        return bool(self.chunked or self.content_length > arrived)

    def permit(self, most: int, room: BodyRoom) -> bool:
        """Allow a body of at most ``most`` bytes; whether there is room for it. Called by the thread that asked."""
        reservation = room.reserve(most if self.chunked else self.content_length)
        if reservation is None:
            return False
        with self._lock:
            self._room = reservation
            if self._is_closed:
                reservation.end()
        self._most_bytes, self.is_permitted = most, True
        return True

    def refuse(self, refused: Refused) -> None:
        """End the request with an error, whatever has arrived of it."""
        if not self.headers_finished:
            super().parse_header(b"GET / HTTP/1.0\r\n")
        self.error = refused
        self.completed = True

    def close(self) -> None:
        super().close()
        with self._lock:
            self._is_closed = True
            if self._room is not None:
                self._room.end()

    def _check_body(self) -> None:
        if self.body_bytes_received > self._most_bytes:
            self.refuse(too_large(self._most_bytes))
        elif self.chunked and (
            len(self.body_rcv.control_line) > MOST_CHUNK_LINE or len(self.body_rcv.trailer) > MOST_TRAILER
        ):
            self.error, self.completed = BadRequest("Chunk or trailer is too long"), True


class PermissionRequest:
    """The headers of a request, by which the application is asked whether the body may be received.

    Attributes:
        request: whose body is awaited; everything else is as there.
    """

    error = None

    def __init__(self, request: RequestParser) -> None:
        self.request = request

    def __getattr__(self, name: str) -> Any:
        return getattr(self.request, name)

    def get_body_stream(self) -> BytesIO:
        return BytesIO()

    def close(self) -> None:
        """Nothing: the request itself goes on."""


def _too_long(arrived: bytes) -> Refused | None:
    """Why the request line and headers are refused for their length; ``arrived`` is what has come, perhaps more."""
    head, _, _ = arrived.lstrip(b"\r\n").partition(b"\r\n\r\n")
    line, *fields = head.split(b"\r\n")
    if len(line) > MOST_LINE:
        message = f"The address is longer than {MOST_LINE} bytes."
        return Refused(414, "URI Too Long", "usage", message, "Send what is asked as the JSON body of a POST.")
    if len(head) > MOST_HEAD or any(len(field) > MOST_FIELD for field in fields):
        message = f"A header is longer than {MOST_FIELD} bytes, or all of them than {MOST_HEAD}."
        return Refused(431, "Request Header Fields Too Large", "usage", message)
    return None


def _not_kept(error: OSError) -> Refused:
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        message = "The disk of the server's temporary folder is full."
        return Refused(507, "Insufficient Storage", "disk_full", message, "Free some space and send it again.")
    return Refused(500, "Internal Server Error", "error", "The body could not be kept.", "The server's log says why.")
