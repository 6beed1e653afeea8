"""Lay pictures that are partly transparent on a plain background on which what is drawn can be seen."""

from __future__ import annotations

import numpy as np
from PIL import Image

WHITE, DARK = (255, 255, 255), (64, 64, 64)

_BRIGHT = 224
"""Luma from which a colour can hardly be told from white."""
_SAMPLES = 256
"""Most rows, and most columns, that are looked at."""
_CLEAR_SHARE = 0.05
"""Least share of the area that has to be clear: rounded corners of a white page stay white."""


def flattened(rgb: Image.Image, alpha: Image.Image) -> Image.Image:
    """``rgb`` over its background.

    Args:
        alpha: L of the same size, 0 where nothing is drawn; the colours there don't matter.
    """
    background = Image.new("RGB", rgb.size, background_of(rgb, alpha))
    background.paste(rgb, mask=alpha)
    return background


def background_of(rgb: Image.Image, alpha: Image.Image) -> tuple[int, int, int]:
    """White, or a dark gray where most of what is drawn would vanish on white."""
    if alpha.getextrema()[0] == 255:
        return WHITE
    step = max(1, max(rgb.size) // _SAMPLES)
    size = (max(1, rgb.width // step), max(1, rgb.height // step))
    luma = np.asarray(rgb.resize(size, Image.Resampling.NEAREST).convert("L"))
    weight = np.asarray(alpha.resize(size, Image.Resampling.NEAREST), np.float64) / 255
    drawn = float(weight.sum())
    if drawn == 0 or drawn > (1 - _CLEAR_SHARE) * weight.size:
        return WHITE
    return DARK if float(weight[luma >= _BRIGHT].sum()) > drawn / 2 else WHITE
