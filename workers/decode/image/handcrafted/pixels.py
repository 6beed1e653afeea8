"""What several features of one picture are computed from, computed once."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from search.photographers.photos.features import MOST_PIXELS

Rgb = npt.NDArray[np.uint8]
"""uint8 (height, width, 3)."""
Gray = npt.NDArray[np.uint8]
"""uint8 (height, width): Rec. 601 luma, rounded."""
Floats = npt.NDArray[np.floating[Any]]

CELLS = 12
"""Cells along either side of the coarse maps that composition is read from."""


@dataclass(frozen=True, slots=True)
class Pixels:
    """A picture and what is read off it more than once.

    Attributes:
        rgb: uint8 (H, W, 3), shrunk by a whole number: colours are the same at any scale, and this is the quickest.
        gray: uint8 (h, w), shrunk to just ``MOST_PIXELS``, so that structure of larger pictures compares.
        counts: float64 (256,), pixels at each level of ``gray``.
        across, down: float32 (h, w), the parts of the 3 x 3 Sobel gradient of ``gray``: 1 where a straight edge from
            black to white runs down, or across.
        slope: float32 (h, w), the length of that gradient.
        laplacian: int16 (h, w), of ``gray``, 4-neighbour kernel.
    """

    rgb: Rgb
    gray: Gray
    counts: Floats
    across: Floats
    down: Floats
    slope: Floats
    laplacian: npt.NDArray[np.int16]

    @classmethod
    def of(cls, rgb: Rgb) -> Pixels:
        """Both copies of an RGB picture of any size; pictures of at most ``MOST_PIXELS`` are taken as they are."""
        gray = shrink(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY))
        across = cv2.Sobel(gray, cv2.CV_32F, 1, 0, scale=1 / (4 * 255))
        down = cv2.Sobel(gray, cv2.CV_32F, 0, 1, scale=1 / (4 * 255))
        laplacian = cv2.Laplacian(gray, cv2.CV_16S)
        return cls(shrink_by_whole(rgb), gray, level_counts(gray), across, down, cv2.magnitude(across, down), laplacian)


def shrink(gray: Gray) -> Gray:
    """``gray`` with at most ``MOST_PIXELS`` pixels and hardly fewer, each the mean of those it stands for."""
    height, width = gray.shape
    if width * height <= MOST_PIXELS:
        return gray
    scale = math.sqrt(MOST_PIXELS / (width * height))
    across, down = max(1, int(width * scale)), max(1, int(height * scale))
    across = min(across, MOST_PIXELS // down)
    return _averaged(gray, across, min(down, MOST_PIXELS // across))


def shrink_by_whole(rgb: Rgb) -> Rgb:
    """``rgb`` shrunk by the least whole number that leaves at most ``MOST_PIXELS``; what does not fill a last square of
    pixels is averaged along with it."""
    height, width = rgb.shape[:2]
    factor = 1
    while max(1, width // factor) * max(1, height // factor) > MOST_PIXELS:
        factor += 1
    return rgb if factor == 1 else _averaged(rgb, max(1, width // factor), max(1, height // factor))


def _averaged(samples: npt.NDArray[np.uint8], width: int, height: int) -> npt.NDArray[np.uint8]:
    return np.asarray(cv2.resize(samples, (width, height), interpolation=cv2.INTER_AREA), np.uint8)


def level_counts(samples: npt.NDArray[np.uint8], channel: int = 0) -> Floats:
    """float64 (256,): how often each level occurs in one channel."""
    return np.asarray(cv2.calcHist([samples], [channel], None, [256], [0, 256]), np.float64).ravel()


def cells(samples: npt.NDArray[Any], side: int = CELLS) -> Floats:
    """Means over ``side`` x ``side`` equal parts of a map, float32 (side, side)."""
    return np.asarray(cv2.resize(np.asarray(samples, np.float32), (side, side), interpolation=cv2.INTER_AREA))


LEVELS = np.arange(256, dtype=np.float64)


def mean_of(counts: Floats) -> float:
    return float(counts @ LEVELS / counts.sum())


def deviation_of(counts: Floats) -> float:
    """Standard deviation of levels that occur so often."""
    return float(np.sqrt(counts @ np.square(LEVELS - mean_of(counts)) / counts.sum()))


def entropy_of(counts: Floats) -> float:
    """Shannon entropy of the shares that ``counts`` make, in bits."""
    shares = counts[counts > 0] / counts.sum()
    return float(-(shares @ np.log2(shares)))
