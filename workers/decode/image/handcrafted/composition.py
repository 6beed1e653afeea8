"""Features of composition, from coarse maps of brightness, edges and detail."""

from __future__ import annotations

import cv2
import numpy as np

from workers.decode.image.handcrafted.pixels import CELLS, Floats, Pixels, cells

_CENTER = slice(CELLS // 4, CELLS - CELLS // 4)
_THIRD = CELLS // 3
_CROSSINGS = tuple(slice(third - 1, third + 1) for third in (_THIRD, 2 * _THIRD))
_EVEN_SHARE = 4 * (2 / CELLS) ** 2
"""Share of the area around the crossings of the third lines."""
_MIRROR_SIDE = 48
_NOTHING = 1e-6


def features(pixels: Pixels) -> dict[str, float]:
    """Composition features by name."""
    fine = cells(pixels.gray, _MIRROR_SIDE)
    brightness = fine.reshape(CELLS, _MIRROR_SIDE // CELLS, CELLS, -1).mean(axis=(1, 3))
    edges, detail = cells(pixels.slope), cells(np.abs(pixels.laplacian))
    return {
        "center_brightness": _center(brightness),
        "rule_of_thirds": _at_thirds(edges),
        "symmetry": _symmetry(fine),
        "horizon": float(np.abs(cv2.reduce(pixels.down, 1, cv2.REDUCE_AVG)).max()),
        "center_focus": _center(detail),
        "subject_isolation": _isolation(detail),
        "sky_ground_contrast": float(brightness[:_THIRD].mean() - brightness[-_THIRD:].mean()) / 255,
    }


def _center(map_: Floats) -> float:
    """Mean of the middle half of both sides over the mean of all, of a float32 (12, 12) map; 1 of an empty map."""
    mean = float(map_.mean())
    return float(map_[_CENTER, _CENTER].mean()) / mean if mean > _NOTHING else 1.0


def _at_thirds(edges: Floats) -> float:
    total = float(edges.sum())
    if total <= _NOTHING:
        return _EVEN_SHARE
    return sum(float(edges[row, column].sum()) for row in _CROSSINGS for column in _CROSSINGS) / total


def _symmetry(gray: Floats) -> float:
    """Correlation with the mirror image; 1 of an even surface."""
    centered = gray - gray.mean()
    power = float(np.square(centered).sum())
    return float((centered * centered[:, ::-1]).sum()) / power if power > _NOTHING * gray.size else 1.0


def _isolation(detail: Floats) -> float:
    """1 minus the median detail over the 95th percentile of the cells; 0 of evenly detailed pictures."""
    most = float(np.percentile(detail, 95))
    return 1 - float(np.median(detail)) / most if most > _NOTHING else 0.0
