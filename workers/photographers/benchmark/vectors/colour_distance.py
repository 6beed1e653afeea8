"""Colour difference between presets, as opposed to the difference of their parameters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

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


def delta_e_2000(one: NDArray[Any], other: NDArray[Any]) -> NDArray[np.float64]:
    """Colour difference ΔE*00 of CIELAB colours (..., 3), float64 (...).

    Source: Sharma, Wu and Dalal, "The CIEDE2000 color-difference formula: implementation notes, supplementary test
    data, and mathematical observations", Color Research and Application, 2005.
    """
    (l1, a1, b1), (l2, a2, b2) = (np.moveaxis(np.asarray(lab, np.float64), -1, 0) for lab in (one, other))
    chroma = (np.hypot(a1, b1) + np.hypot(a2, b2)) / 2
    stretch = 1 + 0.5 * (1 - np.sqrt(chroma**7 / (chroma**7 + 25.0**7)))
    c1, c2 = np.hypot(stretch * a1, b1), np.hypot(stretch * a2, b2)
    h1, h2 = (np.degrees(np.arctan2(b, stretch * a)) % 360 for a, b in ((a1, b1), (a2, b2)))
    gray = c1 * c2 == 0
    turn = np.where(gray, 0.0, (h2 - h1 + 180) % 360 - 180)
    turn = np.where(~gray & (h1 - h2 == 180), -180.0, np.where(~gray & (h2 - h1 == 180), 180.0, turn))
    total = h1 + h2
    mean = np.where(np.abs(h1 - h2) <= 180, total / 2, np.where(total < 360, total / 2 + 180, total / 2 - 180))
    mean = np.where(gray, total, mean)
    light, chroma = (l1 + l2) / 2, (c1 + c2) / 2
    hue = 2 * np.sqrt(c1 * c2) * np.sin(np.radians(turn) / 2)
    weight = (
        1
        - 0.17 * np.cos(np.radians(mean - 30))
        + 0.24 * np.cos(np.radians(2 * mean))
        + 0.32 * np.cos(np.radians(3 * mean + 6))
        - 0.20 * np.cos(np.radians(4 * mean - 63))
    )
    s_light = 1 + 0.015 * (light - 50) ** 2 / np.sqrt(20 + (light - 50) ** 2)
    s_chroma, s_hue = 1 + 0.045 * chroma, 1 + 0.015 * chroma * weight
    rotation = np.sin(np.radians(60 * np.exp(-(((mean - 275) / 25) ** 2))))
    rotation *= -2 * np.sqrt(chroma**7 / (chroma**7 + 25.0**7))
    d_light, d_chroma, d_hue = (l2 - l1) / s_light, (c2 - c1) / s_chroma, hue / s_hue
    square = d_light**2 + d_chroma**2 + d_hue**2 + rotation * d_chroma * d_hue
    difference: NDArray[np.float64] = np.sqrt(np.maximum(square, 0.0))
    return difference


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
