"""Bounds of what comes from outside: texts that databases and JSON readers keep, and numbers in their ranges.

PostgreSQL refuses the null character, every driver a lone surrogate (half of a pair of UTF-16, as which Python shows a
byte of a name that is not UTF-8), and an index a long text.
"""

from __future__ import annotations

import hashlib
import re
from datetime import datetime, timedelta

LONGEST_TEXT = 2000
"""Most characters of a text about a file or a job."""

FARTHEST_ZONE = timedelta(hours=14)
"""Kiribati's Line Islands keep that clock; what is farther from UTC is no zone."""

_MOMENT = re.compile(r"\d{4}-\d\d-\d\d(T\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)?)?", re.ASCII)

FACT_RANGES: dict[str, tuple[float, float]] = {
    "width": (1, 2**31 - 1),
    "height": (1, 2**31 - 1),
    "duration": (0, 1e9),
    "iso": (0, 1e9),
    "aperture": (0, 1e9),
    "exposure": (0, 1e9),
    "focal_length": (0, 1e9),
    "latitude": (-90, 90),
    "longitude": (-180, 180),
    "damaged": (0, 1),
}
"""Least and greatest value of each number among the facts of a file, in the units of ``search.media.MediaRecord``."""


def storable(text: str, most: int = LONGEST_TEXT) -> str:
    """The first ``most`` characters of a text without null characters, and with "?" for lone surrogates."""
    return text[:most].encode("utf-8", "replace").decode().replace("\0", "")


def shortened(path: str, most: int) -> str:
    """A path of at most ``most`` bytes, to show and to tell it from others; its end is replaced by a digest where it is
    longer."""
    raw = path.encode()
    if len(raw) <= most:
        return path
    ending = f"…{hashlib.sha256(raw).hexdigest()[:12]}"
    return raw[: most - len(ending.encode())].decode("utf-8", "ignore") + ending


def number_within(name: str, value: object) -> bool:
    """Whether a fact of that name may have this value: a finite number in its range."""
    low, high = FACT_RANGES[name]
    return isinstance(value, int | float) and not isinstance(value, bool) and low <= value <= high


def are_borders(value: object) -> bool:
    """Whether these may be borders of a picture: none, or four shares of its sides that leave something of it."""
    if not isinstance(value, list | tuple) or len(value) not in (0, 4):
        return False
    if not all(isinstance(share, int | float) and not isinstance(share, bool) and 0 <= share < 1 for share in value):
        return False
    return not value or (value[0] + value[2] < 1 and value[1] + value[3] < 1)


def is_moment(text: str) -> bool:
    """Whether a text is a date, or a date and time, that every store can index: as RFC 3339 writes it, with or without
    a zone, within the years 1 to 9999, also in UTC, and in a zone that exists."""
    if _MOMENT.fullmatch(text) is None:
        return False
    try:
        moment = datetime.fromisoformat(text)
        zone = moment.utcoffset() or timedelta()
        if abs(zone) > FARTHEST_ZONE:
            return False
        moment.replace(tzinfo=None) - zone
    except (ValueError, OverflowError):
        return False
    return True
