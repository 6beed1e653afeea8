"""Fitting of the pool's weights on photos that the parts were not fitted to.

Each part gets the temperature at which the true names are most probable; a part that is too sure of itself gets a small
weight. So calibrated, the parts count the same, and their sum is calibrated once more with the prior. Weighting each
part by itself fits more numbers to the same few sessions: measured on photographers_fsa_color it is 2 to 4 points less
often right.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from search.photographers.classifier.linear import Scores
from search.photographers.classifier.pooling import pooled
from workers.photographers.classifier.fitting.splits import Labels

_ROUNDS = 50
_NEAR = 1e-4
_MOST = 20.0
_MOST_FITTED = 5_000
"""Photos that two weights are fitted to at most."""

_RIDGE = 1e-3
"""Keeps weights finite where photographers are separated without an error."""

_RIDGE_OF_PRIOR = 0.1
"""The prior must be worth something before it counts: a photographer with twice as many photos is not to win every
close call."""


def fit_pool(parts: Sequence[Scores], prior: Scores, labels: Labels) -> NDArray[np.float64]:
    """Weights, float64 ``(parts + 1,)``: w · t of each part, then w₀ of the prior.

    Args:
        parts: log-probabilities of photos that the parts were not fitted to, float64 ``(n, photographers)`` each.
        prior: float64 ``(n, photographers)``.  labels: intp ``(n,)``.
    """
    temperatures = np.array([likeliest_weights([part], labels)[0] for part in parts])
    calibrated = sum((t * part for t, part in zip(temperatures, parts, strict=True)), np.zeros_like(prior))
    common, of_prior = likeliest_weights([calibrated, prior], labels, (_RIDGE, _RIDGE_OF_PRIOR))
    weights: NDArray[np.float64] = np.append(common * temperatures, of_prior)
    return weights


def fit_added(part: Scores, fixed: Scores, labels: Labels) -> float:
    """Weight of one more part beside what others say, whose weights stay.

    Args:
        part: float64 ``(n, photographers)``.  fixed: the weighted sum of the others, of that shape.
        labels: intp ``(n,)``.
    """
    own = part[np.arange(len(labels)), labels]
    return _best_weight(np.stack([fixed, part]), own, np.array([1.0, 0.0]), 1, _RIDGE)


def likeliest_weights(
    parts: Sequence[Scores], labels: Labels, ridges: Sequence[float] = (_RIDGE,)
) -> NDArray[np.float64]:
    """Non-negative weights, float64 ``(parts,)``, of greatest likelihood less ½ · ridge · weight² each.

    The problem is convex: coordinate descent until no weight moves.

    Args:
        parts: log-probabilities, float64 ``(n, photographers)`` each.  labels: intp ``(n,)``.
    """
    some = np.linspace(0, len(labels) - 1, min(len(labels), _MOST_FITTED)).astype(np.intp)
    stacked, rows = np.stack([part[some] for part in parts]), np.arange(len(some))
    own = [scores[rows, labels[some]] for scores in stacked]
    weights = np.full(len(parts), 1.0 / len(parts))
    for _ in range(_ROUNDS):
        before = weights.copy()
        for at in range(len(parts)):
            weights[at] = _best_weight(stacked, own[at], weights, at, ridges[at])
        if np.abs(weights - before).max() < _NEAR:
            break
    return weights


def _best_weight(
    stacked: NDArray[np.float64], own: NDArray[np.float64], weights: NDArray[np.float64], at: int, ridge: float
) -> float:
    """Root of the slope in one weight, in 0 to :data:`_MOST`: Newton's step where it stays between the bounds known so
    far, else bisection.

    Args:
        own: the part's scores of the true names, float64 ``(n,)``.
    """
    tried, scores = weights.copy(), stacked[at]
    low, high = 0.0, _MOST
    while high - low > _NEAR:
        probabilities = pooled(stacked, tried)
        expected = (probabilities * scores).sum(axis=1)
        slope = float((own - expected).mean()) - ridge * tried[at]
        curve = float(((probabilities * scores**2).sum(axis=1) - expected**2).mean()) + ridge
        low, high = (float(tried[at]), high) if slope > 0 else (low, float(tried[at]))
        step = float(tried[at]) + slope / curve
        if abs(step - tried[at]) < _NEAR:
            break
        tried[at] = step if low < step < high else (low + high) / 2
    return float(tried[at])
