"""Crop, resize and shrink pictures and frames, as models and previews need them."""

from __future__ import annotations

import io

import numpy as np
import numpy.typing as npt
from PIL import Image

from workers.decode.decoded import CROP

SHORT_SIDE = 256
"""Short side after torchvision's ``Resize(256)``, before ``CenterCrop(224)``."""

WORKING_SHORT_SIDE = 640
"""Least short side after cheap shrinking (DCT scaling, box averaging): two and a half times that of the crop, so that
the antialiased resize still determines the input of the model. Measured with EfficientNet-Lite0 on enlarged
photographs against the full decode, the least cosine is .995 from 550 pixels and .999 from 1,100."""

PREVIEW_SIDE = 480

Box = tuple[float, float, float, float]


def crop_box(width: int, height: int) -> Box:
    """Left, top, right, bottom of the part of a picture that ``Resize(256)`` and ``CenterCrop(224)`` keep, pixels.

    Source: torchvision ``Resize`` (short side 256, long side truncated) and ``CenterCrop`` (rounded offset).
    """
    short, long = sorted((width, height))
    resized_long = int(SHORT_SIDE * long / short)
    resized = (SHORT_SIDE, resized_long) if width <= height else (resized_long, SHORT_SIDE)
    left, top = (round((side - CROP) / 2.0) for side in resized)
    across, down = width / resized[0], height / resized[1]
    return left * across, top * down, (left + CROP) * across, (top + CROP) * down


def crop(picture: Image.Image, full_size: tuple[int, int] | None = None) -> npt.NDArray[np.uint8]:
    """The 224 x 224 centre crop of image models, uint8 (224, 224, 3) RGB.

    Args:
        full_size: width and height before ``picture`` was shrunk cheaply. The box is computed at that size: shrinking
            rounds, and a box computed afterwards can be off by a whole pixel.

    The resize computes only the kept part: the same pixels as resizing everything and cropping, without the gigabytes
    that a resized picture of 50,000 x 1 would take.
    """
    width, height = full_size or picture.size
    across, down = picture.width / width, picture.height / height
    left, top, right, bottom = crop_box(width, height)
    box = (left * across, top * down, min(right * across, picture.width), min(bottom * down, picture.height))
    boxed = picture.resize((CROP, CROP), Image.Resampling.BILINEAR, box=box)
    return np.asarray(boxed, np.uint8)


def squeeze(picture: Image.Image) -> npt.NDArray[np.uint8]:
    """All of ``picture`` resized to a square whatever its proportions, uint8 (224, 224, 3) RGB."""
    return np.asarray(picture.resize((CROP, CROP), Image.Resampling.BILINEAR), np.uint8)


def reduction(width: int, height: int) -> int:
    """Integer factor by which a picture may be shrunk cheaply before it is cropped."""
    return max(1, min(width, height) // WORKING_SHORT_SIDE)


def fit_preview(picture: Image.Image) -> Image.Image:
    """``picture`` with its long side at most 480 pixels."""
    scale = PREVIEW_SIDE / max(picture.size)
    if scale >= 1:
        return picture
    size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
    return picture.resize(size, Image.Resampling.BILINEAR, reducing_gap=1.0)


def encode_preview(picture: Image.Image) -> bytes:
    """WebP bytes of a preview. Method 1 of 0–6: a third of the default's time for a tenth more bytes."""
    buffer = io.BytesIO()
    picture.save(buffer, "WEBP", quality=78, method=1)
    return buffer.getvalue()
