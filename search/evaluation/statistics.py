"""Statistics of measurements: bootstrap and Wilson intervals, AUROC, thresholds, shrunk covariance.

Arrays are NumPy's. Whatever is random takes its seed, so a figure is the same each time it is measured.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]
"""float64, of the shape that is said beside it."""

Statistic: TypeAlias = Callable[[Floats], float]
"""A figure as a function of the weight of each row, float64 ``(n,)``; NaN where it is not defined."""

LEVEL = (0.025, 0.975)
"""Quantiles of a 95 % interval."""

NORMAL_975 = 1.96

BINS = 10
"""Bins of equal width in which probabilities are compared with shares."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A measured share or score with its 95 % interval; ``n`` is what it was measured on, photos unless said."""

    value: float
    low: float
    high: float
    n: int


@dataclass(frozen=True, slots=True)
class Cut:
    """A threshold with the share of positives at or over it and of negatives below it."""

    value: float
    kept: float
    refused: float


class GroupBootstrap:
    """Interval of any statistic by drawing whole groups of rows with replacement.

    Rows of a group are right or wrong together. The draws are the same for every statistic, so that differences of
    figures are of one sample. Sources: Efron, "Bootstrap methods", Annals of Statistics 7 (1979), for percentile
    intervals; Cameron, Gelbach and Miller, "Bootstrap-based improvements for inference with clustered errors", Review
    of Economics and Statistics 90 (2008), for drawing groups.

    Args:
        groups: group of each row, int64 ``(n,)``.
        draws: number of bootstrap samples.
    """

    def __init__(self, groups: NDArray[np.integer], seed: int = 0, draws: int = 500) -> None:
        _, numbers = np.unique(groups, return_inverse=True)
        count = int(numbers.max(initial=-1)) + 1
        rng = np.random.default_rng(seed)
        self._draws = [np.bincount(rng.integers(count, size=count), minlength=count)[numbers] for _ in range(draws)]
        self.n = len(groups)

    def estimate(self, statistic: Statistic, n: int | None = None) -> Estimate:
        """The statistic of all rows with its interval; draws for which it is not defined are left out.

        Args:
            statistic: gets float64 ``(n,)``, how often each row was drawn.
            n: what it was measured on, where that is not all rows.
        """
        value = statistic(np.ones(self.n))
        with np.errstate(invalid="ignore", divide="ignore"):
            drawn = np.array([statistic(draw.astype(np.float64)) for draw in self._draws])
        drawn = drawn[np.isfinite(drawn)]
        low, high = np.quantile(drawn, LEVEL) if len(drawn) else (value, value)
        return Estimate(float(value), float(low), float(high), self.n if n is None else n)


def grouped_mean(values: Floats, groups: NDArray[np.integer], seed: int = 0, draws: int = 1000) -> Estimate:
    """Mean with its interval by drawing whole groups; all draws at once, for long arrays.

    Args:
        values: float64 ``(n,)``.  groups: group of each value, int64 ``(n,)``.
    """
    _, group = np.unique(groups, return_inverse=True)
    counts = np.bincount(group).astype(np.float64)
    sums = np.bincount(group, weights=values)
    drawn = np.random.default_rng(seed).multinomial(len(counts), np.full(len(counts), 1 / len(counts)), draws)
    low, high = np.quantile((drawn @ sums) / (drawn @ counts), LEVEL)
    return Estimate(float(values.mean()), float(low), float(high), len(values))


def seeds_interval(
    replicates: Sequence[Floats], rng: np.random.Generator, weights: Sequence[float] | None = None
) -> tuple[float, float]:
    """Interval of a mean over seeds, when seeds are drawn with replacement and, within each, its own units.

    Args:
        replicates: of each seed, its figure in every draw of its units, float64 ``(draws,)``.
        weights: of each seed in the mean; all alike when left out.
    """
    table = np.stack(replicates)
    seeds, draws = table.shape
    drawn = rng.integers(0, seeds, (seeds, draws))
    share = np.ones(seeds)[drawn] if weights is None else np.asarray(weights)[drawn]
    means = (table[drawn, np.arange(draws)] * share).sum(axis=0) / np.maximum(share.sum(axis=0), 1e-12)
    low, high = np.quantile(means, LEVEL)
    return float(low), float(high)


def resampled_means(values: Floats, draws: int, rng: np.random.Generator) -> Floats:
    """Means float64 ``(draws,)`` of as many values drawn with replacement as there are in ``values`` ``(n,)``."""
    means: Floats = values[rng.integers(0, len(values), (draws, len(values)))].mean(axis=1)
    return means


def resampled_pair_means(table: Floats, draws: int, rng: np.random.Generator) -> Floats:
    """Means float64 ``(draws,)`` of a table of pairs of units ``(n, n)`` as its units are drawn with replacement."""
    units = len(table)
    counts = rng.multinomial(units, np.full(units, 1 / units), draws).astype(np.float64)
    means: Floats = np.einsum("ri,ij,rj->r", counts, table, counts) / units**2
    return means


def wilson(share: float, n: int) -> tuple[float, float]:
    """95 % interval of a share of ``n``.

    Source: E. B. Wilson, "Probable inference, the law of succession, and statistical inference", JASA 22 (1927).
    """
    if n == 0:
        return 0.0, 1.0
    z = NORMAL_975
    spread = z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    middle, scale = share + z * z / (2 * n), 1 + z * z / n
    return max(0.0, (middle - spread) / scale), min(1.0, (middle + spread) / scale)


def auroc(positive: NDArray[np.bool_], scores: Floats, weights: Floats | None = None) -> float:
    """Probability that a positive scores above a negative, ties counting half; NaN without one of either.

    Equal to ``sklearn.metrics.roc_auc_score``, which is slower and refuses draws without a positive.

    Args:
        positive: bool ``(n,)``.  scores, weights: float64 ``(n,)``.
    """
    order = np.argsort(scores, kind="stable")
    _, tied = np.unique(scores[order], return_inverse=True)
    known = positive[order]
    drawn = np.ones(len(scores)) if weights is None else weights[order]
    ours = np.bincount(tied, weights=drawn * known)
    theirs = np.bincount(tied, weights=drawn * ~known)
    pairs = ours.sum() * theirs.sum()
    below = np.cumsum(theirs) - theirs
    return float((ours * (below + theirs / 2)).sum() / pairs) if pairs else float("nan")


def auroc_by_unit(positive: Floats, negative: Floats) -> Floats:
    """How often a positive of one unit scores above a negative of another, float64 ``(units, units)``.

    The mean of the table is the AUROC where no scores are tied; a tie counts as not above.

    Args:
        positive: scores ``(units, p)``, units in rows.  negative: scores ``(units, q)`` of the same units.
    """
    above: Floats = (positive[:, None, :, None] > negative[None, :, None, :]).mean(axis=(2, 3))
    return above


def best_threshold(positive: Floats, negative: Floats, steps: Floats | None = None) -> Cut:
    """Where the share of positives at or over it plus the share of negatives below it is greatest; the first of equals.

    Source: Youden, "Index for rating diagnostic tests", Cancer 3 (1950).

    Args:
        positive, negative: scores, float64 of any shape, at least one each.
        steps: thresholds that are tried, ``(k,)``; every score when left out.
    """
    above, below = np.sort(positive, axis=None), np.sort(negative, axis=None)
    tried = np.unique(np.concatenate((above, below))) if steps is None else steps
    kept = (above.size - np.searchsorted(above, tried)) / above.size
    refused = np.searchsorted(below, tried) / below.size
    best = int(np.argmax(kept + refused))
    return Cut(float(tried[best]), float(kept[best]), float(refused[best]))


def shrunk_covariance(covariance: Floats, shrinkage: float, least: float = 0.0) -> Floats:
    """A covariance drawn towards a multiple of identity with the same trace, float64 ``(d, d)``.

    Sources: Friedman, "Regularized discriminant analysis", JASA 84 (1989), whose gamma the shrinkage is; Ledoit and
    Wolf, "A well-conditioned estimator for large-dimensional covariance matrices", J. Multivariate Analysis 88 (2004).

    Args:
        covariance: float64 ``(d, d)``.
        shrinkage: 0 changes nothing, 1 leaves nothing but the multiple of identity.
        least: least mean variance that is taken to be there.
    """
    dim = len(covariance)
    even = max(float(np.trace(covariance)) / max(dim, 1), least)
    shrunk: Floats = (1 - shrinkage) * covariance + shrinkage * even * np.eye(dim)
    return shrunk


def bin_of(probability: Floats, bins: int = BINS) -> NDArray[np.intp]:
    """Number of the bin of equal width, 0 to ``bins`` - 1, intp ``(n,)``, of probabilities ``(n,)``."""
    return np.minimum((probability * bins).astype(np.intp), bins - 1)


def calibration_error(probability: Floats, true: NDArray[np.generic], weights: Floats | None = None) -> float:
    """Expected calibration error: mean over rows of the difference between probability and share in the row's bin.

    Source: Guo et al., "On calibration of modern neural networks", ICML 2017, equation 3.

    Args:
        probability: float64 ``(n,)``.
        true: what came true, bool or float64 ``(n,)``.
        weights: float64 ``(n,)``.
    """
    drawn = np.ones(len(probability)) if weights is None else weights
    gaps = np.bincount(bin_of(probability), weights=drawn * (probability - true.astype(np.float64)), minlength=BINS)
    return float(np.abs(gaps).sum() / drawn.sum())


def average_precision(relevant: NDArray[np.bool_]) -> float:
    """Mean precision at the rank of each relevant answer; 0 when nothing is relevant.

    Source: Manning, Raghavan and Schütze, "Introduction to Information Retrieval", 2008, §8.4.

    Args:
        relevant: of one full ranking from first to last, bool ``(n,)``.
    """
    ranks = np.flatnonzero(relevant) + 1
    return float(np.mean(np.arange(1, len(ranks) + 1) / ranks)) if len(ranks) else 0.0
