"""Fitting of the classifier's parts, and on grouped folds of how they are pooled and when the answer is "unknown"."""

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
    answer_of,
)
from search.photographers.classifier.familiarity import Familiarity
from search.photographers.classifier.linear import Scores, fit_linear
from search.photographers.classifier.pooling import fit_pool, prior_scores
from search.photographers.classifier.threshold import Confidence, find_threshold
from search.photographers.classifier.trees import Trees, TreeSettings, fit_trees
from search.photographers.photos.grouping import Groups
from search.photographers.photos.splits import Fold, Index, Labels, grouped_folds, photographers_out
from workers.photographers.classifier.progress import Progress

INNER_FOLDS = 4

MOST_FOR_TREES = 60
"""Photographers up to which trees are grown: every tree has a leaf value for each of them, so that time and memory grow
with their number, and hundreds would take hours."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How to learn: settings of the trees, seed of everything drawn, threads of CatBoost."""

    settings: TreeSettings = field(default_factory=TreeSettings)
    seed: int = 0
    threads: int = 0


def fit_ensemble(
    photos: Inputs,
    labels: Labels,
    photographers: int,
    grouped: Groups,
    plan: Plan,
    progress: Progress,
    *,
    strangers: bool = True,
) -> Ensemble:
    """Learn the parts, and on grouped folds of the same photos how to pool them and when to answer "unknown".

    Args:
        strangers: tune the threshold with photographers left out; otherwise by the known alone, which is quicker.
    """
    folds = grouped_folds(labels, grouped, INNER_FOLDS, plan.seed)
    shares = np.bincount(labels, minlength=photographers) / len(labels)
    learner = Learner(photos, labels, photographers, plan, progress)
    scores, near = learner.out_of_fold(folds)
    tested = np.concatenate([fold.test for fold in folds])
    truth = labels[tested]
    prior = prior_scores(shares, len(tested))
    weights = {answer: _weights(answer, scores, prior, truth) for answer in ANSWERS}
    given = answer_of("all", scores, weights["all"], shares)
    strange = learner.open_set(folds, weights["all"]).strange if strangers else Confidence.none()
    threshold = find_threshold(Confidence.of(tested, given, truth, near), strange)
    unlearnt = np.empty_like(given)
    unlearnt[tested] = given
    parts = learner.parts(np.arange(len(labels)))
    if TREES not in scores:
        parts = replace(parts, trees=None)  # nothing says what they would be worth
    return Ensemble(parts, weights, shares, threshold, unlearnt)


@dataclass(frozen=True, eq=False)
class OpenSet:
    """Photos by photographers that a model had learnt (though not these photos), and by others."""

    known: Confidence
    strange: Confidence


class Learner:
    """Learns parts from some of the photos."""

    def __init__(self, photos: Inputs, labels: Labels, photographers: int, plan: Plan, progress: Progress) -> None:
        self._photos, self._labels, self._photographers = photos, labels, photographers
        self._plan, self._progress = plan, progress

    def out_of_fold(self, folds: Sequence[Fold]) -> tuple[Mapping[str, Scores], NDArray[np.float64]]:
        """Scores by each part of the tested photos, fold after fold, and how near they came to those learnt from;
        without trees where a fold has none."""
        tested, near = [], []
        for fold in folds:
            parts, photos = self.parts(fold.train), self._photos.take(fold.test)
            tested.append(parts.scores(photos))
            near.append(parts.familiarity(photos.style))
        common = set.intersection(*(set(scores) for scores in tested))
        return {part: np.concatenate([scores[part] for scores in tested]) for part in common}, np.concatenate(near)

    def parts(self, rows: Index) -> Parts:
        train, labels = self._photos.take(rows), self._labels[rows]
        linears = {}
        for part in LINEAR_PARTS:
            self._progress.check()
            linears[part] = fit_linear(train.columns(part), labels, self._photographers)
        return Parts(linears, self._trees(rows), Familiarity.of(train.style))

    def open_set(self, folds: Sequence[Fold], weights: PoolWeights) -> OpenSet:
        """Tests with strangers, see ``splits.photographers_out``; without any where there are too few photographers."""
        known, strange = [Confidence.none()], [Confidence.none()]
        for fold, strangers in photographers_out(self._labels, folds, self._plan.seed):
            parts = self.parts(fold.train)
            counts = np.bincount(self._labels[fold.train], minlength=self._photographers)
            for rows, found in ((fold.test, known), (strangers, strange)):
                photos = self._photos.take(rows)
                given = answer_of("all", parts.scores(photos), weights, counts / counts.sum())
                found.append(Confidence.of(rows, given, self._labels[rows], parts.familiarity(photos.style)))
        return OpenSet(Confidence.joined(known), Confidence.joined(strange))

    def _trees(self, rows: Index) -> Trees | None:
        self._progress.check()
        if self._photographers > MOST_FOR_TREES:
            return None
        train = self._photos.take(rows)
        plan = self._plan
        trees = fit_trees(
            train.vectors,
            train.features,
            self._labels[rows],
            self._photographers,
            plan.settings,
            seed=plan.seed,
            threads=plan.threads,
            goes_on=self._progress.goes_on,
        )
        self._progress.check()
        return trees


def _weights(answer: str, scores: Mapping[str, Scores], prior: Scores, truth: Labels) -> PoolWeights:
    parts = [part for part in ANSWERS[answer] if part in scores]
    found = fit_pool([scores[part] for part in parts], prior, truth)
    return dict(zip([*parts, SHARES], map(float, found), strict=True))
