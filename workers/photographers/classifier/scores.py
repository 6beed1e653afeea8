"""How right, how calibrated and how wary a classifier is, each figure with the interval that its groups allow.

Photos of one session are right or wrong together, so intervals come from drawing whole groups with replacement (Source:
Cameron, Gelbach and Miller, "Bootstrap-based improvements for inference with clustered errors", Review of Economics and
Statistics 90 (2008); percentile intervals of Efron 1979). A statistic here takes the weight of each photo, which is how
often its group was drawn.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from search.evaluation.statistics import Estimate
from search.photographers.photos.grouping import Groups
from search.photographers.photos.splits import Labels

Weights: TypeAlias = NDArray[np.float64]
"""float64 ``(n,)``."""

Statistic: TypeAlias = Callable[[Weights], float]

DRAWS = 500
BINS = 10


class Bootstrap:
    """Draws of the groups of ``n`` photos, the same for every statistic, so that differences of figures are of one
    sample."""

    def __init__(self, grouped: Groups, seed: int = 0, draws: int = DRAWS) -> None:
        _, numbers = np.unique(grouped, return_inverse=True)
        count = int(numbers.max(initial=-1)) + 1
        rng = np.random.default_rng(seed)
        self._draws = [np.bincount(rng.integers(count, size=count), minlength=count)[numbers] for _ in range(draws)]
        self.n = len(grouped)

    def estimate(self, statistic: Statistic, n: int | None = None) -> Estimate:
        """The statistic of all photos, with the middle 95 % of its values over the draws; draws for which it is not
        defined are passed over.

        Args:
            n: what it was measured on, where that is not all photos.
        """
        value = statistic(np.ones(self.n))
        with np.errstate(invalid="ignore", divide="ignore"):
            drawn = np.array([statistic(draw.astype(np.float64)) for draw in self._draws])
        drawn = drawn[np.isfinite(drawn)]
        low, high = np.quantile(drawn, [0.025, 0.975]) if len(drawn) else (value, value)
        return Estimate(float(value), float(low), float(high), self.n if n is None else n)


def share(hits: NDArray[np.bool_], among: NDArray[np.bool_] | None = None) -> Statistic:
    """The share of photos that are hits (among some of them); accuracy, recall and precision are such shares."""
    counted = np.ones(len(hits), bool) if among is None else among

    def statistic(weights: Weights) -> float:
        total = float(weights[counted].sum())
        return float(weights[counted & hits].sum()) / total if total else float("nan")

    return statistic


def macro_f1(truth: Labels, given: Labels) -> Statistic:
    """Mean over the photographers drawn of 2·TP / (2·TP + FP + FN)."""
    count = int(max(truth.max(initial=0), given.max(initial=0))) + 1

    def statistic(weights: Weights) -> float:
        own = np.bincount(truth, weights=weights, minlength=count)
        named = np.bincount(given, weights=weights, minlength=count)
        right = np.bincount(truth[truth == given], weights=weights[truth == given], minlength=count)
        drawn = own > 0
        return float((2 * right[drawn] / (own + named)[drawn]).mean()) if drawn.any() else float("nan")

    return statistic


def calibration_error(confidence: NDArray[np.float64], right: NDArray[np.bool_]) -> Statistic:
    """Expected calibration error: mean over photos of the difference between confidence and share of right answers in
    the photo's bin of confidence.

    Source: Guo et al., "On calibration of modern neural networks", ICML 2017, equation 3.
    """
    bins = bin_of(confidence)

    def statistic(weights: Weights) -> float:
        gaps = np.bincount(bins, weights=weights * (confidence - right), minlength=BINS)
        return float(np.abs(gaps).sum() / weights.sum())

    return statistic


def bin_of(confidence: NDArray[np.float64]) -> NDArray[np.intp]:
    """Number of the bin of equal width, 0 to :data:`BINS` − 1."""
    return np.minimum((confidence * BINS).astype(np.intp), BINS - 1)


def auroc(familiar: NDArray[np.bool_], confidence: NDArray[np.float64]) -> Statistic:
    """Probability that a known photographer's photo is answered with more confidence than a stranger's, ties counting
    half."""
    order = np.argsort(confidence, kind="stable")
    _, tied = np.unique(confidence[order], return_inverse=True)
    known = familiar[order]

    def statistic(weights: Weights) -> float:
        drawn = weights[order]
        ours = np.bincount(tied, weights=drawn * known)
        theirs = np.bincount(tied, weights=drawn * ~known)
        pairs = ours.sum() * theirs.sum()
        below = np.cumsum(theirs) - theirs
        return float((ours * (below + theirs / 2)).sum() / pairs) if pairs else float("nan")

    return statistic


def top(probabilities: NDArray[np.float64], truth: Labels, k: int) -> NDArray[np.bool_]:
    """Whether the true name is among the first k."""
    own = probabilities[np.arange(len(truth)), truth]
    better: NDArray[np.bool_] = (probabilities > own[:, None]).sum(axis=1) < k
    return better
