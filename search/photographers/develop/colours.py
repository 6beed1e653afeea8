"""What settings of development do to colours: exact maths on floating-point numbers, and the curves behind it.

In this order: exposure and white balance in linear light; contrast curve and fade on the encoded tone; saturation and
split toning on the result. Vignette and grain are of places, not of colours, and lie in
``workers.photographers.develop.render``.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from search.photographers.develop.settings import Preset

LUMA = np.array((0.2126, 0.7152, 0.0722))
"""Weights of red, green and blue in luminance. Source: ITU-R BT.709."""


def to_linear(encoded: NDArray[np.float64]) -> NDArray[np.float64]:
    """Light of an sRGB tone, both 0 to 1. Source: IEC 61966-2-1."""
    return np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)


def to_tone(linear: NDArray[np.float64]) -> NDArray[np.float64]:
    """The inverse of :func:`to_linear`."""
    return np.where(linear <= 0.0031308, linear * 12.92, 1.055 * np.maximum(linear, 0.0) ** (1 / 2.4) - 0.055)


def developed(colours: NDArray[np.float64], preset: Preset) -> NDArray[np.float64]:
    """Colours as the preset makes them: sRGB tones 0 to 1, float64 ``(..., 3)`` both."""
    light = np.minimum(to_linear(colours) * gains(preset), 1.0)
    tone = curve(to_tone(light), preset) @ mix(preset).T
    luma = np.clip(tone @ LUMA, 0.0, 1.0)
    made: NDArray[np.float64] = np.clip(tone + toning(luma, preset), 0.0, 1.0)
    return made


def gains(preset: Preset) -> NDArray[np.float64]:
    """Float64 ``(3,)``: factors of exposure and white balance on the light of red, green and blue."""
    warm, magenta = preset.temperature / 2, preset.tint / 2
    balance = 2.0 ** np.array((warm + magenta, -magenta, -warm + magenta))
    factors: NDArray[np.float64] = balance * (2.0**preset.exposure / float(LUMA @ balance))
    return factors


def curve(tone: NDArray[np.float64], preset: Preset) -> NDArray[np.float64]:
    """Tones, float64 of any shape, after contrast and fade; not clipped."""
    bent = tone + preset.contrast * tone * (1 - tone) * (2 * tone - 1)
    return preset.fade + (1 - preset.fade) * bent


def mix(preset: Preset) -> NDArray[np.float64]:
    """Float64 ``(3, 3)``: the matrix of the saturation, which keeps gray and luma."""
    matrix: NDArray[np.float64] = preset.saturation * np.eye(3) + (1 - preset.saturation) * np.tile(LUMA, (3, 1))
    return matrix


def toning(luma: NDArray[np.float64], preset: Preset) -> NDArray[np.float64]:
    """Float64 ``(..., 3)``: what split toning adds at this luma. Its own luma is 0, so that it only tints."""
    shadow = tint(preset.shadow_warmth, preset.shadow_magenta)
    highlight = tint(preset.highlight_warmth, preset.highlight_magenta)
    at: NDArray[Any] = luma[..., None]
    added: NDArray[np.float64] = (1 - at) ** 2 * shadow + at**2 * highlight
    return added


def tint(warmth: float, magenta: float) -> NDArray[np.float64]:
    """Float64 ``(3,)``: a tint of red, green and blue, share of the full scale, of luma 0."""
    given = warmth * np.array((1.0, 0.0, -1.0)) + magenta * np.array((1.0, -1.0, 1.0))
    neutral: NDArray[np.float64] = given - LUMA @ given
    return neutral
