"""Style coordinates: directions in which photographers differ more than their own photos do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from search.evaluation.statistics import shrunk_covariance

SHRINKAGE = 0.1
"""Least share of the covariance that is taken to be the same in all directions. Photos of one session, or of one motif,
are not independent, which the estimate of Ledoit and Wolf cannot know. On presets .05 to .2 do about as well."""

LEAST_SIGNAL = 0.5
"""Variance between photographers, in units of that between one photographer's own photos, for which a coordinate is
kept; the strongest is kept in any case."""


@dataclass(frozen=True, slots=True)
class Standardisation:
    """Columns brought to mean 0 and deviation 1 of the training photos."""

    mean: NDArray[np.float64]
    deviation: NDArray[np.float64]

    @classmethod
    def of(cls, rows: NDArray[Any]) -> Standardisation:
        """From rows (n, k); a constant column, as every one of all-black pictures, is only centred."""
        exact = np.asarray(rows, np.float64)
        deviation = exact.std(axis=0)
        return cls(exact.mean(axis=0), np.where(deviation > 1e-6, deviation, 1.0))

    def __call__(self, rows: NDArray[Any]) -> NDArray[np.float32]:
        scaled: NDArray[np.float32] = ((np.asarray(rows, np.float64) - self.mean) / self.deviation).astype(np.float32)
        return scaled


@dataclass(frozen=True, slots=True)
class StyleCoordinates:
    """Linear discriminants of statistics: in each, one photographer's own photos differ by as much as in the others.

    All are divided by one number, so that the mean square of the coordinates of the photos they come from is 1 and an
    error is a share of the variance to predict.
    Source: Rao, "The utilization of multiple measurements in problems of biological classification", 1948; the
    covariance is shrunk at least as Ledoit and Wolf, "A well-conditioned estimator", 2004, have it.

    Attributes:
        axes: float64 (t, k).
    """

    scale: Standardisation
    axes: NDArray[np.float64]

    @classmethod
    def of(cls, statistics: NDArray[Any], owners: NDArray[np.int64], most: int) -> StyleCoordinates:
        """``most`` coordinates or fewer, from photos (n, t) of at least two photographers.

        ``owners`` (n,) counts photographers from 0, each with a photo at least.
        """
        from sklearn.covariance import ledoit_wolf_shrinkage

        scale = Standardisation.of(statistics)
        rows = scale(statistics).astype(np.float64)
        counts = np.bincount(owners)
        means = np.zeros((len(counts), rows.shape[1]))
        np.add.at(means, owners, rows)
        means /= counts[:, None]
        own = rows - means[owners]
        covariance = own.T @ own / max(1, len(rows) - len(counts))
        shrinkage = max(SHRINKAGE, float(ledoit_wolf_shrinkage(own, assume_centered=True))) if own.any() else 1.0
        sizes, directions = np.linalg.eigh(shrunk_covariance(covariance, shrinkage, 1e-6))
        whiten = directions / np.sqrt(sizes)
        _, spread, found = np.linalg.svd((means - means.mean(axis=0)) @ whiten, full_matrices=False)
        # A mean of n photos strays by 1/n of their variance, which is no difference between photographers.
        signal = np.square(spread) / max(1, len(counts) - 1) - float(np.mean(1 / counts))
        kept = max(1, min(most, len(counts) - 1, int((signal >= LEAST_SIGNAL).sum())))
        axes = whiten @ found[:kept].T
        whole = float(np.sqrt(np.square(rows @ axes).mean()))
        return cls(scale, axes / whole if whole > 0 else axes)

    def __call__(self, statistics: NDArray[Any]) -> NDArray[np.float32]:
        """Coordinates float32 (n, k) of statistics (n, t)."""
        projected: NDArray[np.float32] = (self.scale(statistics) @ self.axes).astype(np.float32)
        return projected
