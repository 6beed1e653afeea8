"""Invented photographers, each a preset of developing pictures, so that measures of style have a truth.

A preset is what a photographer does to a photo after taking it: exposure, white balance, contrast curve, saturation,
split toning, vignette and grain. Every parameter is drawn evenly from its range (``RANGES`` in
``search.photographers.develop.settings``). Left out is what would give a photographer away at one look, such as black
and white: that would make the benchmark easier, not better.

Source of the task: Bianco, Cusano and Schettini, "Artistic photo filtering recognition using CNNs", 2017, and Thomas
and Kovashka, "Seeing behind the camera", CVPR 2016.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from search.photographers.develop.settings import DEVIATIONS, HIGH, LEAST, LOW, MOST, PARAMETERS, Preset, values

JITTER: Mapping[str, float] = {"low": 0.1, "medium": 0.25, "high": 0.5}
"""How much one photographer's photos differ, in deviations between photographers. """


def draw_presets(n: int, rng: np.random.Generator) -> tuple[Preset, ...]:
    """``n`` presets, each parameter spread over its range: one in each n-th of it, in random order (a Latin hypercube),
    so that a small number of photographers is as different as a large one."""
    strata = np.stack([rng.permutation(n) for _ in PARAMETERS], axis=1)
    raw = LOW + (HIGH - LOW) * (strata + rng.random(strata.shape)) / max(n, 1)
    return tuple(Preset(*map(float, row)) for row in raw)


def jitter(preset: Preset, level: float, rng: np.random.Generator) -> Preset:
    """The preset as applied to one photo: every parameter moved by a normal of ``level`` deviations between presets."""
    raw = values(preset) + level * DEVIATIONS * rng.standard_normal(len(PARAMETERS))
    return Preset(*map(float, np.clip(raw, LEAST, MOST)))


def distance(a: Preset, b: Preset) -> float:
    """How differently two photographers work: Euclidean distance in deviations between presets."""
    return float(np.linalg.norm(a.vector - b.vector))
