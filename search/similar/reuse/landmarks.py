"""Spans that two sounds share, by pairs of spectral peaks that both have at one offset.

What the pairs are: ``workers.decode.fingerprints.landmarks``. Figures: ``tests/benchmarks/bench_reuse.py``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from search.similar.reuse.footprints import LANDMARK_SECONDS
from search.similar.reuse.overlaps import LEAST_SECONDS

LEAST_VOTES = 8
"""Pairs that two recordings have in common at one offset."""

LEAST_SHARE = 0.1
"""Share of the shorter side's pairs within the span that agree."""

LEAST_LEAD = 2.0
"""Times as many pairs as at any offset elsewhere in the same span: a steady tone agrees at all of them."""

_SLACK = 2
"""Steps by which offsets that count as one may differ."""
_ELSEWHERE = 8
"""Steps from which an offset is another one."""
_MOST_GAP = 3.0
"""Seconds without a common pair that a span may have in one place."""


@dataclass(frozen=True, slots=True)
class SharedSound:
    """A span of two sounds, in seconds; ``votes`` are the pairs that agree."""

    start: float
    other_start: float
    seconds: float
    votes: int


def common_pairs(one: NDArray[np.uint32], other: NDArray[np.uint32]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Times of all pairs of equal hashes: in the one, and in the other.

    Args:
        one, other: uint32 (2, k), see ``footprints``.
    """
    order = np.argsort(other[0], kind="stable")
    hashes = other[0][order]
    first, end = np.searchsorted(hashes, one[0], "left"), np.searchsorted(hashes, one[0], "right")
    counts = end - first
    begins = np.repeat(first - np.concatenate([[0], np.cumsum(counts)[:-1]]), counts)
    at = order[begins + np.arange(int(counts.sum()))]
    return np.repeat(one[1], counts).astype(np.int64), other[1][at].astype(np.int64)


def shared_sounds(one: NDArray[np.uint32], other: NDArray[np.uint32]) -> list[SharedSound]:
    """Spans that two sounds share, the best of those that compete for the same seconds, in order."""
    if not one.size or not other.size:
        return []
    times, other_times = common_pairs(one, other)
    offsets = other_times - times
    if len(offsets) < LEAST_VOTES:
        return []
    low = int(offsets.min())
    counts = np.bincount(offsets - low)
    around = np.convolve(counts, np.ones(2 * _SLACK + 1, np.int64))[_SLACK : _SLACK + len(counts)]
    found: list[SharedSound] = []
    for at in np.flatnonzero(around >= LEAST_VOTES):
        if around[at] < around[max(0, at - _SLACK) : at + _SLACK + 1].max():
            continue
        agree = np.abs(offsets - low - at) <= _SLACK
        found += _spans(one, other, int(at) + low, np.sort(times[agree]), times, offsets)
    found.sort(key=lambda span: -span.votes)
    kept: list[SharedSound] = []
    for span in found:
        if not any(_compete(span, better) for better in kept):
            kept.append(span)
    return sorted(kept, key=lambda span: (span.start, span.other_start))


def _spans(
    one: NDArray[np.uint32],
    other: NDArray[np.uint32],
    offset: int,
    agreeing: NDArray[np.int64],
    times: NDArray[np.int64],
    offsets: NDArray[np.int64],
) -> list[SharedSound]:
    """Spans at one offset, in steps of ``LANDMARK_SECONDS``.

    Args:
        agreeing: sorted times of the common pairs at this offset.
        times, offsets: of all common pairs.
    """
    found = []
    for run in np.split(agreeing, np.flatnonzero(np.diff(agreeing) > _MOST_GAP / LANDMARK_SECONDS) + 1):
        first, last = int(run[0]), int(run[-1])
        if len(run) < LEAST_VOTES or (last - first) * LANDMARK_SECONDS < LEAST_SECONDS:
            continue
        held = min(_count(one[1], first, last), _count(other[1], first + offset, last + offset))
        within = (times >= first) & (times <= last) & (np.abs(offsets - offset) >= _ELSEWHERE)
        rival = np.bincount((offsets[within] - offsets.min()) // (2 * _SLACK + 1)).max(initial=0)
        if len(run) >= LEAST_SHARE * held and len(run) >= LEAST_LEAD * rival:
            seconds = (last - first + 1) * LANDMARK_SECONDS
            start, other_start = first * LANDMARK_SECONDS, (first + offset) * LANDMARK_SECONDS
            found.append(SharedSound(round(start, 2), round(other_start, 2), round(seconds, 2), len(run)))
    return found


def _count(times: NDArray[np.uint32], first: int, last: int) -> int:
    return int(np.searchsorted(times, last, "right") - np.searchsorted(times, max(first, 0), "left"))


def _compete(span: SharedSound, better: SharedSound) -> bool:
    """Whether two spans are about the same seconds of either sound."""
    return any(
        one < other + better.seconds and other < one + span.seconds
        for one, other in ((span.start, better.start), (span.other_start, better.other_start))
    )
