"""One calibrated answer out of several: a weighted product of the probabilities that each part gives.

    log p = Σ w · log p(part) + w₀ · log(share of the photographer's photos) − log Z,    all w ≥ 0

The weights make the photos' true names as probable as can be, on photos that no part has learnt from. A part that is
too sure of itself gets a weight below one, one that adds nothing gets none: weighting and calibrating are one step.

Source: Genest and Zidek, "Combining probability distributions: a critique and an annotated bibliography", Statistical
Science 1 (1986), the logarithmic opinion pool; with one part it is temperature scaling, Guo et al., "On calibration of
modern neural networks", ICML 2017.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from search.photographers.linear import FLOOR, Scores
from search.photographers.splits import Labels

_ROUNDS = 100
_RIDGE = 1e-3
"""Keeps weights finite where photographers are told apart without a fault."""


def fit_pool(parts: Sequence[Scores], labels: Labels) -> NDArray[np.float64]:
    """Weights float64 ``(parts,)``, by Newton steps in one weight at a time; the problem is convex.

    Args:
        parts: of photos that they were not learnt from.
    """
    stacked = np.stack(parts)
    weights = np.full(len(parts), 1.0 / len(parts))
    rows = np.arange(len(labels))
    for _ in range(_ROUNDS):
        before = weights.copy()
        for at, scores in enumerate(stacked):
            given = pooled(stacked, weights)
            expected = (given * scores).sum(axis=1)
            slope = float((scores[rows, labels] - expected).mean()) - _RIDGE * weights[at]
            curve = float(((given * scores**2).sum(axis=1) - expected**2).mean()) + _RIDGE
            weights[at] = max(0.0, weights[at] + np.clip(slope / curve, -0.5, 0.5))
        if np.abs(weights - before).max() < 1e-4:
            break
    return weights


def pooled(parts: Sequence[Scores] | NDArray[np.float64], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Probabilities float64 ``(n, photographers)``, rows summing to 1."""
    logits = sum((weight * part for weight, part in zip(weights, parts, strict=True)), np.zeros_like(parts[0]))
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    probabilities: NDArray[np.float64] = powers / powers.sum(axis=1, keepdims=True)
    return probabilities


def prior_scores(shares: NDArray[np.float64], n: int) -> Scores:
    """What is known of ``n`` photos before they are looked at: how many photos each photographer has."""
    with np.errstate(divide="ignore"):
        scores: Scores = np.broadcast_to(np.maximum(np.log(shares), FLOOR), (n, len(shares)))
    return scores


def log_loss(probabilities: NDArray[np.float64], labels: Labels) -> float:
    """Mean negative log-probability of the true names, in nats."""
    return float(-np.log(np.maximum(probabilities[np.arange(len(labels)), labels], 1e-12)).mean())
