"""Develop a picture by a preset, whole or in bands of rows, so that a large one takes no more memory than a band.

Colours as in ``search.photographers.develop.colours``, from tables; vignette in linear light before the contrast curve,
grain last.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from search.photographers.develop.colours import LUMA, curve, gains, mix, to_linear, to_tone, toning
from search.photographers.develop.settings import Preset

BAND = 64
"""Rows that are developed at a time."""

_STEPS = 4096
"""Entries of the table from light to tone; it is asked by the root of light, as coarse in the shadows as the eye is."""


def apply(picture: NDArray[np.uint8], preset: Preset, rng: np.random.Generator) -> NDArray[np.uint8]:
    """The picture as this photographer develops it, uint8 ``(h, w, 3)`` sRGB like ``picture``, which is left alone.

    Args:
        rng: of the grain; not touched where there is none.
    """
    height = len(picture)
    return _Tables(preset).rows(picture, 0, height, rng)


def bands(picture: NDArray[np.uint8], preset: Preset, seed: int = 0) -> Iterator[NDArray[np.uint8]]:
    """As :func:`apply` with a generator of this seed, in bands of ``BAND`` rows from the top; together they are the
    same, pixel by pixel. The picture may be memory-mapped."""
    tables, rng = _Tables(preset), np.random.default_rng(seed)
    for top in range(0, len(picture), BAND):
        yield tables.rows(picture[top : top + BAND], top, len(picture), rng)


class _Tables:
    """Tables of a preset; a take per channel is several times faster than maths, or one fancy index, of each pixel."""

    def __init__(self, preset: Preset) -> None:
        self._preset = preset
        light = to_linear(np.arange(256) / 255.0)
        self._roots = np.sqrt(gains(preset)[:, None] * light).astype(np.float32)  # (3, 256), by level
        self._curve = curve(to_tone(np.linspace(0.0, 1.0, _STEPS) ** 2), preset).astype(np.float32)
        luma = np.linspace(0.0, 1.0, 256)
        self._toning = toning(luma, preset).astype(np.float32)  # (256, 3), by luma
        self._grain = (preset.grain / 255 * 4 * luma * (1 - luma)).astype(np.float32)  # (256,), by luma

    def rows(self, picture: NDArray[np.uint8], top: int, height: int, rng: np.random.Generator) -> NDArray[np.uint8]:
        """Rows of a picture of ``height`` rows, from ``top`` on."""
        preset = self._preset
        light = np.stack([self._roots[c].take(picture[..., c]) for c in range(3)], axis=-1)
        if preset.vignette:
            falloff = _falloff(height, picture.shape[1], preset.vignette, slice(top, top + len(picture)))
            light *= np.sqrt(falloff)[..., None]
        np.minimum(light, 1.0, out=light)
        light *= _STEPS - 1
        light += 0.5
        tone = self._curve.take(light.astype(np.uint16))
        if preset.saturation != 1.0:
            tone = tone @ mix(preset).T.astype(np.float32)
        luma = tone @ LUMA.astype(np.float32)
        level = (np.clip(luma, 0.0, 1.0) * 255 + 0.5).astype(np.uint8)
        if self._toning.any():
            tone += self._toning.take(level, axis=0)
        if preset.grain:
            grain = rng.standard_normal(luma.shape, np.float32)
            grain *= self._grain.take(level)
            tone += grain[..., None]
        tone *= 255.0
        tone += 0.5
        return np.clip(tone, 0.0, 255.0, out=tone).astype(np.uint8)


def _falloff(height: int, width: int, stops: float, rows: slice) -> NDArray[np.float32]:
    """Float32 ``(rows, w)``: share of the light that the vignette lets through, 1 at the centre."""
    y = np.linspace(-1.0, 1.0, height, dtype=np.float32)[rows] if height > 1 else np.zeros(1, np.float32)
    x = np.linspace(-1.0, 1.0, width, dtype=np.float32) if width > 1 else np.zeros(1, np.float32)
    radius2 = (np.square(y)[:, None] + np.square(x)[None, :]) / 2
    return np.exp2(np.float32(-stops) * np.square(radius2))
