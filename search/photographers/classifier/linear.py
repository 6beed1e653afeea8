"""Linear discriminant analysis of the photographer classifier: scores of a fitted model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Matrix: TypeAlias = NDArray[np.floating]
"""``(n, d)``; NaN for what is absent."""

Scores: TypeAlias = NDArray[np.float64]
"""Log-probabilities, float64 ``(n, photographers)``."""

FLOOR = -60.0
"""Least log-probability: no part may exclude a photographer for good."""

CLIP = 5.0
"""Standard deviations from the mean at which a value is clipped."""


@dataclass(frozen=True, eq=False)
class Linear:
    """Linear discriminant analysis with the covariance within photographers shrunk towards a multiple of identity, and
    equal prior probability of every photographer.

    Source: Friedman, "Regularized discriminant analysis", JASA 84 (1989); the shrinkage is his gamma.

    Attributes:
        centre, scale: float64 ``(d,)``; an absent value counts as ``centre``.
        weights: float64 ``(d, photographers)``.  bias: float64 ``(photographers,)``.
    """

    centre: NDArray[np.float64]
    scale: NDArray[np.float64]
    weights: NDArray[np.float64]
    bias: NDArray[np.float64]

    def scores(self, rows: Matrix) -> Scores:
        """Log-probabilities, float64 ``(n, photographers)``, of rows ``(n, d)``."""
        logits = standardised(rows, self.centre, self.scale) @ self.weights + self.bias
        return log_softmax(logits)

    def arrays(self) -> Mapping[str, NDArray[np.float64]]:
        """The attributes by name, in the shapes of the class, as :meth:`of` reads them."""
        return {"centre": self.centre, "scale": self.scale, "weights": self.weights, "bias": self.bias}

    @classmethod
    def of(cls, arrays: Mapping[str, NDArray[np.float64]]) -> Linear:
        """Inverse of :meth:`arrays`.

        Raises:
            KeyError: an array is missing.
        """
        return cls(arrays["centre"], arrays["scale"], arrays["weights"], arrays["bias"])


def log_softmax(logits: NDArray[np.float64]) -> Scores:
    """Log-probabilities of each row, float64 ``(n, photographers)`` as the logits, not below :data:`FLOOR`."""
    shifted = logits - logits.max(axis=1, keepdims=True)
    scores: Scores = np.maximum(shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True)), FLOOR)
    return scores


def standardised(rows: Matrix, centre: NDArray[np.float64], scale: NDArray[np.float64]) -> NDArray[np.float64]:
    """Clipped z-scores, float64 ``(n, d)``; 0 for what is absent.

    Args:
        rows: ``(n, d)``.  centre, scale: float64 ``(d,)``.
    """
    shifted: NDArray[np.float64] = np.clip(np.nan_to_num((rows.astype(np.float64) - centre) / scale), -CLIP, CLIP)
    return shifted
