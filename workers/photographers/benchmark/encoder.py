"""Coordinates for open-set recognition: statistics whitened by how much content changes them.

Of the covariance of content, half comes from the photographers' own photos in the gallery and half from the photos that
the style encoder is trained on (``workers.embedders.style.training``), developed under presets that no photographer
of the benchmark has. In these coordinates content is as strong in every direction, so Euclidean distance is Mahalanobis
distance. They are those of the encoder before it weighs and drops directions, which a vector of fixed size has to.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from search.evaluation.statistics import Floats
from search.store.base import Array
from workers.embedders.style.training import StyleTrainingSet, unexplained, whitening

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


def whiten(gallery: Array, practice: StyleTrainingSet) -> Whitening:
    """
    Args:
        gallery: statistics of the photographers' photos, float32 ``(photos, presets, dim)``.
    """
    rows = gallery.reshape(-1, gallery.shape[-1]).astype(np.float64)
    spread = rows.std(axis=0)
    plain = Whitening(rows.mean(axis=0), np.where(spread > 1e-9, spread, 1.0), np.eye(rows.shape[1]))
    own = plain._standard(gallery)
    content = (own - own.mean(axis=0)).reshape(rows.shape)
    left = unexplained(plain._standard(practice.statistics), practice.parameters)
    whitening_axes = whitening((content.T @ content / len(content) + left.T @ left / len(left)) / 2)
    means = own.mean(axis=0) @ whitening_axes
    # What lies outside the span of the photographers' means tells none of them from another: it is content alone.
    _, sizes, span = np.linalg.svd(means - means.mean(axis=0), full_matrices=False)
    return Whitening(plain.mean, plain.scale, whitening_axes @ span[sizes > sizes[0] * 1e-6].T)
