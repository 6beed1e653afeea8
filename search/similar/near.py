"""Decides whether two media are near duplicates: one picture, film or recording after an edit.

Two witnesses must agree. For pictures and films they are the perceptual fingerprint and the vector: the fingerprint
alone could be fooled by layout, the vector alone calls two photos of one subject alike. For sounds they are the
fingerprint and the duration, for unlike recordings of one instrument have nearly the same vector. What the
fingerprints are: ``workers.decode.perceptual``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from search.errors import UsageError
from search.media import Kind
from search.model_descriptions.registry import SOUND, SOUND_VOICE
from search.spaces import CollectionSchema

PRINCIPAL_SPACE = {Kind.IMAGE: "visual", Kind.VIDEO: "visual", Kind.AUDIO: SOUND}
"""The space that stands for a kind, where there is no :func:`principal_space` of a collection."""

FINGERPRINT_BITS = 256

PICTURE_BITS = 31
"""Most differing bits between two pictures, or two key frames, that show the same after an edit.

Source: the threshold that PDQ recommends for its 256 bits. Measured on 800 photos of images_caltech101 with
``picture_fingerprint``: three of 319,600 pairs are within it, all of them one drawing with its background recoloured.
"""

SOUND_BITS = 45
"""Most differing bits between two encodings of one recording.

Measured: the seven encodings of audio_formats_lena are within 27 bits of each other; the nearest different recordings
of audio_digits_fsdd, one person saying one digit twice, are 54 apart.
"""

MIN_COSINE = 0.45
"""Least cosine in the principal space, for pictures and films.

Measured on images_neardup with EfficientNet-Lite0: edits of one picture are at 0.56 (squeezed to a square) and above,
other pictures at 0.27 and below.
"""

FRAME_BITS = 64
"""Most differing bits between two key frames that are each other's nearest by far (:data:`FRAME_RATIO`)."""

SAME_FRAME_BITS = 6
"""Most differing bits between two key frames that need not be nearest by far: one frame encoded twice."""

FRAME_RATIO = 0.6
"""Greatest distance to the nearest key frame as a share of that to the second nearest.

A fixed camera sees almost the same all day: any frame of it is near any other, and only a copy has one that is much
nearer than the rest. Source: the ratio test of Lowe 2004, "Distinctive image features from scale-invariant keypoints",
with a stricter ratio. Measured on video_scenes and video_neardup_tmk: edits of one film match in at least 6 of 8 key
frames, clips from one fixed camera in at most 1.
"""

MIN_FRAME_SHARE = 0.5
"""Share of the shorter video's key frames that must match one of the other's."""

DURATION_TOLERANCE = 0.05
"""Greatest difference between the durations of one recording's encodings, as a share of the longer."""

DURATION_SLACK = 0.25
"""Seconds allowed in any case: what codecs pad comes to."""


def principal_space(schema: CollectionSchema) -> str:
    """The space that stands for the media of a collection: where their near duplicates are certain to be found."""
    principal = PRINCIPAL_SPACE[schema.kind]
    return SOUND_VOICE if principal == SOUND and schema.space(SOUND_VOICE) is not None else principal


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
    return int(fingerprint_distances([a], [b])[0, 0])


def is_near_duplicate(a: Fingerprinted, b: Fingerprinted, score: float) -> bool:
    """Whether two media of one kind are edits of one another.

    Args:
        score: their cosine in the :func:`principal_space`.
    """
    if a.kind is not b.kind or not a.fingerprints or not b.fingerprints:
        return False
    distances = fingerprint_distances(tuple(dict.fromkeys(a.fingerprints)), tuple(dict.fromkeys(b.fingerprints)))
    if a.kind is Kind.AUDIO:
        return bool(distances.min() <= SOUND_BITS) and _same_length(a.duration, b.duration)
    if score < MIN_COSINE:
        return False
    if a.kind is Kind.IMAGE:
        return bool(distances.min() <= PICTURE_BITS)
    return bool(_matching_frames(distances) >= MIN_FRAME_SHARE * min(distances.shape))


def distinct(media: Sequence[Fingerprinted]) -> list[int]:
    """Positions of those that are no edit of one before them; vectors are not compared."""
    kept: list[int] = []
    prints: list[str] = []
    owners: list[int] = []
    for at, one in enumerate(media):
        if one.fingerprints and prints:
            close = fingerprint_distances(one.fingerprints, prints).min(axis=0) <= FRAME_BITS
            candidates = {owners[index] for index in np.flatnonzero(close)}
            if any(is_near_duplicate(one, media[other], 1.0) for other in candidates):
                continue
        kept.append(at)
        prints.extend(one.fingerprints)
        owners.extend([at] * len(one.fingerprints))
    return kept


def fingerprint_distances(a: Sequence[str], b: Sequence[str]) -> NDArray[np.int64]:
    """Hamming distances of all pairs, int64 ``(len(a), len(b))``.

    Raises:
        UsageError: as :func:`fingerprint_distance`.
    """
    left, right = _packed(a), _packed(b)
    if left.shape[1] != right.shape[1]:
        raise UsageError(f"Fingerprints of {8 * left.shape[1]} and {8 * right.shape[1]} bits cannot be compared.")
    counted: NDArray[np.int64] = np.bitwise_count(left[:, None] ^ right[None]).sum(axis=-1, dtype=np.int64)
    return counted


def _packed(fingerprints: Sequence[str]) -> NDArray[np.uint8]:
    """uint8 ``(n, bytes)``."""
    try:
        return np.frombuffer(bytes.fromhex("".join(fingerprints)), np.uint8).reshape(len(fingerprints), -1)
    except ValueError:
        raise UsageError(f"{', '.join(fingerprints)!r} are not hexadecimal fingerprints of one length.") from None


def _matching_frames(distances: NDArray[np.int64]) -> int:
    """Pairs of key frames that show the same: each the other's nearest, and by far, or hardly different at all."""
    rows = np.arange(len(distances))
    partner = distances.argmin(axis=1)
    mutual = distances.argmin(axis=0)[partner] == rows
    nearest = distances[rows, partner]
    second = np.minimum(_second_nearest(distances), _second_nearest(distances.T)[partner])
    limit = PICTURE_BITS if min(distances.shape) == 1 else FRAME_BITS
    by_far = (nearest <= limit) & (nearest <= FRAME_RATIO * second)
    return int((mutual & (by_far | (nearest <= SAME_FRAME_BITS))).sum())


def _second_nearest(distances: NDArray[np.int64]) -> NDArray[np.float64]:
    """Second smallest of each row, float64; infinite where there is no second."""
    if distances.shape[1] == 1:
        return np.full(len(distances), np.inf)
    return np.partition(distances, 1, axis=1)[:, 1].astype(np.float64)


def _same_length(a: float | None, b: float | None) -> bool:
    if a is None or b is None:
        return True
    return abs(a - b) <= max(DURATION_SLACK, DURATION_TOLERANCE * max(a, b))
