"""Where in a film or recording a hit matches, and the part of an example that asks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from search.errors import UsageError
from search.records.sound_rows import HEARD, Spans, as_row_runs, as_runs, from_row_runs, spans_of
from search.similar.questions import Probe
from search.store.base import Array
from search.vectors import unit_rows

OF_FRAMES = frozenset({"visual", "style", "meaning"})
"""Spaces of which a film has a row for each key frame."""

GOES_ON = 0.15
"""Cosine by which neighbours of the best pair of rows may be less alike for the match to go on there."""

_TOUCHING = 0.1
"""Seconds between segments that follow one another."""


def part_of(probe: Probe, start: float, end: float) -> Probe:
    """An example cut to a part: its segments of sound and key frames from ``start`` to ``end``, in seconds.

    What describes the whole (fingerprints, the movement of a film) is left out.

    Raises:
        UsageError: it is no recording or film, ends before ``start``, or has no rows whose times are known there.
    """
    name = probe.name or probe.media_id or "upload"
    if not probe.moments and not probe.sound_runs:
        raise UsageError(
            f"No times are known of what '{name}' shows or holds, so no part of it can be asked with.",
            "Pictures have no parts; sounds of an older library get times by `likewise reembed --space sound`.",
        )
    if probe.duration is not None and start >= probe.duration:
        raise UsageError(f"'{name}' ends after {probe.duration:.1f} s, before the part from {start:.1f} s on.")
    frames = _frames_within(np.array(probe.moments), start, end)
    segments = _segments_within(spans_of(probe, "sound"), start, end)
    spoken = np.flatnonzero(np.isin(from_row_runs(probe.voice_runs), segments))
    vectors: dict[str, Array] = {}
    for space, rows in probe.vectors.items():
        if space in OF_FRAMES and len(rows) == len(probe.moments):
            kept = frames
        elif space in HEARD and len(rows) == len(spans_of(probe, space)):
            kept = spoken if space == "voice" else segments
        else:
            continue
        if len(kept):
            vectors[space] = rows[kept]
    if not vectors:
        raise UsageError(f"'{name}' holds nothing to compare by from {start:.1f} s to {end:.1f} s: it is silent there.")
    of_voice = np.flatnonzero(np.isin(segments, from_row_runs(probe.voice_runs)))
    return replace(
        probe,
        vectors=vectors,
        spaces={space: probe.spaces[space] for space in vectors},
        fingerprints=(),
        moments=tuple(probe.moments[at] for at in frames),
        sound_runs=as_runs(spans_of(probe, "sound")[segments]),
        voice_runs=as_row_runs(of_voice),
    )


def _frames_within(moments: NDArray[np.float64], start: float, end: float) -> NDArray[np.int64]:
    """Numbers of the key frames within a part; the nearest one where there is none."""
    if not len(moments):
        return np.empty(0, np.int64)
    within = np.flatnonzero((moments >= start) & (moments <= end))
    middle = (start + min(end, float(moments[-1]))) / 2
    return within if len(within) else np.array([np.abs(moments - middle).argmin()])


def _segments_within(spans: Spans, start: float, end: float) -> NDArray[np.int64]:
    """Numbers of the segments of which half lies within a part, or which hold half of it; the one that shares most
    with it where there is none."""
    shared = np.minimum(spans[:, 1], end) - np.maximum(spans[:, 0], start)
    least = np.minimum(spans[:, 1] - spans[:, 0], end - start) / 2
    within = np.flatnonzero((shared >= least) & (shared > 0))
    if len(within) or not len(spans) or shared.max() <= 0:
        return within
    return np.array([shared.argmax()])


def best_span(held: Array, spans: Spans, examples: Sequence[Array]) -> tuple[float, float]:
    """Seconds between which a hit matches best: its segment in the best pair with a segment of an example, and the
    neighbours on either side as long as they match those of the example nearly as well.

    Args:
        held: rows of the hit, float32 ``(m, dim)`` L2-normalised.
        spans: when each is heard, ``(m, 2)``.
        examples: rows of each example in their order.
    """
    likenesses = [held @ unit_rows(rows).T for rows in examples]
    best = max(likenesses, key=lambda likeness: float(likeness.max()))
    at, asking = (int(number) for number in np.unravel_index(best.argmax(), best.shape))
    first = last = at
    enough = best[at, asking] - GOES_ON
    for step in range(1, min(at, asking) + 1):
        if best[at - step, asking - step] < enough or spans[first, 0] - spans[first - 1, 1] > _TOUCHING:
            break
        first -= 1
    for step in range(1, min(len(held) - at, best.shape[1] - asking)):
        if best[at + step, asking + step] < enough or spans[last + 1, 0] - spans[last, 1] > _TOUCHING:
            break
        last += 1
    return round(float(spans[first, 0]), 2), round(float(spans[last, 1]), 2)
