"""When each row of a recording's vectors is heard, kept in a few numbers of its record.

Segments of a recording follow one another evenly, but for silences between them and a last one of another length. So
their spans are kept as *runs* of equal steps, and rows that have a ``voice`` as runs of row numbers: ten hours take
about as many numbers as there are long silences in them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

Spans = npt.NDArray[np.float64]
"""float64 ``(m, 2)``, seconds at which each of m rows begins and ends."""

HEARD = frozenset({"sound", "voice", "sound_voice"})
"""Spaces of which a recording or sound track has a row for each segment; of ``voice``, for each with speech."""

_EQUAL = 0.02
"""Seconds by which equal steps may differ: spans come as float32."""

_RUN = 4

MOST_ROWS = 10_000
"""Most rows of one recording: 25 hours. Both engines keep the vectors of a point together, in at most 32 MB."""


def as_runs(spans: npt.NDArray[np.floating]) -> tuple[float, ...]:
    """Runs of spans: for each, when its first row begins, from one beginning to the next, length of a row (seconds),
    and number of rows.

    Args:
        spans: ``(m, 2)``, rising.
    """
    starts, lengths = spans[:, 0].astype(np.float64), (spans[:, 1] - spans[:, 0]).astype(np.float64)
    runs: list[float] = []
    at = 0
    while at < len(spans):
        end = at + 1
        step = starts[end] - starts[at] if end < len(spans) else 0.0
        while (
            end < len(spans)
            and abs(starts[end] - starts[end - 1] - step) < _EQUAL
            and abs(lengths[end] - lengths[at]) < _EQUAL
        ):
            end += 1
        step = (starts[end - 1] - starts[at]) / (end - at - 1) if end - at > 1 else 0.0
        runs += [round(starts[at], 3), round(step, 6), round(float(lengths[at:end].mean()), 3), float(end - at)]
        at = end
    return tuple(runs)


def are_runs(runs: Sequence[float]) -> bool:
    """Whether these numbers may be the runs of a recording, of at most :data:`MOST_ROWS` rows."""
    if len(runs) % _RUN or not all(0 <= number < math.inf for number in runs):
        return False
    return sum(runs[_RUN - 1 :: _RUN]) <= MOST_ROWS


def are_row_runs(runs: Sequence[int], rows: int) -> bool:
    """Whether these numbers may be runs of row numbers below ``rows``."""
    pairs = zip(runs[::2], runs[1::2], strict=False)
    return len(runs) % 2 == 0 and all(first >= 0 < count and first + count <= rows for first, count in pairs)


def from_runs(runs: Sequence[float]) -> Spans:
    """Inverse of :func:`as_runs`, to some milliseconds."""
    parts = [
        np.stack([start + step * np.arange(count), start + step * np.arange(count) + length], axis=1)
        for start, step, length, count in np.reshape(runs, (-1, _RUN))
    ]
    return np.concatenate(parts) if parts else np.empty((0, 2))


def as_row_runs(rows: npt.NDArray[np.integer]) -> tuple[int, ...]:
    """Runs of rising row numbers: for each, the first and how many follow one another."""
    parts = np.split(rows, np.flatnonzero(np.diff(rows) != 1) + 1) if len(rows) else []
    return tuple(int(number) for part in parts for number in (part[0], len(part)))


def from_row_runs(runs: Sequence[int]) -> npt.NDArray[np.int64]:
    """Inverse of :func:`as_row_runs`."""
    parts = [np.arange(first, first + count) for first, count in zip(runs[::2], runs[1::2], strict=True)]
    return np.concatenate([np.empty(0, np.int64), *parts])


class HasSound(Protocol):
    """A record, or an example of a question: the runs of its rows of sound."""

    @property
    def sound_runs(self) -> tuple[float, ...]: ...
    @property
    def voice_runs(self) -> tuple[int, ...]: ...


def spans_of(record: HasSound, space: str) -> Spans:
    """When each row that a record has in a space is heard; empty where that is not known, or of pictures."""
    if space not in HEARD or not are_runs(record.sound_runs):
        return np.empty((0, 2))
    spans = from_runs(record.sound_runs)
    if not are_row_runs(record.voice_runs, len(spans)):
        return np.empty((0, 2))
    return spans[from_row_runs(record.voice_runs)] if space == "voice" and len(spans) else spans
