"""Convert pictures of any pixel mode of Pillow to RGB."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PIL import Image

from workers.decode.image.transparency import flattened

_SIXTEEN_BIT = ("I;16", "I;16L", "I;16B", "I;16N")
_SHORT_DEPTH = 12
"""16-bit pictures whose samples all fit in this many bits come from 10- and 12-bit sensors: they are scaled by the
depth that they use, or they would be almost black."""


def to_rgb(picture: Image.Image) -> Image.Image:
    """RGB of a loaded picture: transparency over a background, deep samples scaled (not clipped) to 8 bits."""
    alpha = alpha_of(picture)
    flat = to_flat(picture)
    rgb = flat if flat.mode == "RGB" else flat.convert("RGB")
    return rgb if alpha is None else flattened(rgb, alpha)


def to_flat(picture: Image.Image) -> Image.Image:
    """A loaded picture in 8 bits and without its transparency: L, RGB, CMYK, LAB, or another mode without alpha."""
    if picture.mode in _SIXTEEN_BIT:
        return Image.fromarray(_from_depth(_array(picture).astype(np.uint16, copy=False)))
    if picture.mode == "I":
        return Image.fromarray(_from_integers(_array(picture)))
    if picture.mode == "F":
        return Image.fromarray(_from_floats(_array(picture)))
    if picture.mode in ("LA", "La"):
        return (picture.convert("LA") if picture.mode == "La" else picture).getchannel("L")
    if picture.mode in ("P", "PA", "RGBA", "RGBa", "RGBX"):
        return picture.convert("RGBA").convert("RGB") if picture.has_transparency_data else picture.convert("RGB")
    return picture


def with_alpha(picture: Image.Image) -> Image.Image:
    """A loaded picture in a mode that can be averaged: 8 bits a sample, transparency as a channel."""
    alpha, flat = alpha_of(picture), to_flat(picture)
    if alpha is None:
        return flat.convert("L") if flat.mode == "1" else flat
    together = flat.convert("LA" if flat.mode in ("1", "L") else "RGBA")
    together.putalpha(alpha)
    return together


def eight_bits(samples: npt.NDArray[np.generic]) -> npt.NDArray[np.uint8]:
    """Samples of any type and shape as uint8, as pictures of one channel of that type are scaled."""
    if samples.dtype.kind == "f":
        return _from_floats(samples)
    return _from_depth(samples.astype(np.uint16, copy=False)) if samples.dtype == np.uint16 else _from_integers(samples)


def alpha_of(picture: Image.Image) -> Image.Image | None:
    """L of how opaque each pixel of a loaded picture is; None where all are."""
    if picture.mode in _SIXTEEN_BIT or picture.mode == "I":
        clear = picture.info.get("transparency")
        if not isinstance(clear, int):
            return None
        return Image.fromarray(np.where(_array(picture) == clear, 0, 255).astype(np.uint8))
    if not picture.has_transparency_data:
        return None
    if picture.mode in ("LA", "RGBA", "PA"):
        return picture.getchannel("A")
    if picture.mode == "RGB":
        return _keyed(picture)
    return picture.convert("RGBA").getchannel("A")


def _keyed(picture: Image.Image) -> Image.Image | None:
    """Alpha of a picture in which one colour means clear. Of a deep PNG Pillow keeps the upper bytes of the samples,
    and the colour as it was."""
    clear = picture.info.get("transparency")
    if not isinstance(clear, tuple) or len(clear) != 3:
        return None
    key = [value >> 8 if max(clear) > 255 else value for value in clear]
    return Image.fromarray(np.where((_array(picture) == key).all(axis=-1), 0, 255).astype(np.uint8))


def _array(picture: Image.Image) -> npt.NDArray[np.generic]:
    return np.asarray(picture)


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
