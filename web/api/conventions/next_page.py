"""Names the next page of a list in the header ``Link``.

Answers that are objects hold ``after``; those that are plain lists, as version 0.1.0 gave them, have no room for it.

Source: RFC 8288, "Web Linking".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from urllib.parse import urlencode

from flask import Response, request

T = TypeVar("T")

HEADERS: Mapping[str, Any] = {
    "Link": {
        "description": '`<ADDRESS>; rel="next"` (RFC 8288), where there is a next page; relative to this address',
        "schema": {"type": "string"},
        "example": '<?limit=50&after=eyJqb2IiOjd9>; rel="next"',
    }
}
"""Headers of such answers in OpenAPI."""


@dataclass(frozen=True, slots=True)
class ListPage(Generic[T]):
    """A page of a list. ``after`` is what the next one is asked with; None on the last."""

    items: Sequence[T]
    after: str | None


def add_link(response: Response, after: str | None) -> Response:
    """Add the address of the next page: that of the request in work, but for ``after``."""
    if after is not None:
        asked = [(name, text) for name, text in request.args.items(multi=True) if name != "after"]
        response.headers["Link"] = f'<?{urlencode([*asked, ("after", after)])}>; rel="next"'
    return response
