"""The filter language: what a question can be narrowed by, on either store."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime


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
        ids, exclude_ids: restrict to, or leave out, these points.
        include_missing: also match records whose files have gone.
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
    ids: tuple[str, ...] = field(default=(), repr=False)
    exclude_ids: tuple[str, ...] = field(default=(), repr=False)
    include_missing: bool = False
