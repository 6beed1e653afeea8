"""An encoder in closed form: statistics of a picture, weighed by how little content moves them.

It is learnt from photos of the gallery's side alone, developed under presets of its own that no photographer of the
benchmark has. What those presets explain of the statistics is style; what is left over is content, and its covariance
says which directions content moves. Half of the covariance comes from the photographers' own photos in the gallery. In
the encoder's coordinates content is as strong in every direction, so Euclidean distance is Mahalanobis distance.

Source: Hatch, Kajarekar and Stolcke, "Within-class covariance normalization for SVM-based speaker recognition", 2006.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from search.photographers.presets import PARAMETERS
from search.store.base import Array
from workers.presets.intervals import Floats
from workers.style.training import Practice

SHRINKAGE = 0.03
"""Share of the covariance that is made the same in every direction."""

FARTHEST = 6.0
"""Deviations beyond which a statistic is cut off: no picture is that odd, one broken statistic might be."""


@dataclass(frozen=True, slots=True)
class Whitening:
    """Statistics ``(…, dim)`` to float32 ``(…, photographers - 1)``, in which content has deviation 1."""

    mean: Floats
    scale: Floats
    axes: Floats

    def __call__(self, statistics: Array) -> Array:
        vectors: Array = (self._standard(statistics) @ self.axes).astype(np.float32)
        return vectors

    def _standard(self, statistics: Array) -> Floats:
        standard: Floats = np.clip((statistics - self.mean) / self.scale, -FARTHEST, FARTHEST)
        return standard


def whiten(gallery: Array, practice: Practice) -> Whitening:
    """
    Args:
        gallery: statistics of the photographers' photos, float32 ``(photos, presets, dim)``.
    """
    rows = gallery.reshape(-1, gallery.shape[-1]).astype(np.float64)
    spread = rows.std(axis=0)
    plain = Whitening(rows.mean(axis=0), np.where(spread > 1e-9, spread, 1.0), np.eye(rows.shape[1]))
    own = plain._standard(gallery)
    content = (own - own.mean(axis=0)).reshape(rows.shape)
    left = _unexplained(plain._standard(practice.statistics), practice.parameters.astype(np.float64))
    covariance = (content.T @ content / len(content) + left.T @ left / len(left)) / 2
    even = np.trace(covariance) / len(covariance) * np.eye(len(covariance))
    values, axes = np.linalg.eigh((1 - SHRINKAGE) * covariance + SHRINKAGE * even)
    even_axes = axes / np.sqrt(np.maximum(values, 1e-12))
    means = own.mean(axis=0) @ even_axes
    # What lies outside the span of the photographers' means tells none of them from another: it is content alone.
    _, sizes, span = np.linalg.svd(means - means.mean(axis=0), full_matrices=False)
    return Whitening(plain.mean, plain.scale, even_axes @ span[sizes > sizes[0] * 1e-6].T)


def _unexplained(statistics: Floats, parameters: NDArray[np.float64]) -> Floats:
    """What is left of the statistics after their best fit by the parameters and their squares."""
    given = np.concatenate((np.ones((len(parameters), 1)), parameters, parameters**2), axis=1)
    if len(given) <= 2 * len(PARAMETERS) + 1:
        given = given[:, :1]
    left: Floats = statistics - given @ np.linalg.lstsq(given, statistics, rcond=None)[0]
    left *= np.sqrt(len(given) / (len(given) - given.shape[1]))
    return left
