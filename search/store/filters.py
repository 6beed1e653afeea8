"""The filter language: what a question can be narrowed by, on either store."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from math import isfinite

from search.errors import UsageError


@dataclass(frozen=True, slots=True)
class NumberRange:
    """A payload key that must have a number within all the bounds that are given.

    Attributes:
        key: one with an index of numbers (``search.store.payloads.PAYLOAD_INDEXES``).
    """

    key: str
    gt: float | None = None
    gte: float | None = None
    lt: float | None = None
    lte: float | None = None


@dataclass(frozen=True, slots=True)
class Filter:
    """All conditions hold together; several values of one condition are alternatives.

    An empty filter matches everything that is not missing.

    Attributes:
        path_prefix: a folder (absolute POSIX path); matches everything below it.
        taken_from, taken_to: both inclusive; naive times are taken as UTC.
        min_size, max_size: bytes.  min_duration, max_duration: seconds.
        orientations: ``landscape``, ``portrait``, ``square``.
        words: every word must occur in the record's words.
        has_space: the point holds a vector of this space.
        near: latitude and longitude in degrees (WGS 84) and a radius in metres around that place. A circle that holds
            a pole may miss what lies beyond it.
        numbers: ranges of payload keys, for paging.
        lacking: a payload key, with an index of numbers, that holds none.
        ids, exclude_ids: restrict to, or leave out, these points.
        include_missing: also match records whose files have gone.

    Raises:
        UsageError: ``near`` is no place on Earth, or its radius is not positive.
    """

    kinds: tuple[str, ...] = ()
    libraries: tuple[str, ...] = ()
    path_prefix: str | None = None
    taken_from: datetime | None = None
    taken_to: datetime | None = None
    cameras: tuple[str, ...] = ()
    lenses: tuple[str, ...] = ()
    photographers: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    min_size: int | None = None
    max_size: int | None = None
    min_duration: float | None = None
    max_duration: float | None = None
    orientations: tuple[str, ...] = ()
    words: str | None = None
    has_space: str | None = None
    near: tuple[float, float, float] | None = None
    numbers: tuple[NumberRange, ...] = field(default=(), repr=False)
    lacking: str | None = field(default=None, repr=False)
    ids: tuple[str, ...] = field(default=(), repr=False)
    exclude_ids: tuple[str, ...] = field(default=(), repr=False)
    include_missing: bool = False

    def __post_init__(self) -> None:
        if self.near is None:
            return
        if len(self.near) != 3:
            raise UsageError(f"A place is a latitude, a longitude and a radius, not {len(self.near)} numbers.")
        latitude, longitude, radius = self.near
        if not (-90 <= latitude <= 90 and -180 <= longitude <= 180):
            raise UsageError(
                f"There is no place at latitude {latitude} and longitude {longitude}.",
                "Latitudes go from -90 to 90 degrees, longitudes from -180 to 180.",
            )
        if not (isfinite(radius) and radius > 0):
            raise UsageError(f"A radius around a place is a positive number of metres, not {radius}.")
