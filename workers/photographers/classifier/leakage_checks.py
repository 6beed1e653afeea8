"""Checks for leaks: whether the figures of a report, and the answers of a model, can be believed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from search.photographers.classifier.ensemble import Inputs
from search.photographers.classifier.file_facts import FILE_FACTS
from search.photographers.classifier.linear import Matrix
from search.photographers.photos.dataset import PhotoSet
from search.photographers.photos.features import INDEX
from search.photographers.photos.grouping import near_pairs
from search.photographers.report import ReportCheck
from workers.photographers.classifier.fitting.linear import fit_linear
from workers.photographers.classifier.fitting.splits import Labels, TrainTestSplit, grouped_folds, random_folds
from workers.photographers.classifier.progress import TrainingProgress
from workers.photographers.classifier.training_set import TrainingSet, sampled

FOLDS = 5
MOST_CHECKED = 4_000
"""Photos that are looked at, at most, whole shoots of them."""

SHUFFLES = 5
LIFT = 0.05
"""By how much more than chance a group of facts that are none of the picture may tell photographers apart."""

GEOMETRY = tuple(INDEX[name] for name in ("width", "height", "aspect_ratio", "log_bytes"))


def evidence_checks(training_set: TrainingSet, seed: int, progress: TrainingProgress) -> tuple[ReportCheck, ...]:
    """What tells photographers apart beside the picture, each group alone; they stand beside each prediction.

    Raises:
        TrainingStoppedError: the training was told to stop.
    """
    progress.say("Looking for what identifies photographers beside the picture")
    some = sampled(training_set, MOST_CHECKED, seed)
    folds = grouped_folds(some.labels, some.shoots.shoots, FOLDS, seed)
    chance = float(np.bincount(some.labels).max()) / len(some.labels)
    found = []
    for name, (what, columns) in ALONE.items():
        progress.check()
        rows = columns(some.photos)
        if np.isfinite(rows).any():
            right = _right(rows, some.labels, folds)
            words = f"{what} alone is right for {right:.1%} of the photos; chance is {chance:.1%}."
            found.append(ReportCheck(name, words, right <= chance + LIFT, right, chance + LIFT))
    return (*found, _near_duplicates(some, folds))


def _features(columns: Sequence[int]) -> Callable[[PhotoSet], Matrix]:
    return lambda photos: photos.features[:, list(columns)]


ALONE: Mapping[str, tuple[str, Callable[[PhotoSet], Matrix]]] = {
    "border_alone": ("The border around the picture", lambda photos: photos.borders),
    "geometry_alone": ("The size and shape of the file", _features(GEOMETRY)),
    "file_alone": ("File, clock and camera", _features(FILE_FACTS)),
}
"""Name of a check to the group of facts and their columns, ``(n, d)``, NaN for what is not known."""


def measurement_checks(
    training_set: TrainingSet,
    photos: Inputs,
    folds: Sequence[TrainTestSplit],
    seed: int,
    progress: TrainingProgress,
) -> tuple[ReportCheck, ...]:
    """Whether the folds of a report measure what they should.

    Raises:
        TrainingStoppedError: the training was told to stop.
    """
    return (
        _random_folds(training_set, photos, folds, seed, progress),
        _shuffled_names(training_set, photos, folds, seed, progress),
    )


def _right(rows: Matrix, labels: Labels, folds: Sequence[TrainTestSplit]) -> float:
    count = int(labels.max()) + 1
    right = 0
    for fold in folds:
        linear = fit_linear(rows[fold.train], labels[fold.train], count)
        right += int((linear.scores(rows[fold.test]).argmax(axis=1) == labels[fold.test]).sum())
    return right / len(labels)


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
    words = (
        f"Folds that split sessions would be optimistic by {100 * gap:.1f} points (linear part); "
        "sessions are kept apart here."
    )
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
