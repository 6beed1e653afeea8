"""Colour difference between presets, as opposed to the difference of their parameters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from search.photographers.develop.colours import to_linear
from search.photographers.develop.settings import Preset
from workers.photographers.develop.render import apply

_XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
"""Linear sRGB to XYZ under D65. Source: IEC 61966-2-1."""

_WHITE = _XYZ.sum(axis=1)


def lab(pictures: NDArray[np.uint8]) -> NDArray[np.float32]:
    """CIELAB float32 (..., 3) of sRGB pictures uint8 (..., 3): lightness 0 to 100, green to red, blue to yellow.

    Source: CIE 15, "Colorimetry".
    """
    light = to_linear(np.arange(256) / 255.0)[pictures] @ _XYZ.T / _WHITE
    bent = np.where(light > (6 / 29) ** 3, np.cbrt(light), light * (29 / 6) ** 2 / 3 + 4 / 29)
    x, y, z = np.moveaxis(bent, -1, 0)
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=-1).astype(np.float32)


def colour_distances(presets: Sequence[Preset], pictures: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Mean colour difference ΔE (CIE 1976) between the same pictures developed with either preset, for all pairs in
    the order of ``itertools.combinations``.

    Pictures are uint8 (n, h, w, 3). Grain is left out: two draws of it differ at every pixel, which is not visible.
    """
    plain = [replace(preset, grain=0.0) for preset in presets]
    unused = np.random.default_rng(0)
    made = [lab(np.stack([apply(picture, preset, unused) for picture in pictures])) for preset in plain]
    first, second = np.triu_indices(len(made), 1)
    distances = [np.linalg.norm(made[a] - made[b], axis=-1).mean() for a, b in zip(first, second, strict=True)]
    return np.array(distances, np.float64)
