"""Arrays of one picture that several features share, computed once."""

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
"""Cells along either side of the coarse maps of composition."""


@dataclass(frozen=True, slots=True)
class Pixels:
    """A picture and the arrays derived from it.

    Attributes:
        rgb: uint8 (H, W, 3), shrunk by an integer factor, which is fastest; colours do not depend on scale.
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
        """Arrays of a picture, uint8 (height, width, 3) RGB; one of at most ``MOST_PIXELS`` is not shrunk."""
        gray = shrink(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY))
        across = cv2.Sobel(gray, cv2.CV_32F, 1, 0, scale=1 / (4 * 255))
        down = cv2.Sobel(gray, cv2.CV_32F, 0, 1, scale=1 / (4 * 255))
        laplacian = cv2.Laplacian(gray, cv2.CV_16S)
        return cls(shrink_by_whole(rgb), gray, level_counts(gray), across, down, cv2.magnitude(across, down), laplacian)


def shrink(gray: Gray) -> Gray:
    """uint8 (height, width) shrunk by area averaging to ``MOST_PIXELS`` or just below."""
    height, width = gray.shape
    if width * height <= MOST_PIXELS:
        return gray
    scale = math.sqrt(MOST_PIXELS / (width * height))
    across, down = max(1, int(width * scale)), max(1, int(height * scale))
    across = min(across, MOST_PIXELS // down)
    return _averaged(gray, across, min(down, MOST_PIXELS // across))


def shrink_by_whole(rgb: Rgb) -> Rgb:
    """uint8 (height, width, 3) shrunk by the least integer factor that leaves at most ``MOST_PIXELS``.

    An incomplete last row or column of squares is averaged along with the others.
    """
    height, width = rgb.shape[:2]
    factor = 1
    while max(1, width // factor) * max(1, height // factor) > MOST_PIXELS:
        factor += 1
    return rgb if factor == 1 else _averaged(rgb, max(1, width // factor), max(1, height // factor))


def _averaged(samples: npt.NDArray[np.uint8], width: int, height: int) -> npt.NDArray[np.uint8]:
    return np.asarray(cv2.resize(samples, (width, height), interpolation=cv2.INTER_AREA), np.uint8)


def level_counts(samples: npt.NDArray[np.uint8], channel: int = 0) -> Floats:
    """Histogram of one channel of a uint8 picture, float64 (256,)."""
    return np.asarray(cv2.calcHist([samples], [channel], None, [256], [0, 256]), np.float64).ravel()


def cells(samples: npt.NDArray[Any], side: int = CELLS) -> Floats:
    """Means over ``side`` x ``side`` equal parts of a map (height, width), float32 (side, side)."""
    return np.asarray(cv2.resize(np.asarray(samples, np.float32), (side, side), interpolation=cv2.INTER_AREA))


LEVELS = np.arange(256, dtype=np.float64)


def mean_of(counts: Floats) -> float:
    """Mean level of a histogram, float64 (256,)."""
    return float(counts @ LEVELS / counts.sum())


def deviation_of(counts: Floats) -> float:
    """Standard deviation of the levels of a histogram, float64 (256,)."""
    return float(np.sqrt(counts @ np.square(LEVELS - mean_of(counts)) / counts.sum()))


def entropy_of(counts: Floats) -> float:
    """Shannon entropy of a histogram of any shape, in bits."""
    shares = counts[counts > 0] / counts.sum()
    return float(-(shares @ np.log2(shares)))
