"""When to answer "unknown": how probable the first candidate must be."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from search.photographers.splits import Labels

KEPT = 0.75
"""Share of the right answers about known photographers that must still be given: a model that hides behind "unknown" is
of no use."""

_STEPS = 101


@dataclass(frozen=True, slots=True)
class Threshold:
    """
    Attributes:
        value: first candidates below this probability are answered with "unknown".
        kept: share of the right answers about known photographers that are given.
        refused: share of strangers' photos that are answered with "unknown"; None where none were tried.
    """

    value: float
    kept: float
    refused: float | None


def find_threshold(probabilities: NDArray[np.float64], truth: Labels, strangers: NDArray[np.float64]) -> Threshold:
    """The threshold at which the share of right answers given and the share of strangers refused are greatest together,
    among those that give at least :data:`KEPT` of the right answers. Without strangers, the largest of these.

    Args:
        probabilities: float64 ``(n, photographers)`` of photos that were not learnt from.
        strangers: probability of the first candidate for photos by photographers that were not learnt.
    """
    right = probabilities.max(axis=1)[probabilities.argmax(axis=1) == truth]
    if not len(right):
        return Threshold(0.0, 1.0, None if not len(strangers) else 0.0)
    steps = np.quantile(right, np.linspace(0, 1 - KEPT, _STEPS))
    kept = (right[None, :] >= steps[:, None]).mean(axis=1)
    if not len(strangers):
        return Threshold(float(steps[-1]), float(kept[-1]), None)
    refused = (strangers[None, :] < steps[:, None]).mean(axis=1)
    best = int(np.argmax(kept + refused))
    return Threshold(float(steps[best]), float(kept[best]), float(refused[best]))
