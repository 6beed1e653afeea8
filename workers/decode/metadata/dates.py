"""Dates and times as files write them, to ISO 8601.

Source of the forms: CIPA DC-008 (EXIF 2.32), IPTC-IIM 4.2, XMP part 1 (ISO 16684-1), RFC 5322 in PNG's texts.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from email.utils import parsedate_to_datetime

EARLIEST_YEAR = 1826
"""Of the oldest photograph that is left (Niépce, View from the Window at Le Gras)."""

_DAY = r"(\d{4})[-:/. ]?(\d\d)[-:/. ]?(\d\d)"
_CLOCK = r"(\d\d):?(\d\d)(?::?(\d\d)(?:[.,](\d+))?)?"
_ZONE = r"(Z|[+-]\d\d(?::?\d\d)?)"
_MOMENT = re.compile(rf"{_DAY}(?:(?:\s*T|\s+){_CLOCK}\s*{_ZONE}?)?(?!\d)", re.IGNORECASE)
_ZONE_ALONE = re.compile(_ZONE, re.IGNORECASE)
_FARTHEST_ZONE = 14 * 60
"""Minutes from UTC; Kiribati's Line Islands keep that clock."""


def moment(written: str | None, zone: str | None = None, fraction: str | None = None) -> str | None:
    """ISO 8601 of a date, or a date and time, that a file has in any of the usual forms; None where it is impossible,
    before ``EARLIEST_YEAR`` or in the future.

    A day alone gives a day alone. A zone is kept as it is written, as ``Z`` or ``±HH:MM``; an impossible one is not.

    Args:
        zone: offset from UTC that stands in a tag of its own.
        fraction: digits after the second that stand in a tag of their own.
    """
    if not written:
        return None
    found = _MOMENT.match(written.strip())
    if found is None:
        return _spoken(written)
    year, month, day, hour, minute, second, digits, own_zone = found.groups()
    try:
        if hour is None:
            return _believable(date(int(year), int(month), int(day)).isoformat())
        clock = datetime(int(year), int(month), int(day), int(hour), int(minute), min(int(second or 0), 59))  # noqa: DTZ001
    except ValueError:
        return None
    return _believable(clock.isoformat() + _fraction(digits or fraction) + (offset(own_zone) or offset(zone) or ""))


def offset(written: str | None) -> str | None:
    """``Z``, ``+05``, ``+0530`` or ``+05:30`` as ISO 8601 writes it; None for any other text."""
    found = _ZONE_ALONE.fullmatch((written or "").strip())
    if found is None:
        return None
    zone = found[1].upper()
    if zone == "Z":
        return zone
    hours, minutes = int(zone[1:3]), int(zone[3:].lstrip(":") or 0)
    if minutes > 59 or hours * 60 + minutes > _FARTHEST_ZONE:
        return None
    return f"{zone[0]}{hours:02}:{minutes:02}"


def iptc_moment(day: str | None, clock: str | None) -> str | None:
    """ISO 8601 of IPTC's ``CCYYMMDD`` and ``HHMMSS±HHMM``; the day alone where the time is absent or broken."""
    if not day:
        return None
    return (moment(f"{day.strip()} {clock.strip()}") if clock else None) or moment(day)


def container_moment(written: str | None) -> str | None:
    """``creation_time`` of a container, which is UTC, as ISO 8601; None for the dates of epoch zero that many programs
    write."""
    found = moment(written)
    if found is None or "T" not in found or int(found[:4]) <= 1970:
        return None
    clock = datetime.fromisoformat(found)
    return (clock.astimezone(UTC) if clock.tzinfo else clock).isoformat()


def completed(first: str, others: list[str]) -> str:
    """A moment, or the one that says the same to more precision: with a time, a fraction, a zone."""
    return max((first, *(one for one in others if one.startswith(first))), key=len)


def _fraction(digits: str | None) -> str:
    kept = (digits or "").strip()
    return f".{kept[:6]:0<3}" if kept.isascii() and kept.isdigit() and int(kept[:6]) else ""


def _spoken(written: str) -> str | None:
    """``Sat, 5 Jun 2021 10:00:00 +0200``, as PNG recommends."""
    if not any(character.isalpha() for character in written):
        return None
    try:
        return _believable(parsedate_to_datetime(written[:100]).isoformat())
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def _believable(iso: str) -> str | None:
    """None in the future, a day being left for clocks that are wrong, and before there was photography."""
    clock = datetime.fromisoformat(iso)
    if clock.tzinfo is None:
        clock = clock.replace(tzinfo=UTC)
    if clock.year < EARLIEST_YEAR or clock > datetime.now(UTC) + timedelta(days=1):
        return None
    return iso
