"""Near duplicates: the same picture, film or recording after an edit; not merely something alike.

Two witnesses must agree, a perceptual fingerprint (``workers.decode.perceptual``) and the vector of the kind's
principal space. The fingerprint alone is fooled by plain or similarly lit pictures, the vector alone by two photos of
one subject.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from search.errors import UsageError
from search.media import Kind

PRINCIPAL_SPACE = {Kind.IMAGE: "visual", Kind.VIDEO: "visual", Kind.AUDIO: "sound"}
"""The space whose vector has to agree with the fingerprint."""

FINGERPRINT_BITS = 256

PICTURE_BITS = 64
"""Most differing bits between two pictures, or two key frames, that show the same after an edit."""

SOUND_BITS = 64
"""Most differing bits between two encodings of one recording."""

MIN_SCORE = {Kind.IMAGE: 0.6, Kind.VIDEO: 0.6, Kind.AUDIO: 0.6}
"""Least cosine in the principal space."""

MIN_FRAME_SHARE = 0.5
"""Share of the shorter video's key frames that must each match one of the other's."""

DURATION_TOLERANCE = 0.1
"""Greatest difference between the durations of one recording's encodings, as a share of the longer; at least 0.5 s."""


class Fingerprinted(Protocol):
    """What a comparison needs of a record or a probe."""

    @property
    def kind(self) -> Kind: ...
    @property
    def fingerprints(self) -> tuple[str, ...]: ...
    @property
    def duration(self) -> float | None: ...


def fingerprint_distance(a: str, b: str) -> int:
    """Hamming distance of two fingerprints in hex.

    Raises:
        UsageError: they differ in length or are not hex, so they cannot be fingerprints of the same kind.
    """
    if len(a) != len(b):
        raise UsageError(f"Fingerprints of {4 * len(a)} and {4 * len(b)} bits cannot be compared.")
    try:
        return (int(a or "0", 16) ^ int(b or "0", 16)).bit_count()
    except ValueError:
        raise UsageError(f"'{a}' and '{b}' are not both hexadecimal fingerprints.") from None


def is_near_duplicate(a: Fingerprinted, b: Fingerprinted, score: float) -> bool:
    """Whether two media of one kind are edits of one another.

    Args:
        score: their cosine in :data:`PRINCIPAL_SPACE`.
    """
    if a.kind is not b.kind or not a.fingerprints or not b.fingerprints or score < MIN_SCORE[a.kind]:
        return False
    distances = fingerprint_distances(a.fingerprints, b.fingerprints)
    if a.kind is Kind.IMAGE:
        return bool(distances.min() <= PICTURE_BITS)
    if a.kind is Kind.AUDIO:
        return bool(distances.min() <= SOUND_BITS) and _same_length(a.duration, b.duration)
    # Asked of the video with fewer key frames, so that a cut-down copy is still found.
    shorter_axis = 1 if len(a.fingerprints) <= len(b.fingerprints) else 0
    return float((distances.min(axis=shorter_axis) <= PICTURE_BITS).mean()) >= MIN_FRAME_SHARE


def fingerprint_distances(a: Sequence[str], b: Sequence[str]) -> NDArray[np.int64]:
    """Hamming distances of all pairs, int64 ``(len(a), len(b))``."""
    return np.array([[fingerprint_distance(x, y) for y in b] for x in a], np.int64).reshape(len(a), len(b))


def _same_length(a: float | None, b: float | None) -> bool:
    if a is None or b is None:
        return True
    return abs(a - b) <= max(0.5, DURATION_TOLERANCE * max(a, b))
