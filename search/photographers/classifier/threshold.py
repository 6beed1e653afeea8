"""Threshold of the answer "unknown", which is lower for photos similar to the training photos."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_SUREST = 1e-9
"""Probabilities are clipped to this distance from 0 and 1."""


@dataclass(frozen=True, slots=True)
class Threshold:
    """Least probability of a first candidate that is not answered with "unknown".

    Attributes:
        value: threshold of a photo of usual nearness to the training photos.
        usual: mean nearness of photos by known photographers that were not trained on.
        slope: decrease of the threshold in log-odds for each unit of nearness above ``usual``.
        kept: share of the right answers about known photographers that are given.
        refused: share of strangers' photos that are answered with "unknown"; None where none were tried.
    """

    value: float
    usual: float = 0.0
    slope: float = 0.0
    kept: float = 1.0
    refused: float | None = None

    def at(self, nearness: NDArray[np.float64]) -> NDArray[np.float64]:
        """Threshold of each photo, float64 ``(n,)``.

        Args:
            nearness: float64 ``(n,)``, see ``familiarity``; NaN where it is not known.
        """
        odds = np.exp(np.clip(log_odds(np.array(self.value)) - self._credit(nearness), -700, 700))
        bar: NDArray[np.float64] = odds / (1 + odds) if self.value > 0 else np.zeros(len(nearness))
        return bar

    def margin(self, probability: NDArray[np.float64], nearness: NDArray[np.float64]) -> NDArray[np.float64]:
        """Log-odds of first candidates above the threshold, float64 ``(n,)``; below 0 the answer is "unknown".

        Args:
            probability, nearness: float64 ``(n,)``.
        """
        above: NDArray[np.float64] = log_odds(probability) + self._credit(nearness) - log_odds(np.array(self.value))
        return above

    def _credit(self, nearness: NDArray[np.float64]) -> NDArray[np.float64]:
        credit: NDArray[np.float64] = np.nan_to_num(self.slope * (nearness - self.usual))
        return credit


def log_odds(probability: NDArray[np.float64]) -> NDArray[np.float64]:
    """``log(p / (1 - p))`` of clipped probabilities; float64 of the same shape."""
    bounded = np.clip(probability, _SUREST, 1 - _SUREST)
    odds: NDArray[np.float64] = np.log(bounded / (1 - bounded))
    return odds
