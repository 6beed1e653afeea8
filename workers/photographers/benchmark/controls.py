"""Control checks of the benchmark: no leak between the splits, no information but the preset."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from search.evaluation.statistics import Estimate, Floats
from search.store.base import Array
from workers.photographers.benchmark.heads import Classifier
from workers.photographers.benchmark.intervals import estimate, hits_of_one, share_within, standard_error
from workers.photographers.benchmark.results import BenchmarkCheck, check

ENTANGLEMENT = 0.05
"""Most by which the style vector may find content better than chance."""


def shuffled(table: Array, rng: np.random.Generator) -> Array:
    """``(photos, presets, dim)`` with the photographers of each photo in another order: labels that mean nothing."""
    order = rng.permuted(np.tile(np.arange(table.shape[1]), (len(table), 1)), axis=1)
    return np.take_along_axis(table, order[..., None], axis=1)


def guessing(gallery: Array, question: Array, head: Classifier) -> Floats:
    """Hits ``(photos, presets)`` of a head where there should be nothing to learn."""
    return hits_of_one(head(gallery, question))


def at_chance(name: str, words: str, hits: Sequence[Floats], note: str = "") -> BenchmarkCheck:
    """That the share right is that of guessing, within two standard errors on either side.

    One in twenty such checks fails by bad luck alone.
    """
    presets = hits[0].shape[1]
    value = estimate([table.mean(axis=1) for table in hits], presets)
    error = 2 * standard_error(hits)
    return check(name, words, value, low=1 / presets - error, high=1 / presets + error, note=note)


def twin_answers(log_probabilities: Floats, first: int, second: int) -> tuple[Floats, Floats]:
    """Of the photos of two photographers with one preset, by base photo: how many are answered with the right one of
    the two, and how many with either; both float64 ``(photos,)``."""
    pair = np.array((first, second))
    answers = log_probabilities[:, pair].argmax(axis=-1)
    within = np.isin(answers, pair)
    right = answers == pair
    return right.sum(axis=1).astype(np.float64), within.sum(axis=1).astype(np.float64)


def even_split(seeds: Sequence[tuple[Floats, Floats]]) -> BenchmarkCheck:
    """That a photographer and a copy of the same preset are distinguished no better than by tossing a coin."""
    right, within = [one for one, _ in seeds], [both for _, both in seeds]
    value = share_within(right, within)
    photos = np.concatenate(right), np.concatenate(within)
    residual = photos[0] - value.value * photos[1]
    error = 2 * float(np.sqrt(np.square(residual).sum()) / max(photos[1].sum(), 1.0))
    return check(
        "twins", "two photographers with one preset: right within the pair", value, low=0.5 - error, high=0.5 + error
    )


def content_found(vectors: Array, subjects: Sequence[str]) -> Floats:
    """How much oftener than by chance the nearest other photo, by cosine, shows the same subject; float64
    ``(photos,)``. Photos that share their subject with no other are left out.

    Args:
        vectors: float32 ``(photos, presets, dim)``; every render of every other photo may be the nearest.
    """
    photos, presets, _ = vectors.shape
    unit = vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-12)
    rows = unit.reshape(photos * presets, -1)
    names = np.unique(np.array(subjects), return_inverse=True)[1]
    excess: list[float] = []
    for photo in range(photos):
        chance = ((names == names[photo]).sum() - 1) / max(photos - 1, 1)
        if chance == 0:
            continue
        cosines = unit[photo] @ rows.T
        cosines[:, photo * presets : (photo + 1) * presets] = -np.inf
        found = names[cosines.argmax(axis=1) // presets]
        excess.append(float((found == names[photo]).mean() - chance))
    return np.array(excess, np.float64)


def separated(shared: int, photos: int, classes: bool) -> BenchmarkCheck:
    """That no photo asked about, no copy of it and no subject of it was learnt from."""
    words = "photos asked about whose subject, file or copy was learnt from"
    note = "" if classes else "the folder has no classes: split by photo, so alike subjects may be on both sides"
    return check("split", words, Estimate(float(shared), float(shared), float(shared), photos), high=0.0, note=note)


def singles(photos: int) -> NDArray[np.int64]:
    """Every photo as a set of its own, int64 ``(photos, 1)``."""
    return np.arange(photos, dtype=np.int64)[:, None]
