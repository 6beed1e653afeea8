"""Which colours a picture has, by the names that people use: shares of its pixels under the eleven basic terms.

A pixel is named by lightness, chroma and hue in CIELAB. Hardly any chroma is black, gray or white by lightness; else
the hue decides, and lightness and chroma tell names of one hue apart: brown is dark orange, pink is light red.

Source of CIELAB and of sRGB to XYZ (D65): CIE 15:2004; IEC 61966-2-1:1999. That brown is orange seen dark: Bartleson,
Brown, Color Research and Application 1, 1976. The terms: Berlin and Kay, Basic Color Terms, 1969. The limits were set
so that the named colours of CSS Color Module Level 4 fall under what people call them (tests/workers/embedders).
Whoever changes what any pixel is called raises ``COLOURS_VERSION`` (``search.model_descriptions.concepts``).
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from search.store.base import Array
from search.words.table import COLOURS

_STEP = 2
"""Every second pixel of every second row is named: on 800 photos of 224 x 224 pixels no share differs by more than .012
from that of all pixels, and it takes a quarter of a millisecond."""

_BITS = 5
"""Bits a channel that tell pixels apart: 32,768 colours are named once, in a table."""

_XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
_WHITE = np.array([0.95047, 1.0, 1.08883])


def colour_shares(pictures: NDArray[np.uint8]) -> Array:
    """float32 ``(n, 11)``: for each picture the share of its pixels under each of ``COLOURS``; rows sum to 1.

    Args:
        pictures: sRGB, uint8 ``(n, height, width, 3)``.
    """
    some = pictures[:, ::_STEP, ::_STEP] >> (8 - _BITS)
    cells = (some[..., 0].astype(np.intp) << (2 * _BITS)) | (some[..., 1].astype(np.intp) << _BITS) | some[..., 2]
    shares = np.zeros((len(pictures), len(COLOURS)), np.float32)
    for share, names in zip(shares, _cell_names()[cells], strict=True):
        share[:] = np.bincount(names.ravel(), minlength=len(COLOURS)) / max(1, names.size)
    return shares


def colour_names(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Number in ``COLOURS`` of each pixel, uint8 ``(n,)``.

    Args:
        pixels: sRGB, uint8 ``(n, 3)``.
    """
    light, chroma, hue = _lch(pixels)
    names = np.full(len(pixels), COLOURS.index("gray"), np.uint8)

    def call(name: str, which: NDArray[np.bool_]) -> None:
        names[which] = COLOURS.index(name)

    # Hues of the sRGB primaries, degrees: red 40, yellow 103, green 136, cyan 196, blue 306, magenta 328.
    coloured = (chroma >= _least_chroma(light)) & (light >= 6)
    warm = coloured & (hue >= 46) & (hue < 80)
    ruddy = coloured & ((hue < 46) | (hue >= 350))
    golden = coloured & (hue >= 80) & (hue < 112)
    rosy = coloured & (hue >= 326) & (hue < 350)
    call("red", ruddy)
    call("pink", ruddy & ((light >= 68) | ((light >= 52) & ((hue < 24) | (hue >= 350) | (chroma < 42)))))
    call("brown", ruddy & (chroma < 30) & (light < 45) & (hue >= 24) & (hue < 46))
    call("orange", warm)
    call("brown", warm & ((light < 58) | ((chroma < 45) & (light < 78))))
    call("pink", warm & (chroma < 45) & (light >= 78) & (hue < 56))
    call("white", warm & (chroma < 22) & (light >= 88))
    call("yellow", golden)
    call("brown", golden & (light < 68) & (hue < 96) & (light < 68 - (hue - 80) * 0.6))
    call("brown", golden & (chroma < 35) & (light < 78) & (hue < 96))
    call("green", golden & (hue >= 96) & (light < 62))
    call("green", coloured & (hue >= 112) & (hue < 200))
    call("blue", coloured & (hue >= 200) & (hue < 308))
    call("blue", coloured & (hue >= 190) & (hue < 200) & (light >= 70))
    call("purple", coloured & (hue >= 292) & (hue < 326) & ((light >= 36) | (hue >= 308) | (chroma < 40)))
    call("purple", rosy & (light < 52))
    call("pink", rosy & (light >= 52))
    call("black", ~coloured & (light < 22))
    call("white", ~coloured & (light >= 86))
    return names


def _least_chroma(light: NDArray[np.float64]) -> NDArray[np.float64]:
    """Chroma from which a colour is seen: less is needed in the middle of the range of lightness, where a camera's
    noise and white balance disturb least."""
    return np.where(light < 22, 16.0, np.where(light >= 86, 14.0, 12.5))


@cache
def _cell_names() -> NDArray[np.uint8]:
    """Name of the middle of each cell of the table, by red, green and blue."""
    side = np.arange(1 << _BITS, dtype=np.uint8)
    middle = (side << (8 - _BITS)) + (1 << (7 - _BITS))
    middle[0], middle[-1] = 0, 255  # so that full and no light are just that
    return colour_names(np.stack(np.meshgrid(middle, middle, middle, indexing="ij"), axis=-1).reshape(-1, 3))


def _lch(pixels: NDArray[np.uint8]) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Lightness 0 to 100, chroma, and hue in degrees, each ``(n,)``."""
    signal = pixels.astype(np.float64) / 255
    linear = np.where(signal <= 0.04045, signal / 12.92, ((signal + 0.055) / 1.055) ** 2.4)
    ratio = linear @ _XYZ.T / _WHITE
    root = np.where(ratio > (6 / 29) ** 3, np.cbrt(ratio), ratio / (3 * (6 / 29) ** 2) + 4 / 29)
    light = 116 * root[:, 1] - 16
    a, b = 500 * (root[:, 0] - root[:, 1]), 200 * (root[:, 1] - root[:, 2])
    return light, np.hypot(a, b), np.degrees(np.arctan2(b, a)) % 360
