"""Where a page of a listing ended, as a text that only the listing itself reads.

It is JSON in URL-safe base64, and holds where the last item of a page stands, not a count: so nothing is listed twice
or left out because items came or went between two pages.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from search.errors import UsageError

T = TypeVar("T")


def write_cursor(place: Mapping[str, object]) -> str:
    """The cursor of a place: keys and values of JSON."""
    text = json.dumps(place, separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def read_cursor(text: str, checked: Callable[[Any], T | None]) -> T:
    """The place of a cursor.

    Args:
        checked: makes the place of what :func:`write_cursor` was given; None, a missing key or a wrong type say that
            the cursor was made by nobody here.

    Raises:
        UsageError: it is damaged, or of another listing.
    """
    try:
        place = checked(json.loads(base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)))
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError):
        place = None
    if place is None:
        shown = text if len(text) <= 40 else f"{text[:40]}…"
        raise UsageError(f"'{shown}' is not where a listing ended.", "Begin again without 'after'.")
    return place
