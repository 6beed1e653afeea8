"""Cut a recording into segments as it is read, and embed each: one row of vectors a segment, with its time.

A recording comes in pieces of any length and is never held as a whole: memory grows by the rows alone, 6 KB for each
9.3 seconds. Every segment is embedded as if it were a recording of its own, so that an excerpt has the vectors of the
segment that it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from search.model_descriptions.registry import VOICE
from search.store.base import Array

RATE = 16_000
"""Samples a second of every sound that is embedded."""

BLOCK = 37_152
"""Samples of a block, 2.322 s: 100 frames of 1,024 samples at 44.1 kHz, as ``aisfx`` was trained."""

BLOCKS = 4
"""Blocks of a segment."""

SEGMENT = BLOCKS * BLOCK
"""Samples of a segment, 9.288 s. The last one of a recording has half of that to one and a half."""

SILENT_PEAK = 1e-4
"""Peak of a silent sound, -80 dBFS."""

QUIET = 1e-2
"""Share of the loudest block's amplitude below which a block is taken for a pause: 40 dB."""

Samples: TypeAlias = NDArray[np.float32]
"""Float32 ``(samples,)`` mono at :data:`RATE`, in [-1, 1]."""


@dataclass(frozen=True, slots=True)
class SoundRows:
    """The vectors of one recording.

    Attributes:
        vectors: space name to float32 ``(m, dim)`` with rows of unit length; without the spaces that nothing of the
            recording has. ``voice`` has ``k`` rows, all others ``m``.
        spans: float32 ``(m, 2)``, seconds at which each row begins and ends, rising; empty for a silent recording.
        voice_rows: int32 ``(k,)``, which of the ``m`` rows those of ``voice`` are.
        words: what kind of sound it is (``character``), the most telling first; none where nothing tells speech from
            other sounds.
    """

    vectors: Mapping[str, Array]
    spans: NDArray[np.float32]
    voice_rows: NDArray[np.int32]
    words: tuple[str, ...] = ()

    @classmethod
    def none(cls) -> SoundRows:
        """What a silent recording has."""
        return cls({}, np.empty((0, 2), np.float32), np.empty(0, np.int32))


class SoundEmbedder(Protocol):
    """What turns recordings into vectors."""

    def embed(self, chunks: Iterable[Samples]) -> SoundRows:
        """The vectors of one recording.

        Args:
            chunks: the recording in order, in pieces of any lengths. Each is read once.

        Raises:
            ModelError: a network failed.
        """
        ...


@dataclass(frozen=True, slots=True)
class Segment:
    """A part of a recording that gets a row.

    Attributes:
        start: of its first sample, in samples of the recording.
        loudest: root mean square of its loudest block.
    """

    samples: Samples
    start: int
    loudest: float

    @property
    def span(self) -> tuple[float, float]:
        """Seconds at which it begins and ends."""
        return self.start / RATE, (self.start + len(self.samples)) / RATE


def is_silent(sound: Samples) -> bool:
    """Whether a sound is empty or stays below :data:`SILENT_PEAK`."""
    return len(sound) == 0 or float(np.abs(sound).max()) < SILENT_PEAK


def block_starts(length: int, block: int) -> list[int]:
    """Where the blocks of a segment begin: one after another, the last one aligned to the end; one block, from 0 on, of
    what is shorter than a block."""
    return [*range(0, length - block, block), max(0, length - block)]


def block_levels(samples: Samples) -> NDArray[np.float64]:
    """Root mean square of each block of a segment, float64 ``(blocks,)``; of at least one sample."""
    parts = (samples[at : at + BLOCK].astype(np.float64) for at in block_starts(len(samples), BLOCK))
    return np.array([np.sqrt(np.mean(np.square(part))) for part in parts])


def segments(chunks: Iterable[Samples]) -> Iterator[Segment]:
    """The segments of a recording that are not silent, in order.

    The last one takes a rest that is shorter than half a segment, so that no row stands for next to nothing.
    """
    start = 0
    for part in _cut(chunks):
        if not is_silent(part):
            yield Segment(part, start, float(block_levels(part).max()))
        start += len(part)


def audible(loudest: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which segments are not mere pauses of their recording: those within 40 dB of its loudest block.

    The loudest block of a recording is known at its end, so rows are made of every segment and dropped then.

    Args:
        loudest: of each segment, float64 ``(n,)``.
    """
    kept: NDArray[np.bool_] = loudest >= QUIET * loudest.max(initial=0.0)
    return kept


def _cut(chunks: Iterable[Samples]) -> Iterator[Samples]:
    """The recording in parts of :data:`SEGMENT`, the last of half to one and a half of it."""
    waiting: list[Samples] = []
    held = 0
    for chunk in chunks:
        waiting.append(chunk)
        held += len(chunk)
        if held >= SEGMENT + SEGMENT // 2:
            joined, at = np.concatenate(waiting), 0
            while len(joined) - at >= SEGMENT + SEGMENT // 2:
                yield joined[at : at + SEGMENT]
                at += SEGMENT
            waiting, held = [joined[at:].copy()], len(joined) - at
    if held:
        yield np.concatenate(waiting)


def embed_segments(chunks: Iterable[Samples], embed: Callable[[Segment], Mapping[str, Array]]) -> SoundRows:
    """The rows of a recording, of a function that makes those of a segment.

    Args:
        embed: a segment to space name and unit vector, float32 ``(1, dim)``; without ``voice`` where nobody speaks.
    """
    made: list[tuple[tuple[float, float], Mapping[str, Array]]] = []
    loudest: list[float] = []
    for segment in segments(chunks):
        made.append((segment.span, embed(segment)))
        loudest.append(segment.loudest)
    kept = [row for row, is_kept in zip(made, audible(np.array(loudest)), strict=True) if is_kept]
    if not kept:
        return SoundRows.none()
    spaces = dict.fromkeys(space for _, vectors in kept for space in vectors)
    return SoundRows(
        {space: np.concatenate([vectors[space] for _, vectors in kept if space in vectors]) for space in spaces},
        np.array([span for span, _ in kept], np.float32),
        np.array([at for at, (_, vectors) in enumerate(kept) if VOICE in vectors], np.int32),
    )
