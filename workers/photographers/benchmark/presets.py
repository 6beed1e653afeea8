"""Invented photographers, each a preset of developing pictures, so that measures of style have a truth.

A preset is what a photographer does to a photo after taking it: exposure, white balance, contrast curve, saturation,
split toning, vignette and grain. Every parameter is drawn evenly from a range that an editor of photos would call
visible but ordinary, well inside what the sliders of raw developers allow. Left out is what would give a photographer
away at one look, such as black and white: that would make the benchmark easier, not better. The ranges were chosen so
before anything was measured on them, and are no settings to be tuned.

Source of the task: Bianco, Cusano and Schettini, "Artistic photo filtering recognition using CNNs", 2017, and Thomas
and Kovashka, "Seeing behind the camera", CVPR 2016.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

LUMA = np.array((0.2126, 0.7152, 0.0722))
"""Weights of red, green and blue in luminance. Source: ITU-R BT.709."""

_STEPS = 4096
"""Entries of the table from light to tone; it is asked by the root of light, as coarse in the shadows as the eye is."""


@dataclass(frozen=True, slots=True)
class Preset:
    """How a photographer develops. The default leaves every picture exactly as it is.

    Attributes:
        exposure: stops; +1 doubles the light.
        temperature: stops by which red gains on blue; positive is warmer. Luminance of gray stays.
        tint: stops by which green loses to red and blue; positive is more magenta. Luminance of gray stays.
        contrast: of the tone curve ``v + contrast v (1 - v) (2 v - 1)``, -1 to 1; 1 is the smoothstep. Monotone.
        fade: tone that black is lifted to, share of the full scale.
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
        raw = np.array([getattr(self, name) for name in PARAMETERS])
        standardised: NDArray[np.float64] = (raw - _MIDDLE) / DEVIATIONS
        return standardised


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
_LOW = np.array([RANGES[name].low for name in PARAMETERS])
_HIGH = np.array([RANGES[name].high for name in PARAMETERS])
_LEAST = np.array([RANGES[name].least for name in PARAMETERS])
_MOST = np.array([RANGES[name].most for name in PARAMETERS])
_MIDDLE = (_LOW + _HIGH) / 2
DEVIATIONS: NDArray[np.float64] = (_HIGH - _LOW) / math.sqrt(12)
"""Float64 ``(12,)``: standard deviation between presets of each parameter (of the even distribution)."""

JITTER: Mapping[str, float] = {"low": 0.1, "medium": 0.25, "high": 0.5}
"""How much one photographer's photos differ, in deviations between photographers. """


def draw_presets(n: int, rng: np.random.Generator) -> tuple[Preset, ...]:
    """``n`` presets, each parameter spread over its range: one in each n-th of it, in random order (a Latin hypercube),
    so that a small number of photographers is as different as a large one."""
    strata = np.stack([rng.permutation(n) for _ in PARAMETERS], axis=1)
    raw = _LOW + (_HIGH - _LOW) * (strata + rng.random(strata.shape)) / max(n, 1)
    return tuple(Preset(*map(float, row)) for row in raw)


def jitter(preset: Preset, level: float, rng: np.random.Generator) -> Preset:
    """The preset as applied to one photo: every parameter moved by a normal of ``level`` deviations between presets."""
    raw = np.array([getattr(preset, name) for name in PARAMETERS]) + level * DEVIATIONS * rng.standard_normal(
        len(PARAMETERS)
    )
    return Preset(*map(float, np.clip(raw, _LEAST, _MOST)))


def distance(a: Preset, b: Preset) -> float:
    """How differently two photographers work: Euclidean distance in deviations between presets."""
    return float(np.linalg.norm(a.vector - b.vector))


def apply(picture: NDArray[np.uint8], preset: Preset, rng: np.random.Generator) -> NDArray[np.uint8]:
    """The picture as this photographer develops it, uint8 ``(h, w, 3)`` sRGB like ``picture``, which is left alone.

    In this order: exposure, white balance and vignette in linear light; contrast curve and fade on the encoded tone;
    saturation, split toning and grain on the result.

    Args:
        rng: of the grain; not touched where there is none.
    """
    roots = _light_roots(preset)
    # A take per channel is several times faster than one fancy index of the whole picture.
    light = np.stack([roots[c].take(picture[..., c]) for c in range(3)], axis=-1)
    if preset.vignette:
        light *= np.sqrt(_falloff(picture.shape[0], picture.shape[1], preset.vignette))[..., None]
    np.minimum(light, 1.0, out=light)
    light *= _STEPS - 1
    light += 0.5
    tone = _tone_curve(preset).take(light.astype(np.uint16))
    if preset.saturation != 1.0:
        mix = preset.saturation * np.eye(3) + (1 - preset.saturation) * np.tile(LUMA, (3, 1))
        tone = tone @ mix.T.astype(np.float32)
    luma = tone @ LUMA.astype(np.float32)
    level = (np.clip(luma, 0.0, 1.0) * 255 + 0.5).astype(np.uint8)
    toning = _toning(preset)
    if toning.any():
        tone += toning.take(level, axis=0)
    if preset.grain:
        grain = rng.standard_normal(luma.shape, np.float32)
        grain *= _grain_strength(preset.grain).take(level)
        tone += grain[..., None]
    tone *= 255.0
    tone += 0.5
    return np.clip(tone, 0.0, 255.0, out=tone).astype(np.uint8)


def to_linear(encoded: NDArray[np.float64]) -> NDArray[np.float64]:
    """Light of an sRGB tone, both 0 to 1. Source: IEC 61966-2-1."""
    return np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)


def to_tone(linear: NDArray[np.float64]) -> NDArray[np.float64]:
    """The inverse of :func:`to_linear`."""
    return np.where(linear <= 0.0031308, linear * 12.92, 1.055 * np.maximum(linear, 0.0) ** (1 / 2.4) - 0.055)


def _light_roots(preset: Preset) -> NDArray[np.float32]:
    """Float32 ``(3, 256)``: root of the light of each level of red, green and blue, exposed and balanced."""
    warm, magenta = preset.temperature / 2, preset.tint / 2
    gains = 2.0 ** np.array((warm + magenta, -magenta, -warm + magenta))
    gains *= 2.0**preset.exposure / float(LUMA @ gains)
    light = to_linear(np.arange(256) / 255.0)
    return np.sqrt(gains[:, None] * light).astype(np.float32)


def _tone_curve(preset: Preset) -> NDArray[np.float32]:
    """Float32 ``(_STEPS,)``: tone after contrast and fade, by the root of light."""
    tone = to_tone(np.linspace(0.0, 1.0, _STEPS) ** 2)
    tone = tone + preset.contrast * tone * (1 - tone) * (2 * tone - 1)
    return (preset.fade + (1 - preset.fade) * tone).astype(np.float32)


def _toning(preset: Preset) -> NDArray[np.float32]:
    """Float32 ``(256, 3)``: what split toning adds by luma. Its own luma is 0, so that it only tints."""
    luma = np.linspace(0.0, 1.0, 256)[:, None]
    shadow = _tinted(preset.shadow_warmth, preset.shadow_magenta)
    highlight = _tinted(preset.highlight_warmth, preset.highlight_magenta)
    added: NDArray[np.float32] = ((1 - luma) ** 2 * shadow + luma**2 * highlight).astype(np.float32)
    return added


def _tinted(warmth: float, magenta: float) -> NDArray[np.float64]:
    tint = warmth * np.array((1.0, 0.0, -1.0)) + magenta * np.array((1.0, -1.0, 1.0))
    neutral: NDArray[np.float64] = tint - LUMA @ tint
    return neutral


def _grain_strength(grain: float) -> NDArray[np.float32]:
    """Float32 ``(256,)``: deviation of the grain by luma, share of the full scale."""
    luma = np.linspace(0.0, 1.0, 256)
    return (grain / 255 * 4 * luma * (1 - luma)).astype(np.float32)


def _falloff(height: int, width: int, stops: float) -> NDArray[np.float32]:
    """Float32 ``(h, w)``: share of the light that the vignette lets through, 1 at the centre."""
    y = np.linspace(-1.0, 1.0, height, dtype=np.float32) if height > 1 else np.zeros(1, np.float32)
    x = np.linspace(-1.0, 1.0, width, dtype=np.float32) if width > 1 else np.zeros(1, np.float32)
    radius2 = (np.square(y)[:, None] + np.square(x)[None, :]) / 2
    return np.exp2(np.float32(-stops) * np.square(radius2))
