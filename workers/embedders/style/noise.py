"""The mask of Immerkær's noise estimate, for NumPy arrays and for tensors.

The second difference along both sides of a picture, 3 x 3 pixels with the weights 1 -2 1 by 1 -2 1, leaves nothing of
what is constant, of a slope or of a straight edge, and leaves noise :data:`GAIN` times its deviation. Who estimates
noise differs in what they average of the response: ``workers.embedders.style.tone`` means over blocks by tone,
``workers.photographers.joint.targets.tone`` a percentile, ``workers.decode.image.handcrafted.texture`` all of it, with
the same mask in whole numbers by OpenCV, as decoders work without torch.

Source: Immerkær, "Fast noise variance estimation", Computer Vision and Image Understanding 64 (1996).
"""

from __future__ import annotations

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

GAIN = 6
"""Deviation of the response to noise of deviation 1: the root of the sum of the squared weights."""

Plane = TypeVar("Plane", NDArray[np.float32], Tensor)


def second_difference_down(plane: Plane) -> Plane:
    """Of float planes ``(…, h, w)`` from row to row: ``(…, h - 2, w)``."""
    return plane[..., :-2, :] - 2 * plane[..., 1:-1, :] + plane[..., 2:, :]


def second_difference_across(plane: Plane) -> Plane:
    """Of float planes ``(…, h, w)`` from column to column: ``(…, h, w - 2)``."""
    return plane[..., :-2] - 2 * plane[..., 1:-1] + plane[..., 2:]
