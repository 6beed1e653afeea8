"""How far apart photographers are in all that tells them apart, more than vectors of few components foretell."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workers.joint.coordinates import StyleCoordinates

MOST = 12
"""Style coordinates that distances are taken in. On presets 8 to 29 do about as well, the last ones count little."""

DOUBT = 3.0
"""Signal of a coordinate that counts half; on presets the same without it, or with a sharper one, does less well."""


@dataclass(frozen=True, slots=True)
class Arrangement:
    """Where vectors should come to lie.

    Attributes:
        distances: float32 (p (p - 1) / 2,), of all pairs in the order of ``itertools.combinations``; their mean square
            is that of independent components of deviation 1.
        start: float32 (p, d), the best linear projection.
    """

    distances: NDArray[np.float32]
    start: NDArray[np.float32]

    @classmethod
    def of(cls, statistics: NDArray[Any], owners: NDArray[np.int64], dimensions: int) -> Arrangement:
        """From photos (n, t) of photographers (n,), who are counted from 0 and have a photo at least.

        Every coordinate counts alike, however strong it is, if it can be told from chance; or else how bright somebody
        likes it would drown all else. Means of few photos are drawn to the middle by as much as they may stray.
        Source: Efron and Morris, "Stein's estimation rule and its competitors", 1973; for the start, Torgerson,
        "Multidimensional scaling: I. Theory and method", Psychometrika 1952.
        """
        coordinates = StyleCoordinates.of(statistics, owners, MOST)
        placed, counts = coordinates(statistics).astype(np.float64), np.bincount(owners)
        means = np.zeros((len(counts), placed.shape[1]))
        np.add.at(means, owners, placed)
        means /= counts[:, None]
        means -= means.mean(axis=0)
        signal = np.maximum(coordinates.signal, 1e-6)
        deviation = means.std(axis=0)
        means /= np.where(deviation > 1e-9, deviation, 1.0)
        means *= signal / (signal + DOUBT) * signal / (signal + 1 / counts[:, None])
        spread = float(np.sqrt(np.square(means - means.mean(axis=0)).sum(axis=1).mean() / dimensions))
        means /= spread if spread > 1e-9 else 1.0
        first, second = np.triu_indices(len(means), 1)
        left, sizes, _ = np.linalg.svd(means - means.mean(axis=0), full_matrices=False)
        start = np.zeros((len(means), dimensions), np.float32)
        found = (left * sizes)[:, :dimensions]
        start[:, : found.shape[1]] = found
        return cls(np.linalg.norm(means[first] - means[second], axis=1).astype(np.float32), start)
