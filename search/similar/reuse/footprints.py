"""Fingerprints over time of one content: of a film's frames, and of what is heard.

As bytes they lie in the file of the content's preview (``workers.storage.sealed_webp``), whose checksum covers them.
All numbers are little-endian::

    layout (1 byte, 1), three zero bytes, number of frames (uint32), number of landmarks (uint32),
    the frames (32 bytes each), the landmarks' hashes (uint32 each), their times (uint32 each)
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from search.errors import StoreError

FRAMES_A_SECOND = 4
FRAME_BYTES = 32
GRID = 16
"""Rows and columns of bits in the fingerprint of a frame."""

LANDMARK_SECONDS = 0.032
"""Unit of the times of landmarks."""

MOST_PRINTS = FRAMES_A_SECOND * 3600 * 24
MOST_LANDMARKS = 32 * 3600 * 24

_LAYOUT = 1
_HEAD = struct.Struct("<B3xII")


def no_frames() -> NDArray[np.uint8]:
    """uint8 (0, 32)."""
    return np.empty((0, FRAME_BYTES), np.uint8)


def no_landmarks() -> NDArray[np.uint32]:
    """uint32 (2, 0)."""
    return np.empty((2, 0), np.uint32)


@dataclass(frozen=True, slots=True, eq=False)
class Footprints:
    """Fingerprints over time.

    Attributes:
        frames: uint8 (n, 32), the frame on screen at each quarter of a second; all zeros where it is too plain.
        landmarks: uint32 (2, k), a hash of two spectral peaks, and the time of the first in ``LANDMARK_SECONDS``,
            which does not fall.
    """

    frames: NDArray[np.uint8] = field(default_factory=no_frames)
    landmarks: NDArray[np.uint32] = field(default_factory=no_landmarks)

    @property
    def is_empty(self) -> bool:
        return not self.frames.any() and not self.landmarks.size

    def to_bytes(self) -> bytes:
        head = _HEAD.pack(_LAYOUT, len(self.frames), self.landmarks.shape[1])
        return head + self.frames.tobytes() + self.landmarks.astype("<u4").tobytes()

    @classmethod
    def from_bytes(cls, data: bytes) -> Footprints:
        """Inverse of :meth:`to_bytes`.

        Raises:
            StoreError: the bytes are not of this form, or a newer version wrote them.
        """
        if len(data) < _HEAD.size:
            raise StoreError(f"Fingerprints over time have {len(data)} bytes, which is too few.")
        layout, frames, landmarks = _HEAD.unpack_from(data)
        wanted = _HEAD.size + FRAME_BYTES * frames + 8 * landmarks
        if layout != _LAYOUT or frames > MOST_PRINTS or landmarks > MOST_LANDMARKS or len(data) != wanted:
            raise StoreError(f"Fingerprints over time of layout {layout} with {len(data):,} bytes cannot be read.")
        rows = np.frombuffer(data, np.uint8, FRAME_BYTES * frames, _HEAD.size).reshape(-1, FRAME_BYTES)
        marks = np.frombuffer(data, "<u4", 2 * landmarks, _HEAD.size + rows.size).reshape(2, -1).astype(np.uint32)
        if not are_landmarks(marks):
            raise StoreError("Fingerprints over time have landmarks that are not in order.")
        return cls(rows, marks)


def are_landmarks(marks: NDArray[np.uint32]) -> bool:
    """Whether the times of these do not fall, and are times of a recording."""
    times = marks[1]
    if times.size and int(times.max()) > MOST_PRINTS / FRAMES_A_SECOND / LANDMARK_SECONDS:
        return False
    return bool((times[1:] >= times[:-1]).all())


def shown(frames: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Which frames can be compared, bool (n,): the plain ones are all zeros."""
    return np.asarray(np.ascontiguousarray(frames).view(np.uint64).max(axis=1) > 0)


def flipped(frames: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Fingerprints of the mirror images, left and right exchanged: the columns of bits in reverse."""
    bits = np.unpackbits(frames, axis=1).reshape(-1, GRID, GRID)[:, :, ::-1]
    return np.packbits(bits.reshape(len(frames), GRID * GRID), axis=1)
