"""The trained encoder: statistics of a picture, weighed by how little content moves them.

It is learnt from photos of the gallery's side alone, developed under presets of its own that no photographer of the
benchmark has. What those presets explain of the statistics is style; what is left over is content, and its covariance
says which directions content moves. Half of the covariance comes from the photographers' own photos in the gallery. In
the encoder's coordinates content is as strong in every direction, so Euclidean distance is Mahalanobis distance.

Source: Hatch, Kajarekar and Stolcke, "Within-class covariance normalization for SVM-based speaker recognition", 2006.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from search.photographers.presets import PARAMETERS, apply, draw_presets
from search.store.base import Array
from workers.presets.eyes import Eyes
from workers.presets.intervals import Floats
from workers.presets.photos import BasePhoto

EACH = 5
"""Renders of a photo to practise on."""

SHRINKAGE = 0.03
"""Share of the covariance that is made the same in every direction."""

FARTHEST = 6.0
"""Deviations beyond which a statistic is cut off: no picture is that odd, one broken statistic might be."""


@dataclass(frozen=True, slots=True)
class Practice:
    """Renders that the encoder is learnt from.

    Attributes:
        statistics: float32 ``(n, dim)``.  parameters: float64 ``(n, 12)``, the vectors of their presets.
    """

    statistics: Array
    parameters: Floats


def practise(photos: Sequence[BasePhoto], eyes: Eyes, seed: int, tick: Callable[[], None]) -> Practice:
    """Develop each photo under a few presets drawn for it alone, and look at the statistics.

    Raises:
        MediaError, ModelError: see :meth:`Eyes.glance`.
    """
    rng = np.random.default_rng((seed, 4))
    presets = draw_presets(EACH * len(photos), rng)
    batches = (
        [apply(photo.pixels, preset, rng) for preset in presets[EACH * at : EACH * (at + 1)]]
        for at, photo in enumerate(photos)
    )
    seen: list[Array] = []
    for statistics in eyes.glance(batches):
        seen.append(statistics)
        tick()
    return Practice(np.concatenate(seen), np.stack([preset.vector for preset in presets]))


@dataclass(frozen=True, slots=True)
class Encoder:
    """Statistics ``(…, dim)`` to vectors of as many dimensions, float32, in which content has deviation 1."""

    mean: Floats
    scale: Floats
    axes: Floats

    def __call__(self, statistics: Array) -> Array:
        vectors: Array = (self._standard(statistics) @ self.axes).astype(np.float32)
        return vectors

    def _standard(self, statistics: Array) -> Floats:
        standard: Floats = np.clip((statistics - self.mean) / self.scale, -FARTHEST, FARTHEST)
        return standard


def train_encoder(gallery: Array, practice: Practice) -> Encoder:
    """
    Args:
        gallery: statistics of the photographers' photos, float32 ``(photos, presets, dim)``.
    """
    rows = gallery.reshape(-1, gallery.shape[-1]).astype(np.float64)
    spread = rows.std(axis=0)
    plain = Encoder(rows.mean(axis=0), np.where(spread > 1e-9, spread, 1.0), np.eye(rows.shape[1]))
    own = plain._standard(gallery)
    content = (own - own.mean(axis=0)).reshape(rows.shape)
    left = _unexplained(plain._standard(practice.statistics), practice.parameters)
    covariance = (content.T @ content / len(content) + left.T @ left / len(left)) / 2
    even = np.trace(covariance) / len(covariance) * np.eye(len(covariance))
    values, axes = np.linalg.eigh((1 - SHRINKAGE) * covariance + SHRINKAGE * even)
    return Encoder(plain.mean, plain.scale, axes / np.sqrt(np.maximum(values, 1e-12)))


def _unexplained(statistics: Floats, parameters: NDArray[np.float64]) -> Floats:
    """What is left of the statistics after their best fit by the parameters and their squares."""
    given = np.concatenate((np.ones((len(parameters), 1)), parameters, parameters**2), axis=1)
    if len(given) <= 2 * len(PARAMETERS) + 1:
        given = given[:, :1]
    left: Floats = statistics - given @ np.linalg.lstsq(given, statistics, rcond=None)[0]
    left *= np.sqrt(len(given) / (len(given) - given.shape[1]))
    return left
