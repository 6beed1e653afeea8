"""Checks for leaks: whether the figures of a report can be believed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from search.photographers.classifier.ensemble import Inputs
from search.photographers.photos.features import CAMERA, METADATA
from search.photographers.photos.grouping import near_pairs
from search.photographers.report import ReportCheck
from workers.photographers.classifier.fitting.linear import fit_linear
from workers.photographers.classifier.fitting.splits import Labels, TrainTestSplit, random_folds
from workers.photographers.classifier.progress import TrainingProgress
from workers.photographers.classifier.training_set import TrainingSet

SHUFFLES = 5
CAMERA_LIFT = 2.0
"""How many times better than chance file and camera alone may predict photographers without a warning."""

CAMERA_SHARE = 0.3
"""Greatest share of the trees' importance that file, clock and camera may have without a warning."""


def leakage_checks(
    training_set: TrainingSet,
    photos: Inputs,
    folds: Sequence[TrainTestSplit],
    camera_alone: float,
    importances: Sequence[NDArray[np.float64]],
    seed: int,
    progress: TrainingProgress,
) -> tuple[ReportCheck, ...]:
    """
    Args:
        camera_alone: accuracy from the facts of file, clock and camera, without the picture.
        importances: of the 78 features in the trees of each fold, float64 ``(78,)`` each.

    Raises:
        TrainingStoppedError: the training was told to stop.
    """
    return (
        _near_duplicates(training_set, folds),
        _random_folds(training_set, photos, folds, seed, progress),
        _shuffled_names(training_set, photos, folds, seed, progress),
        _camera_alone(camera_alone, len(training_set.names), training_set.labels),
        _importance(importances),
    )


def _near_duplicates(training_set: TrainingSet, folds: Sequence[TrainTestSplit]) -> ReportCheck:
    """Near duplicates on both sides of a split: what was trained on is tested."""
    fold_of = np.empty(len(training_set.labels), np.intp)
    for at, fold in enumerate(folds):
        fold_of[fold.test] = at
    across = sum(fold_of[a] != fold_of[b] for a, b in near_pairs(training_set.photos))
    words = (
        "No near duplicates are on both sides of a split."
        if not across
        else f"{across:,} pairs of near duplicates are on both sides of a split: somebody has too few other photos."
    )
    return ReportCheck("near_duplicates_across_folds", words, not across, float(across), 0.0)


def _random_folds(
    training_set: TrainingSet,
    photos: Inputs,
    folds: Sequence[TrainTestSplit],
    seed: int,
    progress: TrainingProgress,
) -> ReportCheck:
    """By how much folds that ignore groups would flatter."""
    labels = training_set.labels
    careless = random_folds(labels, len(folds), seed)
    gap = _accuracy(labels, photos, careless, progress) - _accuracy(labels, photos, folds, progress)
    words = f"Folds that part sessions would flatter by {100 * gap:.1f} points (linear part); these do not part them."
    return ReportCheck("random_against_grouped_folds", words, None, gap)


def _shuffled_names(
    training_set: TrainingSet,
    photos: Inputs,
    folds: Sequence[TrainTestSplit],
    seed: int,
    progress: TrainingProgress,
) -> ReportCheck:
    """With shuffled names nothing can be learnt: accuracy beyond chance would be a leak of the measurement."""
    rng = np.random.default_rng(seed)
    labels = training_set.labels
    drawn = [_accuracy(rng.permutation(labels), photos, folds, progress) for _ in range(SHUFFLES)]
    found = float(np.mean(drawn))
    share = np.bincount(labels) / len(labels)
    chance = float(share.max())
    bound = chance + 2 * float(np.sqrt(chance * (1 - chance) / len(labels)))
    words = f"With names shuffled, {found:.1%} are right; chance is at most {chance:.1%}."
    return ReportCheck("shuffled_names", words, found <= bound, found, bound)


def _camera_alone(camera_alone: float, photographers: int, labels: Labels) -> ReportCheck:
    chance = float(np.bincount(labels).max()) / len(labels)
    bound = min(1.0, CAMERA_LIFT * max(chance, 1 / photographers))
    if chance > 0.5:
        bound = chance + (1 - chance) / 2
    passed = camera_alone < bound
    words = f"File, clock and camera alone are right for {camera_alone:.1%} of the photos"
    words += (
        "." if passed else ": the camera gives it away. Compare the figures with and without what file and camera say."
    )
    return ReportCheck("camera_alone", words, passed, camera_alone, bound)


def _importance(importances: Sequence[NDArray[np.float64]]) -> ReportCheck:
    share = float(np.mean([one[[*METADATA, *CAMERA]].sum() for one in importances])) if importances else 0.0
    passed = share <= CAMERA_SHARE
    words = f"File, clock and camera make {share:.1%} of what the trees decide by"
    words += "." if passed else ": the camera gives it away."
    return ReportCheck("importance_of_camera", words, passed, share, CAMERA_SHARE)


def _accuracy(labels: Labels, photos: Inputs, folds: Sequence[TrainTestSplit], progress: TrainingProgress) -> float:
    """Of the joined linear part, which is quick and would exploit a leak as well as any."""
    right = 0
    count = int(labels.max()) + 1
    for fold in folds:
        progress.check()
        rows, tested = photos.take(fold.train).columns("joined"), photos.take(fold.test).columns("joined")
        linear = fit_linear(rows, labels[fold.train], count)
        right += int((linear.scores(tested).argmax(axis=1) == labels[fold.test]).sum())
    return right / len(labels)
