"""Open-set recognition: photos of unknown photographers distinguished from those of known ones."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from search.evaluation.statistics import (
    Estimate,
    Floats,
    auroc_by_unit,
    best_threshold,
    resampled_pair_means,
    seeds_interval,
)
from search.store.base import Array
from workers.photographers.benchmark.intervals import REPLICATES

Encode = Callable[[Array], Array]
"""An encoder: statistics ``(…, dim)`` to vectors."""

KNOWN_SHARE = 2 / 3
"""Known of all photographers; and of the known ones, those that stay known while the threshold is set."""


@dataclass(frozen=True, slots=True)
class OpenSetTrial:
    """One seed's answer, for single photos or for sets.

    Attributes:
        above: float64 ``(units, units)``: how often a known photographer's photo of the row scores above an unknown
            photographer's photo of the column; its mean is the AUROC.
        kept: share of known photographers' photos over the threshold.  found: share of the others' below it.
    """

    above: Floats
    kept: float
    found: float


def split_known(presets: int, rng: np.random.Generator) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Numbers of known and of unknown photographers, two to one."""
    order = rng.permutation(presets)
    known = max(2, round(presets * KNOWN_SHARE))
    return np.sort(order[:known]), np.sort(order[known:])


def open_set(
    gallery: Array, question: Array, sets: NDArray[np.int64], train: Callable[[Array], Encode], rng: np.random.Generator
) -> OpenSetTrial:
    """Learn two thirds of the photographers from the gallery and ask about all of them.

    The threshold is the one that tells best, within the gallery, a third of the *known* photographers, left out for
    that, from the others; neither the unknown photographers nor the question's photos have a part in it.

    Args:
        gallery, question: float32 ``(photos, presets, dim)``.
        sets: numbers of question photos that are judged together, int64 ``(sets, n)``; ``(photos, 1)`` for single ones.
        train: makes the encoder from photos of those who are known.
    """
    known, unknown = split_known(gallery.shape[1], rng)
    inner_known, inner_unknown = split_known(len(known), rng)
    held = np.arange(len(gallery)) % 3 == 2
    learnt = gallery[~held][:, known[inner_known]]
    tried = _grouped(int(held.sum()), sets.shape[1])
    inner = familiarity(train(learnt), learnt, gallery[held][:, known], tried)
    threshold = best_threshold(inner[:, inner_known], inner[:, inner_unknown]).value
    learnt = gallery[:, known]
    scores = familiarity(train(learnt), learnt, question, sets)
    ours, others = scores[:, known], scores[:, unknown]
    return OpenSetTrial(
        auroc_by_unit(ours, others), float((ours >= threshold).mean()), float((others < threshold).mean())
    )


def familiarity(encode: Encode, gallery: Array, question: Array, sets: NDArray[np.int64]) -> Floats:
    """How much likelier each set is by the nearest photographer than by anybody, float64 ``(sets, presets of the
    question)``: the log of the ratio, a photo. In the encoder's coordinates a photographer's photos are normal with
    deviation 1, and photographers normal with the covariance of those in the gallery.

    Source: Ioffe, "Probabilistic linear discriminant analysis", ECCV 2006.
    """
    means = encode(gallery).mean(axis=0, dtype=np.float64)
    middle = means.mean(axis=0)
    asked = encode(question)[sets].mean(axis=1, dtype=np.float64) - middle
    means -= middle
    size = sets.shape[1]
    squared = np.square(asked).sum(-1)[..., None] - 2 * asked @ means.T + np.square(means).sum(-1)
    # Outside the span of the means both hypotheses say the same, so the ratio is taken within it.
    _, sizes, axes = np.linalg.svd(means, full_matrices=False)
    variances = np.square(sizes) / max(len(means) - 1, 1)
    along = np.square(asked @ axes.T)
    rest = np.square(asked).sum(-1) - along.sum(-1)
    anybody = size * rest + (along / (variances + 1 / size)).sum(-1)
    ratio: Floats = (anybody - size * squared.min(axis=-1)) / (2 * size)
    return ratio


def auroc(seeds: Sequence[OpenSetTrial]) -> Estimate:
    """Over seeds, with the interval of drawing seeds and, within each, its photos anew; ``n`` counts those."""
    rng = np.random.default_rng(0)
    low, high = seeds_interval([resampled_pair_means(one.above, REPLICATES, rng) for one in seeds], rng)
    value = float(np.mean([one.above.mean() for one in seeds]))
    return Estimate(value, low, high, sum(len(one.above) for one in seeds))


def _grouped(photos: int, size: int) -> NDArray[np.int64]:
    """Photos in order, ``size`` at a time; at least one set, with repetitions where there are too few."""
    sets = max(1, photos // size)
    return np.resize(np.arange(photos), (sets, size)).astype(np.int64)
