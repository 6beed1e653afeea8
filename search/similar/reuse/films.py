"""Spans that two films share, by fingerprints of their frames.

Both films are laid over each other at an offset. A frame matches where it is close to the other's, and closer than to
what the other shows up to a second and a half earlier or later: a fixed camera sees almost the same all day, and two
of its films share nothing for that. A span is a run of matches at one offset.

Figures, and the data that the constants were chosen on: ``tests/benchmarks/bench_reuse.py``.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from search.similar.reuse.footprints import FRAMES_A_SECOND, shown
from search.similar.reuse.overlaps import LEAST_SECONDS

MOST_BITS = 60
"""Most differing bits of two frames that show the same."""

STILL_BITS = 34
"""Most differing bits of a picture and the frame of a film that it was taken from. Measured on video_scenes, a JPEG of
one frame each: 90 % are within it, and the nearest frame of another scene is 48 bits away."""

RATIO = 0.7
"""Greatest distance as a share of that to what the other film shows shortly before and after."""

_RANK = 3
"""Which of the smallest distances before and after counts, from 0."""

_NEAR, _FAR = 2, 6
"""Frames by which those before and after are away."""

_MOST_GAP = 4
"""Frames without a match that a span may have in one place."""

LEAST_SHARE = 0.7
"""Share of a span's frames that match."""

_LEAST_FRAMES = round(LEAST_SECONDS * FRAMES_A_SECOND)

_ALL_OFFSETS = 250_000
"""Pairs of frames up to which every offset of two films is tried; of longer films, those at which an index has found
nearly equal frames."""

_ABSENT = 999


@dataclass(frozen=True, slots=True)
class SharedRun:
    """A run of matching frames.

    Attributes:
        start, other_start: number of the first frame in each film.
        frames: length of the run.
        matches: frames in it that match.
        distance: mean number of bits that differ in these.
    """

    start: int
    other_start: int
    frames: int
    matches: int
    distance: float


def shared_runs(one: NDArray[np.uint8], other: NDArray[np.uint8], offsets: Iterable[int] = ()) -> list[SharedRun]:
    """Runs that two films share, the best of those that compete for the same frames, in order.

    Args:
        one, other: uint8 (n, 32) and (m, 32); rows of zeros are frames that are not compared.
        offsets: those to try where the films are long: the number of a frame of the other less that of the one.
    """
    if min(len(one), len(other)) < _LEAST_FRAMES:
        return []
    if len(one) * len(other) <= _ALL_OFFSETS:
        offsets = _plausible_offsets(one, other)
    found = [run for offset in sorted(set(offsets)) for run in _runs_at(one, other, offset)]
    found.sort(key=lambda run: (-run.matches, run.distance))
    kept: list[SharedRun] = []
    for run in found:
        if not any(_compete(run, better) for better in kept):
            kept.append(run)
    return sorted(kept, key=lambda run: (run.start, run.other_start))


def still_at(still: NDArray[np.uint8], film: NDArray[np.uint8]) -> tuple[int, int] | None:
    """Number of the film's frame that a picture is most like, and the bits that differ; None where it is none of them.

    One frame is less evidence than a run: whoever asks compares what both show too, and of several films takes the
    nearest, for a fixed camera's films are all near.

    Args:
        still, film: uint8 (1, 32) and (n, 32).
    """
    if not len(film) or not shown(still).all():
        return None
    apart = np.where(shown(film), distances(still, film), _ABSENT)
    nearest = int(apart.argmin())
    return (nearest, int(apart[nearest])) if apart[nearest] <= STILL_BITS else None


def distances(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Bits that differ between frames of equal number, or of shapes that broadcast: (…, 32) and (…, 32) to (…)."""
    counted: NDArray[np.int64] = np.bitwise_count(_words(one) ^ _words(other)).sum(axis=-1, dtype=np.int64)
    return counted


def _words(frames: NDArray[np.uint8]) -> NDArray[np.uint64]:
    return np.ascontiguousarray(frames).view(np.uint64)


def _plausible_offsets(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> list[int]:
    """Offsets at which enough frames are close."""
    close = distances(one[:, np.newaxis], other[np.newaxis]) <= MOST_BITS
    rows, columns = np.nonzero(close & shown(one)[:, np.newaxis] & shown(other))
    counts = np.bincount(columns - rows + len(one) - 1, minlength=len(one) + len(other))
    return [int(at) - len(one) + 1 for at in np.flatnonzero(counts >= LEAST_SHARE * _LEAST_FRAMES)]


def _runs_at(one: NDArray[np.uint8], other: NDArray[np.uint8], offset: int) -> list[SharedRun]:
    """Runs at one offset. Only the frames that both films have there are looked at."""
    first, last = max(0, -offset), min(len(one), len(other) - offset)
    if last - first < _LEAST_FRAMES:
        return []
    mine, theirs = one[first:last], other[first + offset : last + offset]
    here = np.where(shown(mine) & shown(theirs), distances(mine, theirs), _ABSENT)
    close = np.flatnonzero(here <= MOST_BITS)
    needed = math.ceil(LEAST_SHARE * _LEAST_FRAMES)
    if len(close) < needed or int((close[needed - 1 :] - close[: len(close) - needed + 1]).min()) >= 2 * _LEAST_FRAMES:
        return []
    around = _around(one[first + close], other, close + first + offset)
    matching = close[here[close] <= RATIO * around]
    found = []
    for run in np.split(matching, np.flatnonzero(np.diff(matching) > _MOST_GAP) + 1):
        frames = int(run[-1] - run[0]) + 1 if len(run) else 0
        if frames >= _LEAST_FRAMES and len(run) >= LEAST_SHARE * frames:
            start = first + int(run[0])
            found.append(SharedRun(start, start + offset, frames, len(run), float(here[run].mean())))
    return found


def _around(frames: NDArray[np.uint8], other: NDArray[np.uint8], at: NDArray[np.int64]) -> NDArray[np.int64]:
    """How far each frame is from what the other film shows shortly before and after a frame."""
    shifts = np.concatenate([np.arange(-_FAR, -_NEAR + 1), np.arange(_NEAR, _FAR + 1)])
    columns = at[:, np.newaxis] + shifts
    there = (columns >= 0) & (columns < len(other))
    columns = np.clip(columns, 0, len(other) - 1)
    there &= shown(other)[columns]
    apart = np.where(there, distances(frames[:, np.newaxis], other[columns]), _ABSENT)
    return np.asarray(np.sort(apart, axis=1)[:, _RANK])


def _compete(run: SharedRun, better: SharedRun) -> bool:
    """Whether two runs are about the same frames of either film."""
    return _meet(run.start, better.start, run, better) or _meet(run.other_start, better.other_start, run, better)


def _meet(one: int, other: int, run: SharedRun, better: SharedRun) -> bool:
    return one < other + better.frames and other < one + run.frames
