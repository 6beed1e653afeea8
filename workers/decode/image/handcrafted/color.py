"""Features of the colours, independent of their position."""

from __future__ import annotations

import cv2
import numpy as np

from workers.decode.image.handcrafted.pixels import Floats, Pixels, deviation_of, entropy_of, level_counts, mean_of

_CHANNELS = ("red", "green", "blue")
_BINS = 8
_CELL_BITS = 9.0
"""Bits of entropy of 8 x 8 x 8 equally frequent colours."""

_GOLDEN_LOW, _GOLDEN_HIGH = (10, 64, 102), (28, 255, 255)
"""Hue 20° to 56°, saturation from 0.25, value from 0.4, as 8-bit HSV (hue in steps of 2°)."""

_HUES, _SATURATIONS, _LEAST_VALUE = 36, 32, 26
_ANGLES = np.deg2rad((np.arange(_HUES) + 0.5) * (360 / _HUES))
_WEIGHTS = np.arange(_SATURATIONS) / (_SATURATIONS - 1)
_ORDERS = np.arange(1, 4)
"""One hue, two opposite ones, three a third of the circle apart."""


def features(pixels: Pixels) -> dict[str, float]:
    """Colour features by name."""
    counts = {name: level_counts(pixels.rgb, channel) for channel, name in enumerate(_CHANNELS)}
    means = {name: mean_of(levels) for name, levels in counts.items()}
    colors = cv2.calcHist([pixels.rgb], [0, 1, 2], None, [_BINS] * 3, [0, 256] * 3)
    hsv = cv2.cvtColor(pixels.rgb, cv2.COLOR_RGB2HSV)
    brightness = sum(means.values())
    found = {
        "saturation": mean_of(level_counts(hsv, 1)) * (100 / 255),
        "color_temperature": 100 * (means["red"] - means["blue"]) / brightness if brightness else 0.0,
        "color_diversity": entropy_of(np.asarray(colors, np.float64)) / _CELL_BITS,
        "golden_hour": cv2.countNonZero(cv2.inRange(hsv, _GOLDEN_LOW, _GOLDEN_HIGH)) / hsv[..., 0].size,
        "color_harmony": _harmony(hsv),
    }
    for name, levels in counts.items():
        found[f"{name}_mean"] = means[name]
        found[f"{name}_std"] = deviation_of(levels)
        shares = levels.reshape(_BINS, -1).sum(axis=1) / levels.sum()
        found |= {f"{name}_hist_{bin_}": float(share) for bin_, share in enumerate(shares)}
    return found


def _harmony(hsv: Floats) -> float:
    """How well the hues fit one, two opposite or three evenly spaced ones; 1 where there is none.

    Dark pixels do not count: their hue is noise. Source: after the templates of Cohen-Or, Sorkine, Gal, Leyvand, Xu,
    "Color Harmonization", SIGGRAPH 2006, as resultant lengths of directional statistics.
    """
    seen = cv2.inRange(hsv, (0, 0, _LEAST_VALUE), (180, 255, 255))
    counts = cv2.calcHist([hsv], [0, 1], seen, [_HUES, _SATURATIONS], [0, 180, 0, 256])
    hues = np.asarray(counts, np.float64) @ _WEIGHTS
    total = hues.sum()
    if not total:
        return 1.0
    resultants = np.exp(1j * np.outer(_ORDERS, _ANGLES)) @ hues
    return float(np.abs(resultants).max() / total)
