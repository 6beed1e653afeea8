"""Convert pictures of any pixel mode of Pillow to RGB."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PIL import Image

_SIXTEEN_BIT = ("I;16", "I;16L", "I;16B", "I;16N")
_SHORT_DEPTH = 12
"""16-bit pictures whose samples all fit in this many bits come from 10- and 12-bit sensors: they are scaled by the
depth that they use, or they would be almost black."""


def to_rgb(picture: Image.Image) -> Image.Image:
    """RGB of a loaded picture: transparency over white, deep samples scaled (not clipped) to 8 bits."""
    if picture.mode in _SIXTEEN_BIT:
        return _gray(_from_depth(_array(picture).astype(np.uint16, copy=False)))
    if picture.mode == "I":
        return _gray(_from_integers(_array(picture)))
    if picture.mode == "F":
        return _gray(_from_floats(_array(picture)))
    if picture.has_transparency_data:
        return _over_white(picture.convert("RGBA"))
    return picture if picture.mode == "RGB" else picture.convert("RGB")


def _array(picture: Image.Image) -> npt.NDArray[np.generic]:
    return np.asarray(picture)


def _gray(samples: npt.NDArray[np.uint8]) -> Image.Image:
    return Image.fromarray(samples).convert("RGB")


def _over_white(rgba: Image.Image) -> Image.Image:
    white = Image.new("RGB", rgba.size, "white")
    white.paste(rgba, mask=rgba.getchannel("A"))
    return white


def _from_depth(samples: npt.NDArray[np.uint16]) -> npt.NDArray[np.uint8]:
    used = int(samples.max(initial=0)).bit_length()
    depth = 16 if used > _SHORT_DEPTH else max(8, used)
    return np.asarray(samples >> (depth - 8), np.uint8)


def _from_integers(samples: npt.NDArray[np.generic]) -> npt.NDArray[np.uint8]:
    """32-bit integers as uint8: as 16-bit data when they fit, else stretched over their range."""
    whole = samples.astype(np.int64, copy=False)
    if whole.size and whole.min() >= 0 and whole.max() <= 0xFFFF:
        return _from_depth(whole.astype(np.uint16))
    return _stretch(whole.astype(np.float32))


def _from_floats(samples: npt.NDArray[np.generic]) -> npt.NDArray[np.uint8]:
    """Floats as uint8, by the range that their maximum suggests: [0, 1], [0, 255], [0, 65535], or else stretched."""
    finite = np.nan_to_num(samples.astype(np.float32, copy=False), nan=0.0, posinf=0.0, neginf=0.0)
    least, most = float(finite.min(initial=0.0)), float(finite.max(initial=0.0))
    if least < 0:
        return _stretch(finite)
    for full in (1.0, 255.0, 65535.0):
        if most <= full:
            return np.asarray(np.rint(finite * (255.0 / full)), np.uint8)
    return _stretch(finite)


def _stretch(samples: npt.NDArray[np.float32]) -> npt.NDArray[np.uint8]:
    least, most = float(samples.min()), float(samples.max())
    return np.asarray(np.rint((samples - least) * (255.0 / max(most - least, 1e-12))), np.uint8)
