"""Looks at whether the figures of a report can be believed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from search.photographers.classifier.ensemble import Inputs
from search.photographers.classifier.linear import fit_linear
from search.photographers.photos.features import CAMERA, METADATA
from search.photographers.photos.grouping import near_pairs
from search.photographers.photos.splits import Fold, Labels, random_folds
from search.photographers.report import Check
from workers.photographers.classifier.progress import Progress
from workers.photographers.classifier.training_set import Learnable

SHUFFLES = 5
TOLD_BY_CAMERA = 2.0
"""How many times better than chance file and camera alone may tell photographers apart before it is said aloud."""

CAMERA_SHARE = 0.3
"""Greatest share of the trees' importance that file, clock and camera may have before it is said aloud."""


def checks_of(
    learnt: Learnable,
    photos: Inputs,
    folds: Sequence[Fold],
    camera_alone: float,
    importances: Sequence[NDArray[np.float64]],
    seed: int,
    progress: Progress,
) -> tuple[Check, ...]:
    """
    Args:
        camera_alone: accuracy from what file, clock and camera say, without the picture.
        importances: of the 78 features in the trees of each fold.
    """
    return (
        _across(learnt, folds),
        _flattery(learnt, photos, folds, seed, progress),
        _shuffled(learnt, photos, folds, seed, progress),
        _told_by_camera(camera_alone, len(learnt.names), learnt.labels),
        _importance(importances),
    )


def _across(learnt: Learnable, folds: Sequence[Fold]) -> Check:
    """Near duplicates on both sides of a split: what was learnt is tested."""
    fold_of = np.empty(len(learnt.labels), np.intp)
    for at, fold in enumerate(folds):
        fold_of[fold.test] = at
    across = sum(fold_of[a] != fold_of[b] for a, b in near_pairs(learnt.photos))
    words = (
        "No near duplicates are on both sides of a split."
        if not across
        else f"{across:,} pairs of near duplicates are on both sides of a split: somebody has too few other photos."
    )
    return Check("near_duplicates_across_folds", words, not across, float(across), 0.0)


def _flattery(learnt: Learnable, photos: Inputs, folds: Sequence[Fold], seed: int, progress: Progress) -> Check:
    careless = random_folds(learnt.labels, len(folds), seed)
    gap = _accuracy(learnt.labels, photos, careless, progress) - _accuracy(learnt.labels, photos, folds, progress)
    words = f"Folds that part sessions would flatter by {100 * gap:.1f} points (linear part); these do not part them."
    return Check("random_against_grouped_folds", words, None, gap)


def _shuffled(learnt: Learnable, photos: Inputs, folds: Sequence[Fold], seed: int, progress: Progress) -> Check:
    """With names dealt at random nothing can be learnt; whatever is right beyond chance, the measuring leaks."""
    rng = np.random.default_rng(seed)
    drawn = [_accuracy(rng.permutation(learnt.labels), photos, folds, progress) for _ in range(SHUFFLES)]
    found = float(np.mean(drawn))
    share = np.bincount(learnt.labels) / len(learnt.labels)
    chance = float(share.max())
    bound = chance + 2 * float(np.sqrt(chance * (1 - chance) / len(learnt.labels)))
    words = f"With names shuffled, {found:.1%} are right; chance is at most {chance:.1%}."
    return Check("shuffled_names", words, found <= bound, found, bound)


def _told_by_camera(camera_alone: float, photographers: int, labels: Labels) -> Check:
    chance = float(np.bincount(labels).max()) / len(labels)
    bound = min(1.0, TOLD_BY_CAMERA * max(chance, 1 / photographers))
    if chance > 0.5:
        bound = chance + (1 - chance) / 2
    passed = camera_alone < bound
    words = f"File, clock and camera alone are right for {camera_alone:.1%} of the photos"
    words += (
        "." if passed else ": the camera gives it away. Compare the figures with and without what file and camera say."
    )
    return Check("camera_alone", words, passed, camera_alone, bound)


def _importance(importances: Sequence[NDArray[np.float64]]) -> Check:
    share = float(np.mean([one[[*METADATA, *CAMERA]].sum() for one in importances])) if importances else 0.0
    passed = share <= CAMERA_SHARE
    words = f"File, clock and camera make {share:.1%} of what the trees decide by"
    words += "." if passed else ": the camera gives it away."
    return Check("importance_of_camera", words, passed, share, CAMERA_SHARE)


def _accuracy(labels: Labels, photos: Inputs, folds: Sequence[Fold], progress: Progress) -> float:
    """Of the joined linear part: quick, and as ready to use a leak as any."""
    right = 0
    count = int(labels.max()) + 1
    for fold in folds:
        progress.check()
        rows, tested = photos.take(fold.train).columns("joined"), photos.take(fold.test).columns("joined")
        linear = fit_linear(rows, labels[fold.train], count)
        right += int((linear.scores(tested).argmax(axis=1) == labels[fold.test]).sum())
    return right / len(labels)
