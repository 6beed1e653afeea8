"""Convert pictures with an ICC profile, or other words on their colours, to sRGB by littleCMS.

Source: intents and black point compensation: ICC.1:2022 and Adobe Systems' Implementation of Black Point Compensation
(2006). A profile with a table is used perceptually, one of curves and primaries by relative colorimetry.
"""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from PIL import Image, ImageCms

from workers.decode.image.pixel_modes import to_flat

BROKEN = "Its colour profile cannot be used; colours are shown as if it had none."

_LONGEST_PROFILE = 8 << 20
_SAME = 3
"""Levels by which a profile's colours may differ from sRGB's and still be taken for them."""
_MODES = {"RGB": "RGB", "GRAY": "L", "CMYK": "CMYK", "Lab": "LAB"}
"""Pillow's mode by the colour space of a profile."""


@dataclass(frozen=True, slots=True)
class Conversion:
    """What a profile does to pictures of one mode.

    Attributes:
        mode: Pillow's mode of what it converts.
        transform: to sRGB; None where the profile is sRGB itself.
        key: 16 hex digits of the profile; empty where there is nothing to convert.
    """

    mode: str
    transform: ImageCms.ImageCmsTransform | None = None
    key: str = ""


def conversion_of(picture: Image.Image, profile: bytes) -> Conversion | None:
    """What ``profile`` does to the pixels of a loaded picture; None where it cannot be used."""
    if not 0 < len(profile) <= _LONGEST_PROFILE:
        return None
    found = _conversion(profile)
    return found if found is not None and found.mode in _suited(picture) else None


def converted(picture: Image.Image, conversion: Conversion) -> Image.Image:
    """sRGB of a loaded picture without transparency, in any mode that suits its profile."""
    flat = picture if picture.mode == conversion.mode else to_flat(picture).convert(conversion.mode)
    if conversion.transform is None:
        return flat.convert("RGB")
    return conversion.transform.apply(flat)


def _suited(picture: Image.Image) -> tuple[str, ...]:
    """Modes of profiles that a picture of this mode may have."""
    if picture.mode in ("CMYK", "LAB"):
        return (picture.mode,)
    gray = picture.mode in ("1", "L", "LA", "La", "I", "F") or picture.mode.startswith("I;16")
    return ("L",) if gray else ("RGB", "L") if picture.mode in ("P", "RGBA") else ("RGB",)


@lru_cache(maxsize=16)
def _conversion(profile: bytes) -> Conversion | None:
    """Built once for each profile, as that takes longer than using it."""
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        mode = _MODES.get(source.profile.xcolor_space.strip())
        if mode is None:
            return None
        matrix = source.profile.is_matrix_shaper or mode == "L"
        transform = ImageCms.buildTransform(
            source,
            _srgb(),
            mode,
            "RGB",
            ImageCms.Intent.RELATIVE_COLORIMETRIC if matrix else ImageCms.Intent.PERCEPTUAL,
            ImageCms.Flags.BLACKPOINTCOMPENSATION,
        )
        sample = _sample(mode)
        changed = np.asarray(transform.apply(sample), np.int16) - np.asarray(sample.convert("RGB"), np.int16)
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError, AttributeError):
        return None
    if mode in ("RGB", "L") and int(np.abs(changed).max()) <= _SAME:
        return Conversion(mode)
    return Conversion(mode, transform, hashlib.sha256(profile).hexdigest()[:16])


@lru_cache(maxsize=1)
def _srgb() -> ImageCms.ImageCmsProfile:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))


def _sample(mode: str) -> Image.Image:
    """Colours all over the space; of gray all levels."""
    if mode == "L":
        return Image.fromarray(np.arange(256, dtype=np.uint8)[np.newaxis])
    levels = np.array([0, 32, 64, 128, 192, 255], np.uint8)
    grid = np.stack(np.meshgrid(levels, levels, levels, indexing="ij"), -1).reshape(1, -1, 3)
    return Image.fromarray(grid) if mode == "RGB" else Image.new(mode, (1, 1))
