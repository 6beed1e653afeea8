"""Measure all features of one picture, from its pixels and its file, in the stored order."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from search.photographers.photos.features import FEATURES, INDEX
from workers.decode.image.handcrafted import color, composition, texture, tone
from workers.decode.image.handcrafted.pixels import Pixels

Row = tuple[float | None, ...]

_DIGITS = 7
"""Significant digits stored, those of a float32. All digits would take more room than the rest of a record."""


def measure(picture: npt.NDArray[np.uint8], frame: Mapping[str, float], shot: Mapping[str, float]) -> Row:
    """The 78 features in order, None for those that the picture or its file does not have.

    Args:
        picture: uint8 (h, w, 3) RGB, upright, of any size.
        frame: from :func:`frame_of`.
        shot: from ``shot.shot_features``.
    """
    pixels = Pixels.of(picture)
    found = {
        **frame,
        **shot,
        **tone.features(pixels),
        **color.features(pixels),
        **texture.features(pixels),
        **composition.features(pixels),
    }
    return tuple(_rounded(found.get(feature.name, math.nan), feature.low, feature.high) for feature in FEATURES)


def frame_of(width: int, height: int, size: int) -> dict[str, float]:
    """Features of the file as a whole.

    Args:
        width, height: pixels of the full picture, upright.  size: bytes of the file.
    """
    return {"width": width, "height": height, "aspect_ratio": width / height, "log_bytes": math.log1p(size)}


def reframed(row: Row, frame: Mapping[str, float]) -> Row:
    """``row`` with other :func:`frame_of` values, for a picture that was decoded from the preview in its file."""
    changed = {INDEX[name]: value for name, value in frame.items()}
    return tuple(
        _rounded(changed[at], FEATURES[at].low, FEATURES[at].high) if at in changed else value
        for at, value in enumerate(row)
    )


def _rounded(value: float, low: float, high: float) -> float | None:
    """The value clipped to its range and rounded to the stored digits; None for NaN and infinity."""
    if not math.isfinite(value):
        return None
    bounded = float(min(max(value, low), high))
    return bounded if bounded.is_integer() else float(f"{bounded:.{_DIGITS}g}")
