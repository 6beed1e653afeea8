"""Conformal sets of names: as many photographers as it takes to hold the right one with a stated coverage."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

COVERAGE = 0.9
"""Share of photos by photographers that the model knows whose set holds the right name."""


@dataclass(frozen=True, slots=True)
class ConformalRule:
    """Every name is in the set whose probability is at least ``least``; the first candidate always is.

    Source: Sadinle, Lei and Wasserman, "Least ambiguous set-valued classifiers with bounded error levels", JASA 114
    (2019).

    Attributes:
        coverage: share of photos by known photographers whose set is to hold the right name.
        photos, shoots: number of validation photos, and of their groups, that ``least`` was found on.
    """

    coverage: float
    least: float
    photos: int
    shoots: int

    def holds(self, probabilities: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Which names are in each photo's set, bool ``(n, photographers)``.

        Args:
            probabilities: float64 ``(n, photographers)``.
        """
        held: NDArray[np.bool_] = probabilities >= self.least
        held[np.arange(len(held)), probabilities.argmax(axis=1)] = True
        return held
