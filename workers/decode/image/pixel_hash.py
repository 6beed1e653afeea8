"""Hash the upright pixels of a picture, so that files that differ in other things only are known to show the same."""

from __future__ import annotations

import hashlib

import numpy as np
import numpy.typing as npt
from PIL import Image

from workers.decode.image.orientation import upright, upright_size

_STRIP = 1 << 20
"""Pixels hashed at once: a large picture is not copied as a whole."""
_FROM_THE_END = frozenset({3, 4, 7, 8})
"""Orientations whose first upright rows are stored last."""


def array_hash(pixels: npt.NDArray[np.uint8], mode: str) -> str:
    """:func:`pixel_hash` of an upright picture of Pillow's ``mode`` of these pixels, uint8 (h, w, channels)."""
    start = hashlib.sha256(f"{mode} {pixels.shape[1]} {pixels.shape[0]} ".encode())
    start.update(np.ascontiguousarray(pixels).data)
    return start.hexdigest()


def pixel_hash(stored: Image.Image, orientation: int, key: bytes = b"") -> str:
    """SHA-256 of the size and of the upright pixels, row by row, as 64 hex digits.

    Args:
        stored: loaded, not yet turned.
        orientation: EXIF orientation that it still has to be turned by.
        key: what else tells its colours, such as its profile.
    """
    width, height = upright_size(stored.size, orientation)
    found = hashlib.sha256(f"{stored.mode} {width} {height} ".encode() + key)
    rows = max(1, _STRIP // max(1, width))
    for top in range(0, height, rows):
        bottom = min(height, top + rows)
        first, last = (height - bottom, height - top) if orientation in _FROM_THE_END else (top, bottom)
        box = (first, 0, last, stored.height) if orientation >= 5 else (0, first, stored.width, last)
        strip = stored if (0, 0, *stored.size) == box else stored.crop(box)
        found.update(np.ascontiguousarray(np.asarray(upright(strip, orientation))).data)
    return found.hexdigest()
