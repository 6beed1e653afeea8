"""Numbers and places of metadata: each in its range, or none."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import TypeVar

_T = TypeVar("_T")

MOST = 1e9
"""No setting of a camera is greater."""

_ISO_6709 = re.compile(r"([+-]\d+(?:\.\d+)?)([+-]\d+(?:\.\d+)?)(?=[+-/]|$)")
_XMP_DEGREES = re.compile(r"([-+]?[\d.]{1,20})(?:,([\d.]{1,20}))?(?:,([\d.]{1,20}))?\s*([NSEW])?", re.IGNORECASE)

Place = tuple[float, float]
"""Latitude and longitude, degrees, WGS 84."""


def tolerant(read: Callable[[], _T | None]) -> _T | None:
    """``read()``, or None when it raises: Pillow's readers raise almost any exception on broken tags."""
    try:
        return read()
    except Exception:
        return None


def number(value: object) -> float | None:
    """A tag as a finite number, the first of several, a quotient worked out; None for anything else."""
    if isinstance(value, tuple):
        value = value[0] if value else None
    if isinstance(value, str) and "/" in value:
        above, _, below = value.partition("/")
        parts = number(above), number(below)
        return parts[0] / parts[1] if parts[0] is not None and parts[1] else None
    found = tolerant(lambda: float(value))  # type: ignore[arg-type]
    return found if found is not None and math.isfinite(found) else None


def positive(value: object) -> float | None:
    """:func:`number` where it is in (0, ``MOST``]."""
    found = number(value)
    return found if found is not None and 0 < found <= MOST else None


def degrees(value: object, reference: str | None, limit: float) -> float | None:
    """Degrees, or degrees and minutes, or these and seconds, as signed degrees; None outside ±``limit``.

    Args:
        value: a number or a tuple of up to three; the last may have decimals.
        reference: ``N``, ``S``, ``E`` or ``W``.
    """
    parts = list(value) if isinstance(value, tuple) else [value]
    if not 1 <= len(parts) <= 3:
        return None
    whole, minutes, seconds = (*(number(part) for part in parts), 0.0, 0.0)[:3]
    if len(parts) == 3 and seconds is None:
        seconds = 0.0
    if whole is None or minutes is None or seconds is None or not (0 <= minutes <= 60 and 0 <= seconds <= 60):
        return None
    size = abs(whole) + minutes / 60 + seconds / 3600
    if size > limit:
        return None
    south_or_west = (reference or "").strip().upper()[:1] in ("S", "W")
    return round(-size if (whole < 0) != south_or_west else size, 7)


def place(latitude: float | None, longitude: float | None) -> Place | None:
    """A place, or None: half of one is none, and 0, 0 is what devices write without a fix."""
    if latitude is None or longitude is None or (latitude == 0 and longitude == 0):
        return None
    return latitude, longitude


def xmp_degrees(written: str | None, limit: float) -> float | None:
    """``48,12.5N`` or ``48,12,30N``, and decimal degrees, as signed degrees."""
    found = _XMP_DEGREES.fullmatch((written or "").strip())
    if found is None:
        return None
    return degrees(tuple(part for part in found.groups()[:3] if part is not None), found[4], limit)


def iso_6709(written: str | None) -> Place | None:
    """``+48.2000+016.5000/`` as a place; also with minutes (``+4812.0+01630.0``) and seconds.

    Source: ISO 6709:2008, Annex H.
    """
    found = _ISO_6709.match((written or "").strip())
    if found is None:
        return None
    latitude, longitude = _run_together(found[1], 2, 90.0), _run_together(found[2], 3, 180.0)
    return place(latitude, longitude)


def _run_together(written: str, width: int, limit: float) -> float | None:
    """``+4812.5``: degrees of ``width`` digits, then minutes and seconds of two digits each."""
    digits, dot, decimals = written[1:].partition(".")
    if len(digits) <= width:
        parts = [digits]
    else:
        cuts = range(width, len(digits), 2)
        parts = [digits[:width], *(digits[cut : cut + 2] for cut in cuts)]
    parts[-1] += dot + decimals
    return degrees(tuple(parts), "S" if written[0] == "-" else None, limit)
