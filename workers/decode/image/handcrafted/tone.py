"""Features of the gray levels, independent of position: brightness, contrast and exposure."""

from __future__ import annotations

import cv2
import numpy as np

from workers.decode.image.handcrafted.pixels import (
    LEVELS,
    Floats,
    Pixels,
    deviation_of,
    entropy_of,
    level_counts,
    mean_of,
)

BLOWN, BLOCKED = 250, 5
"""Least level of a blown out pixel, and greatest level of a blocked one."""
_BINS = 64
_WELL = np.exp(-np.square(LEVELS / 255 - 0.5) / (2 * 0.2**2))
"""Exposure quality of each level, float64 (256,).

Source: Mertens, Kautz, Van Reeth, "Exposure Fusion", Pacific Graphics 2007.
"""
_LIGHTNESS_STEP = 100 / 255
"""L* in one level of OpenCV's 8-bit Lab."""


def features(pixels: Pixels) -> dict[str, float]:
    """Tone features by name."""
    counts = pixels.counts
    mean, deviation, total = mean_of(counts), deviation_of(counts), counts.sum()
    lightness = level_counts(cv2.cvtColor(pixels.rgb, cv2.COLOR_RGB2LAB))
    return {
        "gray_mean": mean,
        "gray_std": deviation,
        "entropy": entropy_of(counts.reshape(_BINS, -1).sum(axis=1)),
        "contrast": deviation_of(lightness) * _LIGHTNESS_STEP,
        "highlights": 100 * counts[BLOWN:].sum() / total,
        "shadows": 100 * counts[: BLOCKED + 1].sum() / total,
        "tonal_skew": (mean - _median(counts)) / deviation if deviation else 0.0,
        "exposure_quality": counts @ _WELL / total,
        "dynamic_range": _level_at(counts, 0.99) - _level_at(counts, 0.01),
        "lighting_quality": 1 - _two_tone_share(counts),
    }


def _level_at(counts: Floats, share: float) -> float:
    """Quantile: the lowest level that at least ``share`` of the pixels do not exceed."""
    return float(np.searchsorted(np.cumsum(counts), share * counts.sum()))


def _median(counts: Floats) -> float:
    """Median level of a histogram; of an even number of pixels, the mean of the two in the middle."""
    below = np.cumsum(counts)
    half = below[-1] / 2
    return float(np.searchsorted(below, half) + np.searchsorted(below, half, side="right")) / 2


def _two_tone_share(counts: Floats) -> float:
    """Share of the variance between two classes, split at the best threshold; 0 of a single tone.

    Source: N. Otsu, "A Threshold Selection Method from Gray-Level Histograms", IEEE SMC 9(1), 1979.
    """
    shares = counts / counts.sum()
    mean = shares @ LEVELS
    variance = shares @ np.square(LEVELS - mean)
    if variance < 1e-9:
        return 0.0
    dark = np.cumsum(shares)[:-1]
    moment = np.cumsum(shares * LEVELS)[:-1]
    split = (dark > 0) & (dark < 1)
    between = np.square(mean * dark - moment)[split] / (dark * (1 - dark))[split]
    return float(between.max(initial=0.0) / variance)
