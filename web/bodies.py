"""How large the body of a request may be, and whether a body is received at all.

The server (``web.server``) asks before it receives a body: it calls the application with the headers alone and an
:class:`AwaitedBody` in the WSGI environment. All that is checked by headers is checked then: size, host, origin, token,
session. The application answers an error, or sets the limit of the body. Servers that do not ask give the body at once;
the same limits hold.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from flask import Flask, Response, current_app, request
from werkzeug.exceptions import RequestEntityTooLarge

KIB = 1 << 10
MIB = 1 << 20

AWAITED = "likewise.awaited_body"
"""Key of the WSGI environment."""

BODY_BYTES = MIB
"""Largest body of a call or form that takes no file."""
OPEN_BYTES = 16 * KIB
"""Largest body of whoever sends no token: the login form."""
FORM_OVERHEAD = 64 * KIB
"""Bytes by which a multipart body may exceed its file."""

_TAKES_FILES, _TAKES_TEXT = "takes_files", "takes_text"

View = TypeVar("View", bound=Callable[..., Any])


@dataclass(slots=True)
class AwaitedBody:
    """A body that the server has not received yet.

    Attributes:
        limit: most bytes that it may have; None while the application has not allowed it.
    """

    limit: int | None = None


def takes_file(view: View) -> View:
    """A view whose ``multipart/form-data`` may hold a file as large as an upload may be."""
    setattr(view, _TAKES_FILES, True)
    return view


def takes_long_text(view: View) -> View:
    """A view whose body of any type may be as large as an upload may be."""
    setattr(view, _TAKES_TEXT, True)
    return view


def awaited_body() -> AwaitedBody | None:
    """The body of the request in work, where it has not been received yet; None where it is here, or there is none."""
    awaited: AwaitedBody | None = request.environ.get(AWAITED)
    return awaited


def why_too_large(most: int) -> tuple[str, str]:
    """Message and hint for a body of more than ``most`` bytes."""
    if most <= BODY_BYTES:
        return f"The body is larger than {most // KIB} KiB, the most that is taken here.", ""
    message = f"The upload is larger than {most // MIB} MiB, the most this server takes."
    return message, "Raise LIKEWISE_MAX_UPLOAD_MB, or ingest the file by its path."


def install_body_limits(app: Flask, largest_file: int, open_endpoints: frozenset[str]) -> None:
    """Refuse too large a body by what its headers declare; before any other check of the request.

    Args:
        largest_file: bytes of an upload.
        open_endpoints: those that ask for no token.
    """
    app.config["MAX_CONTENT_LENGTH"] = largest_file + FORM_OVERHEAD

    def limit() -> None:
        request.max_content_length = _limit(app, open_endpoints)
        if (request.content_length or 0) > request.max_content_length:
            raise RequestEntityTooLarge

    app.before_request(limit)


def install_body_permission(app: Flask) -> None:
    """Allow the bodies of requests that have passed every check; after all of these."""

    def permit() -> Response | None:
        awaited = awaited_body()
        if awaited is None:
            return None
        if request.routing_exception is not None:
            raise request.routing_exception
        awaited.limit = request.max_content_length
        return Response(status=204)

    app.before_request(permit)


def _limit(app: Flask, open_endpoints: frozenset[str]) -> int:
    if request.endpoint in open_endpoints:
        return OPEN_BYTES
    view = current_app.view_functions.get(request.endpoint or "")
    if hasattr(view, _TAKES_TEXT) or (hasattr(view, _TAKES_FILES) and request.mimetype == "multipart/form-data"):
        largest: int = app.config["MAX_CONTENT_LENGTH"]
        return largest
    return BODY_BYTES
