"""Fitting of the ensemble: its parts, and by cross-validation the pool weights and the threshold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from search.photographers.classifier.ensemble import (
    ANSWERS,
    LINEAR_PARTS,
    SHARES,
    TREES,
    Ensemble,
    Inputs,
    Parts,
    PoolWeights,
    pooled_answer,
)
from search.photographers.classifier.linear import Scores
from search.photographers.classifier.pooling import prior_scores
from search.photographers.classifier.trees import Trees
from search.photographers.photos.grouping import Groups
from workers.photographers.classifier.fitting.conformal import fit_conformal
from workers.photographers.classifier.fitting.familiarity import fit_familiarity
from workers.photographers.classifier.fitting.linear import fit_linear
from workers.photographers.classifier.fitting.pooling import fit_pool
from workers.photographers.classifier.fitting.sets import HeldOutAnswers, fit_sets
from workers.photographers.classifier.fitting.splits import (
    Index,
    Labels,
    TrainTestSplit,
    grouped_folds,
    photographers_out,
)
from workers.photographers.classifier.fitting.threshold import Confidence, fit_threshold
from workers.photographers.classifier.fitting.trees import TreeSettings, fit_trees
from workers.photographers.classifier.progress import TrainingProgress

INNER_FOLDS = 4

MOST_FOR_TREES = 60
"""Photographers up to which trees are grown: every tree has a leaf value for each of them, so that time and memory grow
with their number, and hundreds would take hours."""


@dataclass(frozen=True, slots=True)
class FitOptions:
    """Settings of the trees, seed of everything drawn, threads of CatBoost (0: every core)."""

    settings: TreeSettings = field(default_factory=TreeSettings)
    seed: int = 0
    threads: int = 0


def fit_ensemble(
    photos: Inputs,
    labels: Labels,
    photographers: int,
    grouped: Groups,
    options: FitOptions,
    progress: TrainingProgress,
) -> Ensemble:
    """Parts fitted to all photos; weights, threshold and the rules of sets by what grouped folds of the same photos
    show, in which photographers are left out in turn.

    Args:
        labels: intp ``(n,)``.  grouped: group of each photo, int64 ``(n,)``.

    Raises:
        TrainingStoppedError: the training was told to stop.
    """
    folds = grouped_folds(labels, grouped, INNER_FOLDS, options.seed)
    shares = np.bincount(labels, minlength=photographers) / len(labels)
    fitter = PartsFitter(photos, labels, photographers, options, progress)
    scores, nearness = fitter.out_of_fold(folds)
    tested = np.concatenate([fold.test for fold in folds])
    truth = labels[tested]
    prior = prior_scores(shares, len(tested))
    weights = {answer: _pool_weights(answer, scores, prior, truth) for answer in ANSWERS}
    probabilities = pooled_answer("all", scores, weights["all"], shares)
    open_set = fitter.open_set(folds, weights["all"])
    threshold = fit_threshold(
        Confidence.of(tested, probabilities, truth, nearness), confidence_of(open_set, strange=True)
    )
    out_of_fold = np.empty_like(probabilities)
    out_of_fold[tested] = probabilities
    parts = fitter.fit(np.arange(len(labels)))
    if TREES not in scores:
        parts = replace(parts, trees=None)  # no fold shows what they would be worth
    conformal = fit_conformal(probabilities, truth, grouped[tested])
    sets = fit_sets(open_set, options.seed) if open_set else None
    return Ensemble(parts, weights, shares, threshold, out_of_fold, conformal, sets)


class PartsFitter:
    """Fits the parts to some of the photos.

    Args:
        labels: intp ``(n,)``.
    """

    def __init__(
        self, photos: Inputs, labels: Labels, photographers: int, options: FitOptions, progress: TrainingProgress
    ) -> None:
        self._photos, self._labels, self._photographers = photos, labels, photographers
        self._options, self._progress = options, progress

    def out_of_fold(self, folds: Sequence[TrainTestSplit]) -> tuple[Mapping[str, Scores], NDArray[np.float64]]:
        """Scores by part of the tested photos, fold after fold, float64 ``(n, photographers)``, and their nearness to
        the photos trained on, float64 ``(n,)``; without trees where a fold has none."""
        tested, nearness = [], []
        for fold in folds:
            parts, photos = self.fit(fold.train), self._photos.take(fold.test)
            tested.append(parts.scores(photos))
            nearness.append(parts.familiarity(photos.style))
        common = set.intersection(*(set(scores) for scores in tested))
        return {part: np.concatenate([scores[part] for scores in tested]) for part in common}, np.concatenate(nearness)

    def fit(self, rows: Index) -> Parts:
        """Parts fitted to the photos at these positions, intp ``(k,)``.

        Raises:
            TrainingStoppedError: the training was told to stop.
        """
        train, labels = self._photos.take(rows), self._labels[rows]
        linears = {}
        for part in LINEAR_PARTS:
            self._progress.check()
            linears[part] = fit_linear(train.columns(part), labels, self._photographers)
        return Parts(linears, self._trees(rows), fit_familiarity(train.style, labels))

    def open_set(self, folds: Sequence[TrainTestSplit], weights: PoolWeights) -> HeldOutAnswers | None:
        """Tests with strangers, see ``splits.photographers_out``; None where there are too few photographers."""
        found = []
        for at, (fold, strange) in enumerate(photographers_out(self._labels, folds, self._options.seed)):
            parts = self.fit(fold.train)
            counts = np.bincount(self._labels[fold.train], minlength=self._photographers)
            for rows in (fold.test, strange):
                photos = self._photos.take(rows)
                probabilities = pooled_answer("all", parts.scores(photos), weights, counts / counts.sum())
                nearness = parts.familiarity.of_each(photos.style, self._photographers)
                whose, fold_of = np.full(len(rows), rows is strange), np.full(len(rows), at)
                found.append(HeldOutAnswers(rows, fold_of, self._labels[rows], whose, probabilities, nearness))
        return HeldOutAnswers.joined(found) if found else None

    def _trees(self, rows: Index) -> Trees | None:
        self._progress.check()
        if self._photographers > MOST_FOR_TREES:
            return None
        train, options = self._photos.take(rows), self._options
        trees = fit_trees(
            train.vectors,
            train.features,
            self._labels[rows],
            self._photographers,
            options.settings,
            seed=options.seed,
            threads=options.threads,
            goes_on=self._progress.goes_on,
        )
        self._progress.check()
        return trees


def confidence_of(evidence: HeldOutAnswers | None, *, strange: bool) -> Confidence:
    """Confidence in the photos of strangers alone, or in those of the others."""
    if evidence is None:
        return Confidence.none()
    at = np.flatnonzero(evidence.strange == strange)
    nearness = np.fmax.reduce(evidence.nearness[at], axis=1)
    return Confidence.of(evidence.rows[at], evidence.probabilities[at], evidence.labels[at], nearness)


def _pool_weights(answer: str, scores: Mapping[str, Scores], prior: Scores, truth: Labels) -> PoolWeights:
    parts = [part for part in ANSWERS[answer] if part in scores]
    found = fit_pool([scores[part] for part in parts], prior, truth)
    return dict(zip([*parts, SHARES], map(float, found), strict=True))
