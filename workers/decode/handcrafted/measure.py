"""All features of one picture, from its decoded pixels and what its file says, in the order in which they are kept."""

from __future__ import annotations

import math
from collections.abc import Mapping

import cv2
import numpy as np
from PIL import Image

from search.photographers.features import FEATURES, INDEX, MOST_PIXELS
from workers.decode.handcrafted import color, composition, texture, tone
from workers.decode.handcrafted.pixels import Pixels, Rgb

Row = tuple[float | None, ...]

_DIGITS = 7
"""Significant digits kept: what a float32 tells. In full, numbers would take more room than a record's other facts."""


def measure(picture: Image.Image, frame: Mapping[str, float], shot: Mapping[str, float]) -> Row:
    """Every feature, None for those that the picture or its file does not have.

    Args:
        picture: RGB, upright; it is shrunk here when it is larger than ``MOST_PIXELS``.
        frame: from :func:`frame_of`.
        shot: from ``shot.shot_features``.
    """
    pixels = Pixels.of(shrink(np.asarray(picture)))
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


def shrink(rgb: Rgb) -> Rgb:
    """``rgb`` with at most ``MOST_PIXELS`` pixels, each the mean of those it stands for."""
    height, width = rgb.shape[:2]
    if width * height <= MOST_PIXELS:
        return rgb
    scale = math.sqrt(MOST_PIXELS / (width * height))
    across, down = max(1, int(width * scale)), max(1, int(height * scale))
    size = (min(across, MOST_PIXELS // down), min(down, MOST_PIXELS // across))
    return np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), np.uint8)


def _kept(value: float, low: float, high: float) -> float | None:
    """None for NaN; rounding errors at the ends of the range are cut off."""
    if not math.isfinite(value):
        return None
    bounded = float(min(max(value, low), high))
    return bounded if bounded.is_integer() else float(f"{bounded:.{_DIGITS}g}")
