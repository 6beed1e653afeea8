"""Fitting of the threshold of "unknown": most right answers given and most strangers refused."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from search.evaluation.statistics import best_threshold
from search.photographers.classifier.threshold import Threshold, log_odds
from workers.photographers.classifier.fitting.splits import Index, Labels

KEPT = 0.75
"""Share of the right answers about known photographers that must still be given: a model that mostly answers "unknown"
is of no use."""

WRONG = 0.03
"""Share of the photos by known photographers that may be given a wrong name, as far as :data:`LEAST_KEPT` allows."""

LEAST_KEPT = 0.5
"""Share of the right answers that is given whatever else is wanted."""

_STEPS = 101


@dataclass(frozen=True, eq=False)
class Confidence:
    """Confidence of a model in its first candidate, for some photos.

    Attributes:
        rows: positions of the photos, intp ``(n,)``.  value: probability, float64 ``(n,)``.
        nearness: cosine to the nearest training photo, float64 ``(n,)``, see ``familiarity``; NaN where unknown.
        right: whether the candidate is the photographer, bool ``(n,)``.
    """

    rows: Index
    value: NDArray[np.float64]
    nearness: NDArray[np.float64]
    right: NDArray[np.bool_]

    @classmethod
    def of(
        cls,
        rows: Index,
        probabilities: NDArray[np.float64],
        truth: Labels,
        nearness: NDArray[np.float64] | None = None,
    ) -> Confidence:
        """
        Args:
            rows: intp ``(n,)``.  probabilities: float64 ``(n, photographers)``.
            truth: photographer of each of these photos, intp ``(n,)``.  nearness: float64 ``(n,)``.
        """
        unknown = np.full(len(rows), np.nan)
        return cls(
            rows,
            probabilities.max(axis=1),
            unknown if nearness is None else nearness,
            probabilities.argmax(axis=1) == truth,
        )

    @classmethod
    def none(cls) -> Confidence:
        """Of no photo."""
        return cls(np.empty(0, np.intp), np.empty(0), np.empty(0), np.empty(0, bool))

    @classmethod
    def joined(cls, parts: Sequence[Confidence]) -> Confidence:
        """Of all photos of several."""
        return cls(*(np.concatenate([getattr(part, name) for part in parts]) for name in cls.__dataclass_fields__))


def fit_threshold(known: Confidence, strangers: Confidence) -> Threshold:
    """Threshold with the greatest sum of right answers given and strangers refused, as shares.

    At least :data:`KEPT` of the right answers are given. Without strangers, the largest such threshold is taken. Where
    more than :data:`WRONG` of the photos would be given a wrong name, the threshold is raised: rather "unknown" than a
    wrong name.
    Probability and nearness have equal weight: a standard deviation of one, over photos of known photographers,
    outweighs a standard deviation of the other.

    Args:
        known: of photos by known photographers that were not trained on.
        strangers: of photos by photographers that were not trained on.
    """
    usual, slope = _exchange(known)
    if not known.right.any():
        return Threshold(0.0, usual, slope, 1.0, None if not len(strangers.rows) else 0.0)
    level = Threshold(0.5, usual, slope)
    margins = level.margin(known.value, known.nearness)
    right, wrong = margins[known.right], margins[~known.right]
    steps = np.quantile(right, np.linspace(0, 1 - KEPT, _STEPS))
    if not len(strangers.rows):
        value, refused = _sure(float(steps[-1]), right, wrong), None
    else:
        others = level.margin(strangers.value, strangers.nearness)
        value = _sure(best_threshold(right, others, steps).value, right, wrong)
        refused = float((others < value).mean())
    return Threshold(_probability(value), usual, slope, float((right >= value).mean()), refused)


def _sure(value: float, right: NDArray[np.float64], wrong: NDArray[np.float64]) -> float:
    """The least threshold from ``value`` on that lets few enough wrong names through, but most right ones.

    Args:
        value: log-odds.  right, wrong: those of right and of wrong answers, float64 ``(n,)``.
    """
    for step in np.quantile(right, np.linspace(0, 1 - LEAST_KEPT, _STEPS)):
        if step >= value and (wrong >= step).sum() <= WRONG * (len(right) + len(wrong)):
            return float(step)
    return max(value, float(np.quantile(right, 1 - LEAST_KEPT)))


def _exchange(known: Confidence) -> tuple[float, float]:
    """Usual nearness, and log-odds for a unit of it."""
    near = known.nearness[np.isfinite(known.nearness)]
    deviation = float(near.std()) if len(near) else 0.0
    if deviation < 1e-6:
        return 0.0, 0.0
    return float(near.mean()), float(log_odds(known.value).std()) / deviation


def _probability(log_odds_: float) -> float:
    return float(1 / (1 + np.exp(-log_odds_)))
