"""All features of one picture, from its decoded pixels and what its file says, in the order in which they are kept."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from PIL import Image

from search.photographers.photos.features import FEATURES, INDEX
from workers.decode.image.handcrafted import color, composition, texture, tone
from workers.decode.image.handcrafted.pixels import Pixels

Row = tuple[float | None, ...]

_DIGITS = 7
"""Significant digits kept: what a float32 tells. In full, numbers would take more room than a record's other facts."""


def measure(picture: Image.Image, frame: Mapping[str, float], shot: Mapping[str, float]) -> Row:
    """Every feature, None for those that the picture or its file does not have.

    Args:
        picture: RGB, upright, of any size.
        frame: from :func:`frame_of`.
        shot: from ``shot.shot_features``.
    """
    pixels = Pixels.of(np.asarray(picture))
    found = {
        **frame,
        **shot,
        **tone.features(pixels),
        **color.features(pixels),
        **texture.features(pixels),
        **composition.features(pixels),
    }
    return tuple(_kept(found.get(feature.name, math.nan), feature.low, feature.high) for feature in FEATURES)


def frame_of(width: int, height: int, size: int) -> dict[str, float]:
    """Features of the file as a whole.

    Args:
        width, height: pixels of the full picture, upright.  size: bytes of the file.
    """
    return {"width": width, "height": height, "aspect_ratio": width / height, "log_bytes": math.log1p(size)}


def reframed(row: Row, frame: Mapping[str, float]) -> Row:
    """``row`` with other :func:`frame_of` values, for a picture that was decoded from a preview inside its file."""
    changed = {INDEX[name]: value for name, value in frame.items()}
    return tuple(
        _kept(changed[at], FEATURES[at].low, FEATURES[at].high) if at in changed else value
        for at, value in enumerate(row)
    )


def _kept(value: float, low: float, high: float) -> float | None:
    """None for NaN; rounding errors at the ends of the range are cut off."""
    if not math.isfinite(value):
        return None
    bounded = float(min(max(value, low), high))
    return bounded if bounded.is_integer() else float(f"{bounded:.{_DIGITS}g}")
