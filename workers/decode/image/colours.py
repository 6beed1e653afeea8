"""Bring a loaded picture to sRGB by whatever it says of its colours, and onto a background if it is partly clear."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image

from workers.decode.image.colour_profiles import BROKEN, Conversion, conversion_of, converted
from workers.decode.image.hdr import ColourCodes
from workers.decode.image.matrix_profiles import (
    ADOBE_GAMMA,
    ADOBE_PRIMARIES,
    D65,
    SRGB_PRIMARIES,
    Primaries,
    gray_profile,
    rgb_profile,
)
from workers.decode.image.pixel_modes import alpha_of, to_flat, to_rgb
from workers.decode.image.transparency import flattened
from workers.decode.metadata.exif import directory
from workers.decode.tone_mapping import to_srgb

_EXIF, _INTEROP = 0x8769, 0xA005
_COLOUR_SPACE, _ADOBE = 0xA001, 2
_INDEX, _ADOBE_INDEX = 1, "R03"
_GAMMA, _GAMMA_SLACK, _CHROMATICITY_SLACK = 1 / 2.2, 0.06, 0.01


@dataclass(frozen=True, slots=True)
class Colours:
    """How the pixels of one picture become sRGB.

    Attributes:
        codes: for HDR and wide gamut without a profile.
        conversion: by a profile; None where none is needed.
        remark: what a person should know of it.
    """

    codes: ColourCodes | None = None
    conversion: Conversion | None = None
    remark: str | None = None

    @property
    def converts(self) -> bool:
        return self.codes is not None or self.conversion is not None

    @property
    def key(self) -> bytes:
        """Names the conversion, so that equal samples of different colours are different pictures."""
        if self.codes is not None:
            return f"{self.codes.transfer},{self.codes.primaries}".encode()
        return self.conversion.key.encode() if self.conversion is not None else b""


def colours_of(picture: Image.Image, codes: ColourCodes | None) -> Colours:
    """How a loaded picture becomes sRGB.

    An HDR code goes before a profile, which can only describe a fallback; a profile before all else.
    """
    if codes is not None and codes.hdr and picture.mode not in ("CMYK", "LAB"):
        return Colours(codes)
    profile = picture.info.get("icc_profile")
    if isinstance(profile, bytes) and profile:
        conversion = conversion_of(picture, profile)
        if conversion is None:
            return Colours(remark=BROKEN)
        return Colours(conversion=conversion if conversion.transform is not None else None)
    if codes is not None and picture.mode not in ("CMYK", "LAB"):
        return Colours(codes)
    named = _named_profile(picture)
    conversion = conversion_of(picture, named) if named else None
    return Colours(conversion=conversion if conversion is not None and conversion.transform is not None else None)


def as_srgb(picture: Image.Image, colours: Colours) -> Image.Image:
    """RGB of a loaded picture, which may have been shrunk."""
    if not colours.converts:
        return to_rgb(picture)
    alpha = alpha_of(picture)
    if colours.codes is not None:
        samples = np.asarray(to_flat(picture).convert("RGB"))
        rgb = Image.fromarray(to_srgb(samples, colours.codes.transfer, colours.codes.primaries))
    else:
        assert colours.conversion is not None
        rgb = converted(picture, colours.conversion)
    return rgb if alpha is None else flattened(rgb, alpha)


def _named_profile(picture: Image.Image) -> bytes | None:
    """A profile made from what the picture says instead of one."""
    if picture.format == "PNG":
        return _png_profile(picture)
    if picture.format in ("JPEG", "MPO", "TIFF") and picture.mode == "RGB" and _says_adobe(picture):
        return rgb_profile(ADOBE_PRIMARIES, ADOBE_GAMMA)
    return None


def _says_adobe(picture: Image.Image) -> bool:
    """By EXIF's colour space (2 is what cameras write for Adobe RGB) or its interoperability index."""
    if directory(picture, _EXIF).get(_COLOUR_SPACE) == _ADOBE:
        return True
    index = directory(picture, _INTEROP).get(_INDEX)
    return isinstance(index, str) and index.strip("\0 ") == _ADOBE_INDEX


def _png_profile(picture: Image.Image) -> bytes | None:
    """By gAMA and cHRM, where they plainly say something else than sRGB."""
    if "srgb" in picture.info:
        return None
    gamma, chromaticity = picture.info.get("gamma"), picture.info.get("chromaticity")
    exponent = float(gamma) if isinstance(gamma, int | float) and 0.1 <= gamma <= 5 else _GAMMA
    primaries = _primaries(chromaticity)
    if abs(exponent - _GAMMA) <= _GAMMA_SLACK and primaries is None:
        return None
    gray = picture.mode in ("1", "L", "LA", "I", "F") or picture.mode.startswith("I;16")
    if gray:
        return gray_profile(1 / exponent) if abs(exponent - _GAMMA) > _GAMMA_SLACK else None
    try:
        return rgb_profile(primaries or SRGB_PRIMARIES, 1 / exponent)
    except (ValueError, ArithmeticError):
        return None


def _primaries(chromaticity: object) -> Primaries | None:
    """Of cHRM (white, red, green, blue); None where they are sRGB's, or none."""
    if not isinstance(chromaticity, tuple) or len(chromaticity) != 8:
        return None
    white, red, green, blue = ((float(x), float(y)) for x, y in zip(chromaticity[::2], chromaticity[1::2], strict=True))
    given = np.array((red, green, blue, white))
    if np.abs(given - np.array(SRGB_PRIMARIES)).max() <= _CHROMATICITY_SLACK:
        return None
    return red, green, blue, white if all(white) else D65
