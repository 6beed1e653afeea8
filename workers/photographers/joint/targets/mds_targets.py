"""Target distances between photographers, from how they develop, and vectors to start from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

LEAST_SIGNAL = 0.05
"""Least variance between photographers that a setting is taken to have, in units of how far their means stray: where
no setting distinguishes them, vectors still do not all lie in one place."""

_NOTHING = 1e-6
"""Deviation of settings that is but rounding."""


@dataclass(frozen=True, slots=True)
class MdsTargets:
    """Distances that the vectors should have.

    Attributes:
        distances: float32 (p (p - 1) / 2,), of all pairs in the order of ``itertools.combinations``; their mean square
            is that of independent components of deviation 1.
        start: float32 (p, d), vectors with about these distances, see :func:`mds`.
    """

    distances: NDArray[np.float32]
    start: NDArray[np.float32]

    @classmethod
    def of(cls, developments: NDArray[Any], owners: NDArray[np.int64], dimensions: int) -> MdsTargets:
        """From how photos (n, 12) of photographers (n,) are developed; these are counted from 0, each with one or more.

        A setting counts by how much photographers differ in it, in units of what presets differ in. Means of few photos
        are drawn to the middle by as much as they may stray. Where all are the same, so are all vectors.
        Source: Efron and Morris, "Stein's estimation rule and its competitors", 1973.
        """
        read, counts = developments.astype(np.float64), np.bincount(owners)
        means = np.zeros((len(counts), read.shape[1]))
        np.add.at(means, owners, read)
        means /= counts[:, None]
        own = np.square(read - means[owners]).sum(axis=0) / max(1, len(read) - len(counts))
        means -= means.mean(axis=0)
        strays = own / counts[:, None]
        chance = strays.mean(axis=0)
        differ = np.maximum(np.square(means).sum(axis=0) / max(1, len(means) - 1) - chance, LEAST_SIGNAL * chance)
        means *= differ / np.maximum(differ + strays, 1e-12)
        means -= means.mean(axis=0)
        spread = float(np.sqrt(np.square(means).sum(axis=1).mean() / dimensions))
        means = means / spread if spread > _NOTHING else np.zeros_like(means)
        return cls(pairwise_distances(means).astype(np.float32), mds(means, dimensions).astype(np.float32))


def pairwise_distances(points: NDArray[Any]) -> NDArray[np.float64]:
    """Distances float64 (p (p - 1) / 2,) of all pairs of rows (p, k), in the order of ``itertools.combinations``."""
    exact = np.asarray(points, np.float64)
    rows = [np.linalg.norm(exact[at + 1 :] - one, axis=1) for at, one in enumerate(exact)]
    return np.concatenate(rows) if rows else np.zeros(0)


def mds(points: NDArray[np.float64], dimensions: int) -> NDArray[np.float64]:
    """Metric multidimensional scaling: points float64 (p, d) with about the distances of these, float64 (p, k).

    Starts from the best linear projection and minimises stress by SMACOF; as many components change nothing.
    Source: de Leeuw, "Applications of convex analysis to multidimensional scaling", 1977.
    """
    from sklearn.manifold import smacof

    left, sizes, _ = np.linalg.svd(points - points.mean(axis=0), full_matrices=False)
    start = np.zeros((len(points), dimensions))
    found = (left * sizes)[:, :dimensions]
    start[:, : found.shape[1]] = found
    if not start.any():
        return start
    square = np.zeros((len(points), len(points)))
    square[np.triu_indices(len(points), 1)] = pairwise_distances(points)
    moved: NDArray[np.float64] = smacof(
        square + square.T,
        n_components=dimensions,
        init=start,
        n_init=1,
        max_iter=300,
        eps=1e-6,
        normalized_stress=False,
    )[0]
    return moved
