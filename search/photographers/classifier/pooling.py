"""Calibrated pooling: one answer from several parts, by a weighted mean of their log-probabilities.

    log p = w · Σ t · log p(part) + w₀ · log(share of the photographer's photos) − log Z,    t, w, w₀ ≥ 0

Each part has a temperature 1/t, so that the parts are calibrated before they are averaged with equal weight, and the
mean is calibrated once more by w. ``workers.photographers.classifier.fitting.pooling`` fits the weights.

Source: Genest and Zidek, "Combining probability distributions: a critique and an annotated bibliography", Statistical
Science 1 (1986), the logarithmic opinion pool; Guo et al., "On calibration of modern neural networks", ICML 2017, for
temperature scaling.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from search.photographers.classifier.linear import FLOOR, Scores


def pooled(parts: Sequence[Scores] | NDArray[np.float64], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Probabilities, float64 ``(n, photographers)``, rows summing to 1.

    Args:
        parts: log-probabilities, float64 ``(n, photographers)`` each.  weights: float64 ``(parts,)``.
    """
    logits = sum((weight * part for weight, part in zip(weights, parts, strict=True)), np.zeros_like(parts[0]))
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    probabilities: NDArray[np.float64] = powers / powers.sum(axis=1, keepdims=True)
    return probabilities


def prior_scores(shares: NDArray[np.float64], n: int) -> Scores:
    """Log of each photographer's share of the training photos, float64 ``(n, photographers)``, all rows equal.

    Args:
        shares: float64 ``(photographers,)``.
    """
    with np.errstate(divide="ignore"):
        scores: Scores = np.broadcast_to(np.maximum(np.log(shares), FLOOR), (n, len(shares)))
    return scores
