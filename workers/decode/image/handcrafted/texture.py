"""Features of fine structure: edges, corners, sharpness, noise, blur."""

from __future__ import annotations

import math

import cv2
import numpy as np
import numpy.typing as npt

from workers.decode.image.handcrafted.pixels import Gray, Pixels

EDGE = math.sqrt(102**2 + 0.5) / (4 * 255)
"""Least slope of an edge pixel: 0.1, but between two lengths that integer differences of levels can have, so that
rounding, which differs between machines, has no effect."""
CORNER = 1e-4
"""Least Harris response of a corner: about that of a corner from dark to middle gray."""
_HARRIS_K = 0.04
_MEGAPIXEL = 1e6
_SECOND_DIFFERENCE = np.array([1.0, -2.0, 1.0])
_REBLUR = 9


def features(pixels: Pixels) -> dict[str, float]:
    """Texture features by name."""
    return {
        "sharpness": _variance(pixels.laplacian),
        "noise": _noise(pixels.gray),
        "edge_density": np.count_nonzero(pixels.slope > EDGE) / pixels.gray.size,
        "edge_strength": float(pixels.slope.mean()),
        "corners": _corners(pixels) * _MEGAPIXEL / pixels.gray.size,
        "motion_blur": _motion_blur(pixels.gray),
    }


def _variance(samples: npt.NDArray[np.int16]) -> float:
    mean, squares = float(cv2.mean(samples)[0]), float(cv2.norm(samples, cv2.NORM_L2SQR))
    return squares / samples.size - mean * mean


def _noise(gray: Gray) -> float:
    """Standard deviation of the noise in levels; 0 of a picture narrower than 3 pixels.

    Source: J. Immerkær, "Fast Noise Variance Estimation", Computer Vision and Image Understanding 64(2), 1996.
    """
    if min(gray.shape) < 3:
        return 0.0
    filtered = cv2.sepFilter2D(gray, cv2.CV_16S, _SECOND_DIFFERENCE, _SECOND_DIFFERENCE)
    inside = filtered[1:-1, 1:-1]
    return math.sqrt(math.pi / 2) / 6 * float(cv2.norm(inside, cv2.NORM_L1) / inside.size)


def _corners(pixels: Pixels) -> int:
    """Number of local maxima of the Harris response; one where several neighbours share the maximum.

    Source: C. Harris, M. Stephens, "A Combined Corner and Edge Detector", Alvey Vision Conference 1988.
    """
    window = (3, 3)
    xx = cv2.blur(cv2.multiply(pixels.across, pixels.across), window)
    yy = cv2.blur(cv2.multiply(pixels.down, pixels.down), window)
    xy = cv2.blur(cv2.multiply(pixels.across, pixels.down), window)
    response = cv2.multiply(xx, yy)
    response -= cv2.multiply(xy, xy, dst=xy)
    trace = cv2.add(xx, yy, dst=xx)
    response -= cv2.multiply(trace, trace, dst=yy, scale=_HARRIS_K)
    highest = cv2.compare(response, cv2.dilate(response, np.ones(window, np.uint8)), cv2.CMP_GE)
    highest[response <= CORNER] = 0
    return int(cv2.connectedComponents(highest)[0]) - 1


def _motion_blur(gray: Gray) -> float:
    """Absolute difference between the blur along the rows and the blur along the columns.

    Source: F. Crété, T. Dolmiere, P. Ladret, M. Nicolas, "The blur effect", SPIE 6492, 2007, which takes the greater
    of the two.
    """
    if min(gray.shape) < 2:
        return 0.0
    along_rows = _blur(gray, (_REBLUR, 1), (slice(None), slice(1, None)), (slice(None), slice(-1)))
    along_columns = _blur(gray, (1, _REBLUR), (slice(1, None),), (slice(-1),))
    return 0.0 if along_rows is None or along_columns is None else abs(along_rows - along_columns)


def _blur(gray: Gray, window: tuple[int, int], each: tuple[slice, ...], before: tuple[slice, ...]) -> float | None:
    """Share of the differences between neighbours that remains after blurring in their direction; None without any."""
    steps = cv2.absdiff(gray[each], gray[before])
    total = float(cv2.sumElems(steps)[0])
    if not total:
        return None
    again = cv2.blur(gray, window)
    lost = cv2.subtract(steps, cv2.absdiff(again[each], again[before]))
    return 1 - float(cv2.sumElems(lost)[0]) / total
