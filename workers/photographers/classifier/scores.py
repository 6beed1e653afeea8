"""Statistics of predictions for the group bootstrap: accuracy, macro F1, calibration error, AUROC.

Each function returns a statistic, which takes the weight of each photo (``search.evaluation.statistics``).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from search.evaluation import statistics
from search.evaluation.statistics import Floats, Statistic
from workers.photographers.classifier.fitting.splits import Labels


def share(hits: NDArray[np.bool_], among: NDArray[np.bool_] | None = None) -> Statistic:
    """Share of photos that are hits (among some of them): accuracy, recall and precision are such shares.

    Args:
        hits, among: bool ``(n,)``.
    """
    counted = np.ones(len(hits), bool) if among is None else among

    def statistic(weights: Floats) -> float:
        total = float(weights[counted].sum())
        return float(weights[counted & hits].sum()) / total if total else float("nan")

    return statistic


def macro_f1(truth: Labels, predicted: Labels) -> Statistic:
    """Mean over the photographers drawn of 2·TP / (2·TP + FP + FN).

    Args:
        truth, predicted: intp ``(n,)``.
    """
    count = int(max(truth.max(initial=0), predicted.max(initial=0))) + 1

    def statistic(weights: Floats) -> float:
        own = np.bincount(truth, weights=weights, minlength=count)
        named = np.bincount(predicted, weights=weights, minlength=count)
        right = np.bincount(truth[truth == predicted], weights=weights[truth == predicted], minlength=count)
        drawn = own > 0
        return float((2 * right[drawn] / (own + named)[drawn]).mean()) if drawn.any() else float("nan")

    return statistic


def calibration_error(confidence: NDArray[np.float64], right: NDArray[np.bool_]) -> Statistic:
    """Expected calibration error, see ``search.evaluation.statistics.calibration_error``.

    Args:
        confidence: float64 ``(n,)``.  right: bool ``(n,)``.
    """
    return lambda weights: statistics.calibration_error(confidence, right, weights)


def auroc(known: NDArray[np.bool_], confidence: NDArray[np.float64]) -> Statistic:
    """Probability that a known photographer's photo is answered with more confidence than a stranger's.

    Args:
        known: bool ``(n,)``.  confidence: float64 ``(n,)``.
    """
    return lambda weights: statistics.auroc(known, confidence, weights)


def top(probabilities: NDArray[np.float64], truth: Labels, k: int) -> NDArray[np.bool_]:
    """Whether the true name is among the first k, bool ``(n,)``.

    Args:
        probabilities: float64 ``(n, photographers)``.  truth: intp ``(n,)``.
    """
    own = probabilities[np.arange(len(truth)), truth]
    better: NDArray[np.bool_] = (probabilities > own[:, None]).sum(axis=1) < k
    return better
