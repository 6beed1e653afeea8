"""Global features and tone statistics of whole pictures, which the joint models predict.

They depend on how a picture is developed more than on what it shows. They are measured on the whole picture
squeezed to 224 x 224, the same for every photo whatever the size of its file.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from workers.embedders.style.noise import GAIN, second_difference_across, second_difference_down

LUMA = np.array((0.299, 0.587, 0.114), np.float32)
"""Weights of red, green and blue in luma. Source: ITU-R BT.601."""

GLOBAL_FEATURES = ("contrast", "red_mean", "green_mean", "blue_mean")
"""The published four. Contrast is the deviation of luma; all are shares of the full scale, 0 to 1."""

_TONES = (1, 5, 25, 50, 75, 95, 99)
_ENDS = (1, 99)
_ZONES = ("black", "shadow", "middle", "light", "white")

TONE_STATISTICS = (
    *(f"luma_{q}" for q in _TONES),
    "luma_deviation",
    *(f"{channel}_{q}" for channel in ("red", "green", "blue") for q in _ENDS),
    *(f"{zone}_{axis}" for zone in _ZONES for axis in ("warmth", "magenta")),
    *(f"chroma_{q}" for q in (25, 50, 75, 95)),
    "chroma_deviation",
    "log_corner_light",
    "log_grain",
    "log_grain_middle",
)
"""Names of the columns of :func:`tone_statistics`.

Percentiles of luma, of each channel's ends and of chroma; the mean tint in five zones of luma along red against blue
and magenta against green, which tells a cast of all the light from one of the highlights; how much darker the corners
are than the centre; how noisy flat places are.
"""

_LEVELS = np.arange(256) / 255
_WEIGHTS = np.maximum(0, 1 - 4 * np.abs(_LEVELS[:, None] - np.linspace(0, 1, len(_ZONES)))).astype(np.float32)
"""Float32 (256, 5): how far each level of luma belongs to each zone; triangles that add up to 1."""

_EMPTY = 20.0
"""Pixels of no tint that are added to each zone, so that one with hardly any pixels says nothing."""

_SIDE = 224
_NEAR = np.hypot(*np.meshgrid(np.linspace(-1, 1, _SIDE), np.linspace(-1, 1, _SIDE))).astype(np.float32)
_CENTRE, _CORNERS = _NEAR < 0.5, _NEAR > 1.1


def global_features(pictures: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Float32 (n, 4) of uint8 (n, h, w, 3)."""
    rows = np.empty((len(pictures), len(GLOBAL_FEATURES)), np.float32)
    for row, picture in zip(rows, pictures, strict=True):
        pixels = np.asarray(picture, np.float32).reshape(-1, 3) / 255  # rows of it are pixels: R, G, B of one place
        row[0] = (pixels @ LUMA).std()
        row[1:] = pixels.mean(axis=0)
    return rows


def tone_statistics(pictures: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Float32 (n, len(TONE_STATISTICS)) of uint8 (n, 224, 224, 3). Finite for every picture."""
    rows = np.empty((len(pictures), len(TONE_STATISTICS)), np.float32)
    for row, picture in zip(rows, pictures, strict=True):
        row[:] = _statistics(np.asarray(picture, np.float32) / np.float32(255))
    return rows


def _statistics(picture: NDArray[np.float32]) -> list[float]:
    red, green, blue = (picture[..., channel].ravel() for channel in range(3))
    luma = picture @ LUMA
    flat = luma.ravel()
    warmth, magenta = red - blue, (red + blue) / 2 - green
    chroma = np.hypot(warmth, magenta)
    found = [*np.percentile(flat, _TONES), flat.std()]
    for channel in (red, green, blue):
        found += [*np.percentile(channel, _ENDS)]
    level = (np.clip(flat, 0, 1) * 255 + 0.5).astype(np.intp)
    pixels = np.bincount(level, minlength=256) @ _WEIGHTS + _EMPTY
    tints = [np.bincount(level, axis, minlength=256) @ _WEIGHTS / pixels for axis in (warmth, magenta)]
    found += [*np.stack(tints, axis=1).ravel()]
    found += [*np.percentile(chroma, (25, 50, 75, 95)), chroma.std()]
    found += [np.log(luma[_CORNERS].mean() + 0.02) - np.log(luma[_CENTRE].mean() + 0.02)]
    return [float(value) for value in (*found, *_grain(luma))]


def _grain(luma: NDArray[np.float32]) -> tuple[float, float]:
    """Logarithms of the noise in the flattest parts of a plane ``(h, w)``: in all of them, and in those of middle tone.

    The response to the noise mask is smallest where there is nothing but noise; so its 40th percentile is taken.
    """
    response = np.abs(second_difference_across(second_difference_down(luma))) / GAIN
    middle = response[np.abs(luma[1:-1, 1:-1] - 0.5) < 0.25]
    floor = 1e-4
    everywhere = float(np.percentile(response, 40))
    there = float(np.percentile(middle, 40)) if middle.size >= 500 else everywhere
    return float(np.log(everywhere + floor)), float(np.log(there + floor))
