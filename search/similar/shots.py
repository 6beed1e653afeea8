"""Tells an edit of a picture from another shot of the scene, by capture time, camera, exposure and pixels.

Two pictures that look alike (``search.similar.near``) are one picture edited, or two shots: of a burst, of a bracket of
exposures, of a panorama. Whoever takes the second for the first deletes a moment. So what is known decides in
this order:

1. Equal pixels are the same picture, whatever the files say about it.
2. An edit keeps its capture time and exposure. Two shots of one camera at different times within :data:`BURST_PAUSE`,
   or at different exposures, are a burst, whatever their pixels say.
3. Equal capture times with fractions of a second, of one camera, are one shot.
4. Otherwise the pixels decide, where they can be compared (:class:`ShotComparer`): in an edit every part has its
   counterpart, in another shot what moved has none.

An edit that pixels alone tell from a second shot of something still, or that cannot be compared, is in doubt
(:attr:`ShotVerdict.UNSURE`) unless its size differs, and is never proposed for removal.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import Enum
from typing import Protocol

from search.media import MediaRecord

BURST_PAUSE = 10.0
"""Longest pause between neighbouring shots of one burst, seconds. By hand and on a tripod, brackets and panoramas take
one to some seconds a shot; a retouched copy whose time was set anew is rarely that close to its original."""

SAME_EXPOSURE = 1.1
"""Greatest ratio of exposure times, or of ISO values, that rounding explains; brackets are a third of a stop (1.26) and
more apart."""

_DAY_ALONE = len("2024-05-06")

SHOT_KEYS = ("id", "width", "height", "taken_at", "camera", "exposure", "iso", "pixel_hash", "thumbnail")
"""Payload keys that :meth:`Shot.of` needs."""


class ShotVerdict(Enum):
    """What two pictures that look alike are to each other."""

    SAME_PICTURE = "equal pixels"
    EDITED_COPY = "one shot, edited"
    UNSURE = "one shot, edited, or two that nothing tells apart"
    BURST = "two shots of one burst"
    APART = "two shots that are not of one burst"


@dataclass(frozen=True, slots=True)
class Shot:
    """What of a picture tells whether another is an edit of it; fields as in ``search.media.MediaRecord``.

    Attributes:
        preview: key of the stored preview, or the WebP bytes of a picture that is not stored.
    """

    width: int | None = None
    height: int | None = None
    taken_at: str | None = None
    camera: str | None = None
    exposure: float | None = None
    iso: float | None = None
    pixel_hash: str | None = None
    preview: str | bytes | None = field(default=None, repr=False)

    @classmethod
    def of(cls, record: MediaRecord) -> Shot:
        return cls(
            record.width,
            record.height,
            record.taken_at,
            record.camera,
            record.exposure,
            record.iso,
            record.pixel_hash,
            record.thumbnail,
        )


class ShotComparer(Protocol):
    """Compares pictures by their pixels. Thread-safe."""

    def moved(self, one: Shot, other: Shot) -> bool | None:
        """Whether something is in one that is not in the other, once they are aligned; None if that cannot be told."""


class Comparisons:
    """The comparisons of one question, which end when their time is up.

    Args:
        comparer: None where pixels cannot be compared.
        seconds: time that all comparisons together may take.

    Attributes:
        refused: how many were asked for after that.
    """

    def __init__(
        self,
        comparer: ShotComparer | None = None,
        seconds: float = 5.0,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._comparer, self._left, self._clock = comparer, seconds, clock
        self.refused = 0

    def moved(self, one: Shot, other: Shot) -> bool | None:
        """As :meth:`ShotComparer.moved`; None also when the time is up."""
        if self._comparer is None:
            return None
        if self._left <= 0:
            self.refused += 1
            return None
        started = self._clock()
        try:
            return self._comparer.moved(one, other)
        finally:
            self._left -= self._clock() - started


def by_facts(one: Shot, other: Shot) -> ShotVerdict | None:
    """What is certain without a look at the pixels; None where that is nothing."""
    if same_pixels(one, other):
        return ShotVerdict.SAME_PICTURE
    if one.camera and other.camera and one.camera != other.camera:
        return None
    pause = pause_between(one, other)
    if (pause is None or pause <= BURST_PAUSE) and _other_exposure(one, other):
        return ShotVerdict.BURST
    if pause is None or pause > BURST_PAUSE:
        return None
    if pause > 0:
        return ShotVerdict.BURST
    exact = one.camera and one.camera == other.camera and _has_fraction(one) and _has_fraction(other)
    return ShotVerdict.EDITED_COPY if exact else None


def verdict(one: Shot, other: Shot, comparisons: Comparisons) -> ShotVerdict:
    """What two pictures are to each other whose fingerprints and vectors are near."""
    known = by_facts(one, other)
    if known is not None:
        return known
    pause = pause_between(one, other)
    one_camera = not one.camera or not other.camera or one.camera == other.camera
    moved = comparisons.moved(one, other)
    if moved:
        return ShotVerdict.BURST if one_camera and (pause is None or pause <= BURST_PAUSE) else ShotVerdict.APART
    if moved is None and (pause or not _other_size(one, other)):
        return ShotVerdict.UNSURE
    # Of still things two shots within a second are as equal as an edit is; but a camera keeps the size of its pictures.
    return ShotVerdict.EDITED_COPY if _other_size(one, other) or not one_camera else ShotVerdict.UNSURE


def in_sequence(one: Shot, other: Shot) -> bool:
    """Whether one camera took both within :data:`BURST_PAUSE` of each other, but not at once. It must be known: the
    time of a picture without a camera may be that at which a program saved it."""
    pause = pause_between(one, other)
    one_camera = one.camera is not None and one.camera == other.camera
    return one_camera and pause is not None and 0 < pause <= BURST_PAUSE


def same_pixels(one: Shot, other: Shot) -> bool:
    """Whether the decoded pixels are known to be equal."""
    if one.pixel_hash is None or one.pixel_hash != other.pixel_hash:
        return False
    return (one.width, one.height) == (other.width, other.height)


def pause_between(one: Shot, other: Shot) -> float | None:
    """Seconds between two captures; None where a time is unknown.

    Times without fractions of a second are whole seconds, so that 12:00:05 and 12:00:05.4 may be one. Editors rewrite
    zones, and drop them: clock times and, where both have a zone, moments are compared, and the smaller pause counts.
    """
    first, second = _moment(one.taken_at), _moment(other.taken_at)
    if first is None or second is None:
        return None
    if not (first.microsecond and second.microsecond):
        first, second = first.replace(microsecond=0), second.replace(microsecond=0)
    pause = abs((first.replace(tzinfo=UTC) - second.replace(tzinfo=UTC)).total_seconds())
    if first.tzinfo is not None and second.tzinfo is not None:
        pause = min(pause, abs((first - second).total_seconds()))
    return pause


def clock_time(shot: Shot) -> datetime | None:
    """What the camera's clock said, as if it were UTC; None where that is unknown."""
    moment = _moment(shot.taken_at)
    return None if moment is None else moment.replace(tzinfo=UTC)


def _moment(taken_at: str | None) -> datetime | None:
    """None of a day alone: it may be any time of it."""
    try:
        return datetime.fromisoformat(taken_at) if taken_at and len(taken_at) > _DAY_ALONE else None
    except ValueError:
        return None


def _has_fraction(shot: Shot) -> bool:
    moment = _moment(shot.taken_at)
    return moment is not None and moment.microsecond > 0


def _other_exposure(one: Shot, other: Shot) -> bool:
    for a, b in ((one.exposure, other.exposure), (one.iso, other.iso)):
        if a and b and a > 0 and b > 0 and max(a, b) > SAME_EXPOSURE * min(a, b):
            return True
    return False


def _other_size(one: Shot, other: Shot) -> bool:
    """Whether both sizes are known and differ: no camera changes its size within a burst. A quarter turn is none."""
    if not (one.width and one.height and other.width and other.height):
        return False
    return {one.width, one.height} != {other.width, other.height}
