"""The twelve settings of developing a photo: what they mean, their ranges, and their arithmetic.

The ranges are what an editor of photos would call visible but ordinary, well inside what the sliders of raw developers
allow. They were chosen so before anything was measured on them, and are no settings to be tuned.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import ArrayLike, NDArray


@dataclass(frozen=True, slots=True)
class Preset:
    """How a photographer develops. The default leaves every picture exactly as it is.

    Attributes:
        exposure: stops; +1 doubles the light.
        temperature: stops by which red gains on blue; positive is warmer. Luminance of gray stays.
        tint: stops by which green loses to red and blue; positive is more magenta. Luminance of gray stays.
        contrast: of the tone curve ``v + contrast v (1 - v) (2 v - 1)``, -1 to 1; 1 is the smoothstep. Monotone.
        fade: tone that black is lifted to, share of the full scale; below 0, tones up to there are cut off.
        saturation: factor on the distance from gray; 0 is black and white.
        shadow_warmth, shadow_magenta: split toning of the shadows, share of the full scale: red up and blue down by so
            much; red and blue up and green down by so much.
        highlight_warmth, highlight_magenta: the same of the highlights.
        vignette: stops by which the corners are darkened; it grows with the fourth power of the distance to the centre.
        grain: deviation of monochrome noise in the mid-tones, levels of 255; none in black and white.
    """

    exposure: float = 0.0
    temperature: float = 0.0
    tint: float = 0.0
    contrast: float = 0.0
    fade: float = 0.0
    saturation: float = 1.0
    shadow_warmth: float = 0.0
    shadow_magenta: float = 0.0
    highlight_warmth: float = 0.0
    highlight_magenta: float = 0.0
    vignette: float = 0.0
    grain: float = 0.0

    @property
    def vector(self) -> NDArray[np.float64]:
        """Float64 ``(12,)`` in the order of ``PARAMETERS``: deviations between presets from the middle of the range."""
        standardised: NDArray[np.float64] = (values(self) - _MIDDLE) / DEVIATIONS
        return standardised

    @classmethod
    def of_vector(cls, vector: ArrayLike) -> Preset:
        """Inverse of :attr:`vector`, clipped to what every setting can be (``Range.least``, ``Range.most``)."""
        raw = np.asarray(vector, np.float64) * DEVIATIONS + _MIDDLE
        return cls(*map(float, np.clip(raw, LEAST, MOST)))


@dataclass(frozen=True, slots=True)
class Range:
    """Where presets are drawn from, evenly, and the hard limits that jitter may not cross."""

    low: float
    high: float
    least: float = -math.inf
    most: float = math.inf


RANGES: Mapping[str, Range] = {
    "exposure": Range(-0.75, 0.75),
    "temperature": Range(-0.5, 0.5),
    "tint": Range(-0.15, 0.15),
    "contrast": Range(-0.5, 0.8, -1.0, 1.0),
    "fade": Range(0.0, 0.12, 0.0, 0.5),
    "saturation": Range(0.5, 1.5, 0.0),
    "shadow_warmth": Range(-0.06, 0.06),
    "shadow_magenta": Range(-0.03, 0.03),
    "highlight_warmth": Range(-0.06, 0.06),
    "highlight_magenta": Range(-0.03, 0.03),
    "vignette": Range(0.0, 1.2, 0.0),
    "grain": Range(0.0, 10.0, 0.0),
}
"""By parameter, units as in :class:`Preset`."""

PARAMETERS = tuple(field.name for field in fields(Preset))
LOW: NDArray[np.float64] = np.array([RANGES[name].low for name in PARAMETERS])
HIGH: NDArray[np.float64] = np.array([RANGES[name].high for name in PARAMETERS])
LEAST: NDArray[np.float64] = np.array([RANGES[name].least for name in PARAMETERS])
MOST: NDArray[np.float64] = np.array([RANGES[name].most for name in PARAMETERS])
"""Limits of :data:`RANGES`, float64 ``(12,)`` each, in the order of :data:`PARAMETERS`."""

DEVIATIONS: NDArray[np.float64] = (HIGH - LOW) / math.sqrt(12)
"""Float64 ``(12,)``: standard deviation between presets of each parameter (of the even distribution)."""

_MIDDLE = (LOW + HIGH) / 2

MOST_STRENGTH = 1.5
"""Most that a change of settings is exaggerated by."""

_LEAST_SATURATION = 0.2
"""A photo nearly without colour gets no more than the factor that this one needs: what is gone cannot be scaled."""


def change(own: Preset, wanted: Preset, strength: float = 1.0) -> Preset:
    """Settings that take a photo developed with ``own`` to about what ``wanted`` would have made of it.

    As an editor moves sliders: differences of stops, warmth, contrast, black point and vignette, the ratio of
    saturations, and the grain that is missing. Grain is never taken away. To go from the photo as it is, and from
    nothing done to it, ``own`` is ``Preset()``, and the change is ``wanted`` itself.

    Args:
        strength: share of the way, 0 to ``MOST_STRENGTH``; 0 gives ``Preset()``.
    """
    difference = {name: getattr(wanted, name) - getattr(own, name) for name in PARAMETERS}
    ratio = wanted.saturation / max(own.saturation, _LEAST_SATURATION)
    difference["saturation"] = max(0.0, 1.0 + strength * (ratio - 1.0))
    difference["grain"] = math.sqrt(max(0.0, wanted.grain**2 - own.grain**2))
    for name in PARAMETERS:
        if name != "saturation":
            difference[name] *= strength
    difference["contrast"] = min(1.0, max(-1.0, difference["contrast"]))
    return Preset(**difference)


def values(preset: Preset) -> NDArray[np.float64]:
    """Float64 ``(12,)`` in the order of :data:`PARAMETERS`, units as in :class:`Preset`."""
    return np.array([getattr(preset, name) for name in PARAMETERS])
