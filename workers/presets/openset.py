"""Photographers nobody has seen: whether their photos are told from those of known ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from search.photographers.answers import Estimate
from search.store.base import Array
from workers.presets.heads import labelled, standardised
from workers.presets.intervals import REPLICATES, Floats

KNOWN_SHARE = 2 / 3
"""Known of all photographers; and of the known ones, those that stay known while the threshold is set."""


@dataclass(frozen=True, slots=True)
class OpenSet:
    """One seed's answer, for single photos or for sets.

    Attributes:
        above: float64 ``(units, units)``: how often a known photographer's photo of the row scores above an unknown
            photographer's photo of the column; its mean is the AUROC.
        kept: share of known photographers' photos over the threshold.  found: share of the others' below it.
    """

    above: Floats
    kept: float
    found: float


def parts(presets: int, rng: np.random.Generator) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Numbers of known and of unknown photographers, two to one."""
    order = rng.permutation(presets)
    known = max(2, round(presets * KNOWN_SHARE))
    return np.sort(order[:known]), np.sort(order[known:])


def open_set(gallery: Array, question: Array, sets: NDArray[np.int64], rng: np.random.Generator) -> OpenSet:
    """Learn two thirds of the photographers from the gallery and ask about all of them.

    The threshold is the one that tells best, within the gallery, a third of the *known* photographers, left out for
    that, from the others; neither the unknown photographers nor the question's photos have a part in it.

    Args:
        gallery, question: float32 ``(photos, presets, dim)``.
        sets: numbers of question photos that are judged together, int64 ``(sets, n)``; ``(photos, 1)`` for single ones.
    """
    known, unknown = parts(gallery.shape[1], rng)
    inner_known, inner_unknown = parts(len(known), rng)
    held = np.arange(len(gallery)) % 3 == 2
    inner = familiarity(
        gallery[~held][:, known[inner_known]], gallery[held][:, known], _grouped(held.sum(), sets.shape[1])
    )
    threshold = best_threshold(inner[:, inner_known], inner[:, inner_unknown])
    scores = familiarity(gallery[:, known], question, sets)
    ours, others = scores[:, known], scores[:, unknown]
    above = (ours[:, None, :, None] > others[None, :, None, :]).mean(axis=(2, 3))
    return OpenSet(above, float((ours >= threshold).mean()), float((others < threshold).mean()))


def familiarity(gallery: Array, question: Array, sets: NDArray[np.int64]) -> Floats:
    """How near each set is to the nearest photographer of the gallery, float64 ``(sets, presets of the question)``:
    minus the squared Mahalanobis distance of its mean vector, with the covariance within photographers."""
    from sklearn.covariance import ledoit_wolf

    gallery, question = standardised(gallery, question)
    means = gallery.mean(axis=0, dtype=np.float64)
    covariance, _ = ledoit_wolf(labelled(gallery - means.astype(np.float32))[0])
    # In the coordinates of the inverse root, Mahalanobis distance is Euclidean.
    values, axes = np.linalg.eigh(covariance)
    whiten = axes / np.sqrt(np.maximum(values, 1e-9))
    asked = question[sets].mean(axis=1, dtype=np.float64) @ whiten
    centres = means @ whiten
    squared = np.square(asked).sum(-1)[..., None] - 2 * asked @ centres.T + np.square(centres).sum(-1)
    nearest: Floats = -squared.min(axis=-1)
    return nearest


def best_threshold(known: Floats, unknown: Floats) -> float:
    """Where the share of known at or over it plus the share of unknown below it is largest."""
    steps = np.unique(np.concatenate((known.ravel(), unknown.ravel())))
    kept = 1 - np.searchsorted(np.sort(known.ravel()), steps) / known.size
    found = np.searchsorted(np.sort(unknown.ravel()), steps) / unknown.size
    return float(steps[np.argmax(kept + found)])


def auroc(seeds: Sequence[OpenSet]) -> Estimate:
    """Over seeds, with the interval of drawing seeds and, within each, its photos anew; ``n`` counts those."""
    rng = np.random.default_rng(0)
    replicates = np.stack([_resampled(one.above, rng) for one in seeds])
    drawn = rng.integers(0, len(seeds), (len(seeds), REPLICATES))
    low, high = np.quantile(replicates[drawn, np.arange(REPLICATES)].mean(axis=0), (0.025, 0.975))
    value = float(np.mean([one.above.mean() for one in seeds]))
    return Estimate(value, float(low), float(high), sum(len(one.above) for one in seeds))


def _resampled(above: Floats, rng: np.random.Generator) -> Floats:
    units = len(above)
    counts = rng.multinomial(units, np.full(units, 1 / units), REPLICATES).astype(np.float64)
    means: Floats = np.einsum("ri,ij,rj->r", counts, above, counts) / units**2
    return means


def _grouped(photos: int, size: int) -> NDArray[np.int64]:
    """Photos in order, ``size`` at a time; at least one set, with repetitions where there are too few."""
    sets = max(1, photos // size)
    return np.resize(np.arange(photos), (sets, size)).astype(np.int64)
