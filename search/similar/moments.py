"""Where in a film or recording a hit matches, and the part of an example that asks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

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

UNLIKE = 0.5
"""Share of a recording's segments that are taken to be unlike an example."""

LEAST_LENGTH = 0.75
"""Length of an example's segments, as a share of the hit's, from which it is told where between these they lie."""

_TOUCHING = 0.1
"""Seconds between segments that follow one another."""


@dataclass(frozen=True, slots=True)
class TimedRows:
    """Segments of one recording: float32 ``(m, dim)`` L2-normalised, and when each is heard, ``(m, 2)``, or ``(0, 2)``
    where that is not known."""

    rows: Array
    spans: Spans


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


def best_span(held: TimedRows, examples: Sequence[TimedRows]) -> tuple[float, float]:
    """Seconds between which a hit matches best.

    The best pair of segments says which of the hit's matches, and its neighbours on either side match too as long as
    they are nearly as like those of the example. Segments of an excerpt begin elsewhere than those of the recording
    that it is of, so that it is like two of them in part: where between them it lies is told by how like it is to each.

    Args:
        held: of the hit, at least one row.
        examples: of each example, at least one row each.
    """
    likenesses = [held.rows @ unit_rows(asking.rows).T for asking in examples]
    which = max(range(len(examples)), key=lambda number: float(likenesses[number].max()))
    likeness, asking = likenesses[which], examples[which]
    pairs = _matching(likeness, held.spans, asking.spans)
    first, last = pairs[0], pairs[-1]
    span = float(held.spans[first[0], 0]), float(held.spans[last[0], 1])
    if len(asking.spans) == len(asking.rows):
        lengths = asking.spans[[at for _, at in pairs], 1] - asking.spans[[at for _, at in pairs], 0]
        if lengths.min() >= LEAST_LENGTH * (held.spans[first[0], 1] - held.spans[first[0], 0]):
            middles = asking.spans.mean(axis=1)
            offset = float(np.mean([_middle(likeness[:, by], held.spans, at) - middles[by] for at, by in pairs]))
            start, end = asking.spans[first[1], 0] + offset, asking.spans[last[1], 1] + offset
            span = max(0.0, float(start)), min(float(held.spans[-1, 1]), float(end))
    return round(span[0], 2), round(span[1], 2)


def _matching(likeness: Array, held: Spans, asking: Spans) -> list[tuple[int, int]]:
    """The best pair of segments, and those before and behind it that match: of each its numbers in the hit and in the
    example."""
    best = divmod(int(likeness.argmax()), likeness.shape[1])
    enough = likeness[best] - GOES_ON
    pairs = [best]
    for step in (-1, 1):
        at, by = best
        while 0 <= at + step < likeness.shape[0] and 0 <= by + step < likeness.shape[1]:
            touching = _gap(held, at, at + step) <= _TOUCHING and _gap(asking, by, by + step) <= _TOUCHING
            if not touching or likeness[at + step, by + step] < enough:
                break
            at, by = at + step, by + step
            pairs.append((at, by))
    return sorted(pairs)


def _gap(spans: Spans, one: int, other: int) -> float:
    """Seconds between two neighbours; 0 where their times are not known."""
    before, behind = sorted((one, other))
    return float(spans[behind, 0] - spans[before, 1]) if behind < len(spans) else 0.0


def _middle(likeness: Array, spans: Spans, at: int) -> float:
    """Second around which a segment of an example lies, between the one that it is most like and its neighbours.

    Args:
        likeness: of the example's segment with each of the hit's.
        at: number of the hit's that is most like it.
    """
    near = [
        number for number in (at - 1, at, at + 1) if 0 <= number < len(spans) and _gap(spans, at, number) <= _TOUCHING
    ]
    weights = np.maximum(likeness[near] - np.quantile(likeness, UNLIKE), 0.0)
    if weights.sum() <= 0:
        return float(spans[at].mean())
    return float(weights @ spans[near].mean(axis=1) / weights.sum())
