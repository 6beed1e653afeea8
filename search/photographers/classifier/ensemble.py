"""The product's model: four parts that look at different things, and three answers made of them.

    subject   visual                                     linear
    manner    style + the 58 picture-only features       linear
    joined    visual + style + all features              linear
    trees     components of visual and style + features  CatBoost

``all`` pools the four (``search.photographers.classifier.pooling``); ``style`` is the manner part alone and
``subject`` the subject part alone, each calibrated. Linear parts are hard to beat with a few photos of each
photographer, trees find what is not linear (a colour that is either absent or strong), and neither is best for every
collection: the weights of the pool say which is believed, and are learnt on photos that the parts have not learnt from.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from search.photographers.classifier.familiarity import Familiarity
from search.photographers.classifier.linear import Linear, Matrix, Scores, fit_linear
from search.photographers.classifier.pooling import fit_pool, pooled, prior_scores
from search.photographers.classifier.threshold import Confidence, Threshold, find_threshold
from search.photographers.classifier.trees import Trees, TreeSettings, fit_trees
from search.photographers.photos.dataset import PhotoSet
from search.photographers.photos.features import CAMERA, METADATA, PICTURE_ONLY
from search.photographers.photos.grouping import Groups
from search.photographers.photos.splits import Fold, Index, Labels, grouped_folds, photographers_out
from search.photographers.training.progress import Progress

LINEAR_PARTS = ("subject", "manner", "joined")
TREES = "trees"
ANSWERS: Mapping[str, tuple[str, ...]] = {
    "all": (*LINEAR_PARTS, TREES),
    "style": ("manner",),
    "subject": ("subject",),
}
"""Answer to the parts that are pooled for it."""

INNER_FOLDS = 4
SHARES = "shares"
PoolWeights: TypeAlias = Mapping[str, float]

MOST_FOR_TREES = 60
"""Photographers up to which trees are grown: every tree has a leaf value for each of them, so that time and memory grow
with their number, and hundreds would take hours."""


@dataclass(frozen=True, eq=False)
class Inputs:
    """What is known of ``n`` photos: float32 ``(n, dim)`` each, NaN for what is absent."""

    visual: Matrix
    style: Matrix
    features: Matrix

    @classmethod
    def of(cls, photos: PhotoSet, *, metadata: bool = True) -> Inputs:
        """
        Args:
            metadata: False leaves out what the file and the camera say: the picture alone has to tell.
        """
        return cls(photos.visual, photos.style, photos.features if metadata else without_metadata(photos.features))

    def take(self, rows: Index) -> Inputs:
        return Inputs(self.visual[rows], self.style[rows], self.features[rows])

    def columns(self, part: str) -> Matrix:
        """What a linear part sees."""
        if part == "subject":
            return self.visual
        if part == "manner":
            return np.concatenate([self.style, self.features[:, PICTURE_ONLY]], axis=1)
        return np.concatenate([self.visual, self.style, self.features], axis=1)

    @property
    def vectors(self) -> Mapping[str, Matrix]:
        """Those that the trees take components of."""
        found = {"visual": self.visual}
        return found | {"style": self.style} if self.style.shape[1] else found


def without_metadata(features: Matrix) -> Matrix:
    """A copy in which all that the file, the clock and the camera say is NaN."""
    blanked = features.copy()
    blanked[:, [*METADATA, *CAMERA]] = np.nan
    return blanked


@dataclass(frozen=True, eq=False)
class Parts:
    """The four, learnt from the same photos; ``trees`` is None where none could be or should be grown. Beside them,
    what these photos look like."""

    linears: Mapping[str, Linear]
    trees: Trees | None
    familiarity: Familiarity

    def scores(self, photos: Inputs) -> Mapping[str, Scores]:
        found = {name: linear.scores(photos.columns(name)) for name, linear in self.linears.items()}
        return found | {TREES: self.trees.scores(photos.vectors, photos.features)} if self.trees else found


@dataclass(frozen=True, eq=False)
class Ensemble:
    """Parts with what makes one answer of them.

    Attributes:
        weights: answer to part to its weight in the pool; :data:`SHARES` stands for ``shares``.
        shares: of each photographer among the photos learnt from, float64 ``(photographers,)``.
        out_of_fold: probabilities of the photos learnt from, each by parts that had not learnt from its group; empty
            in a model that was loaded.
    """

    parts: Parts
    weights: Mapping[str, PoolWeights]
    shares: NDArray[np.float64]
    threshold: Threshold
    out_of_fold: NDArray[np.float64]

    def probabilities(self, photos: Inputs, answer: str = "all") -> NDArray[np.float64]:
        """Calibrated, float64 ``(n, photographers)``."""
        return _answer(answer, self.parts.scores(photos), self.weights[answer], self.shares)

    def thresholds(self, photos: Inputs) -> NDArray[np.float64]:
        """Probability from which on each photo's first candidate is given, float64 ``(n,)``."""
        return self.threshold.at(self.parts.familiarity(photos.style))

    def answers(self, photos: Inputs) -> Mapping[str, NDArray[np.float64]]:
        """Every answer, each part asked once."""
        scores = self.parts.scores(photos)
        return {answer: _answer(answer, scores, self.weights[answer], self.shares) for answer in ANSWERS}


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
    given = _answer("all", scores, weights["all"], shares)
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
                given = _answer("all", parts.scores(photos), weights, counts / counts.sum())
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


def _answer(
    answer: str, scores: Mapping[str, Scores], weights: PoolWeights, shares: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Of the parts there are: without trees, the others answer as they would in the pool, only less sure."""
    parts = [part for part in ANSWERS[answer] if part in scores and part in weights]
    given = [scores[part] for part in parts]
    prior = prior_scores(shares, len(given[0]))
    return pooled([*given, prior], np.array([*(weights[part] for part in parts), weights[SHARES]]))
