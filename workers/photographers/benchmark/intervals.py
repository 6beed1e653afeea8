"""Shares of a benchmark with 95 % intervals over seeds and photos, and how answers are counted."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from search.evaluation.statistics import Estimate, Floats, resampled_means, seeds_interval

REPLICATES = 2000
SET = 10
"""Photos of a set."""


def estimate(seeds: Sequence[Floats], each: int = 1) -> Estimate:
    """The mean over seeds of the mean over base photos, with its 95 % interval.

    The bootstrap draws seeds with replacement and within each its base photos (or sets of them), since the thirty
    renders of one photo succeed and fail together.

    Args:
        seeds: of each seed, one value a base photo (or set), float64 ``(units,)``.
        each: judgements behind one value, for ``n``.
    """
    return _interval(seeds, [1.0] * len(seeds), each)


def margin(better: Sequence[Floats], worse: Sequence[Floats]) -> Estimate:
    """Mean difference over the same photos, with its 95 % interval; paired, as :func:`estimate`."""
    return estimate([one - other for one, other in zip(better, worse, strict=True)])


def share_within(hits: Sequence[Floats], counts: Sequence[Floats]) -> Estimate:
    """Sum of ``hits`` over sum of ``counts``, both by base photo, with its 95 % interval; ``n`` is all that counted."""
    values = [hit / max(count.mean(), 1e-12) for hit, count in zip(hits, counts, strict=True)]
    found = _interval(values, [float(count.sum()) for count in counts], 1)
    return Estimate(found.value, found.low, found.high, int(sum(count.sum() for count in counts)))


def standard_error(hits: Sequence[Floats]) -> float:
    """Of the mean of ``(photos, presets)`` tables: the larger of what base photos and what presets vary by.

    A classifier that learnt from noise answers one preset always alike, so that presets, not photos, are the
    independent draws there.
    """
    by_photo = np.concatenate([table.mean(axis=1) for table in hits])
    by_preset = np.concatenate([table.mean(axis=0) for table in hits])
    return max(float(values.std(ddof=1) / np.sqrt(len(values))) for values in (by_photo, by_preset))


def _interval(seeds: Sequence[Floats], weights: Sequence[float], each: int) -> Estimate:
    rng = np.random.default_rng(0)
    low, high = seeds_interval([resampled_means(values, REPLICATES, rng) for values in seeds], rng, weights)
    value = np.average([values.mean() for values in seeds], weights=weights) if sum(weights) else 0.0
    return Estimate(float(value), low, high, each * sum(len(values) for values in seeds))


def sets_of_ten(photos: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Base photos in random sets that share none, int64 ``(sets, 10)``; what is left over is left out."""
    sets = photos // SET
    return rng.permutation(photos)[: sets * SET].reshape(sets, SET).astype(np.int64)


def hits_of_one(log_probabilities: Floats) -> Floats:
    """Whether the right photographer is the most probable, float64 ``(photos, presets)``.

    Args:
        log_probabilities: float64 ``(photos, presets, presets)``, the last axis is what is answered.
    """
    return _right(log_probabilities)


def hits_of_ten(log_probabilities: Floats, sets: NDArray[np.int64]) -> Floats:
    """The same of sets by their mean log probability, float64 ``(sets, presets)``."""
    return _right(log_probabilities[sets].mean(axis=1))


def _right(log_probabilities: Floats) -> Floats:
    presets = log_probabilities.shape[1]
    right: Floats = (log_probabilities.argmax(axis=-1) == np.arange(presets)).astype(np.float64)
    return right
