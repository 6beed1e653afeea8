"""Ensemble of the photographer classifier: four parts, and three answers pooled from them.

    subject   visual                                     linear
    manner    style + the 58 picture-only features       linear
    joined    visual + style + all features              linear
    trees     components of visual and style + features  CatBoost

``all`` pools the four (``search.photographers.classifier.pooling``); ``style`` is the manner part alone and
``subject`` the subject part alone, each calibrated. Linear parts are hard to beat with a few photos of each
photographer, trees find what is not linear (a colour that is either absent or strong), and neither is best for every
collection: the weights of the pool are fitted on photos that the parts were not fitted to
(``workers.photographers.classifier.fitting``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from search.photographers.classifier.conformal import ConformalRule
from search.photographers.classifier.familiarity import Familiarity
from search.photographers.classifier.linear import Linear, Matrix, Scores
from search.photographers.classifier.pooling import pooled, prior_scores
from search.photographers.classifier.sets import SetJudge
from search.photographers.classifier.threshold import Threshold
from search.photographers.classifier.trees import Trees
from search.photographers.photos.dataset import PhotoSet
from search.photographers.photos.features import CAMERA, METADATA, PICTURE_ONLY

LINEAR_PARTS = ("subject", "manner", "joined")
TREES = "trees"
ANSWERS: Mapping[str, tuple[str, ...]] = {
    "all": (*LINEAR_PARTS, TREES),
    "style": ("manner",),
    "subject": ("subject",),
}
"""Answer to the parts that are pooled for it."""

SHARES = "shares"
PoolWeights: TypeAlias = Mapping[str, float]


@dataclass(frozen=True, eq=False)
class Inputs:
    """Inputs of the parts for ``n`` photos: float32 ``(n, dim)`` each, NaN for what is absent."""

    visual: Matrix
    style: Matrix
    features: Matrix

    @classmethod
    def of(cls, photos: PhotoSet, *, metadata: bool = True) -> Inputs:
        """
        Args:
            metadata: False leaves out the facts of file, clock and camera, so that the picture alone is used.
        """
        return cls(photos.visual, photos.style, photos.features if metadata else without_metadata(photos.features))

    def take(self, rows: NDArray[np.intp]) -> Inputs:
        """The photos at some positions, intp ``(k,)``."""
        return Inputs(self.visual[rows], self.style[rows], self.features[rows])

    def columns(self, part: str) -> Matrix:
        """Input of a linear part, ``(n, d)``."""
        if part == "subject":
            return self.visual
        if part == "manner":
            return np.concatenate([self.style, self.features[:, PICTURE_ONLY]], axis=1)
        return np.concatenate([self.visual, self.style, self.features], axis=1)

    @property
    def vectors(self) -> Mapping[str, Matrix]:
        """Vectors whose components the trees use: name to float32 ``(n, dim)``."""
        found = {"visual": self.visual}
        return found | {"style": self.style} if self.style.shape[1] else found


def without_metadata(features: Matrix) -> Matrix:
    """A copy of ``(n, 78)`` in which all facts of file, clock and camera are NaN."""
    blanked = features.copy()
    blanked[:, [*METADATA, *CAMERA]] = np.nan
    return blanked


@dataclass(frozen=True, eq=False)
class Parts:
    """The four parts, fitted to the same photos, and the familiarity with these photos.

    Attributes:
        trees: None where none could or should be grown.
    """

    linears: Mapping[str, Linear]
    trees: Trees | None
    familiarity: Familiarity

    def scores(self, photos: Inputs) -> Mapping[str, Scores]:
        """Part to its log-probabilities, float64 ``(n, photographers)``."""
        found = {name: linear.scores(photos.columns(name)) for name, linear in self.linears.items()}
        return found | {TREES: self.trees.scores(photos.vectors, photos.features)} if self.trees else found


@dataclass(frozen=True, eq=False)
class Ensemble:
    """Parts with the weights of the pool and the threshold.

    Attributes:
        weights: answer to part to its weight in the pool; :data:`SHARES` stands for ``shares``.
        shares: share of each photographer among the training photos, float64 ``(photographers,)``.
        out_of_fold: probabilities of the training photos, each by parts that were not fitted to its group, float64
            ``(n, photographers)``; empty in a model that was loaded.
        conformal: rule of the sets of names; None in a model of version 0.1.0.
        sets: verdict on several photos; None there, too, and where there were too few photographers to leave any out.
    """

    parts: Parts
    weights: Mapping[str, PoolWeights]
    shares: NDArray[np.float64]
    threshold: Threshold
    out_of_fold: NDArray[np.float64]
    conformal: ConformalRule | None = None
    sets: SetJudge | None = None

    def probabilities(self, photos: Inputs, answer: str = "all") -> NDArray[np.float64]:
        """Calibrated probabilities, float64 ``(n, photographers)``."""
        return pooled_answer(answer, self.parts.scores(photos), self.weights[answer], self.shares)

    def nearness(self, photos: Inputs) -> NDArray[np.float64]:
        """Nearness of each photo to each photographer's training photos, float64 ``(n, photographers)``, see
        ``familiarity``."""
        return self.parts.familiarity.of_each(photos.style, len(self.shares))

    def thresholds(self, photos: Inputs) -> NDArray[np.float64]:
        """Least probability of each photo's first candidate, float64 ``(n,)``."""
        return self.threshold.at(self.parts.familiarity(photos.style))

    def answers(self, photos: Inputs) -> Mapping[str, NDArray[np.float64]]:
        """Calibrated probabilities of every answer, float64 ``(n, photographers)``; each part is computed once."""
        scores = self.parts.scores(photos)
        return {answer: pooled_answer(answer, scores, self.weights[answer], self.shares) for answer in ANSWERS}


def pooled_answer(
    answer: str, scores: Mapping[str, Scores], weights: PoolWeights, shares: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Probabilities of one answer, float64 ``(n, photographers)``, from the parts that there are.

    Without trees, the other parts answer as they would in the pool, only less sure.

    Args:
        scores: part to log-probabilities, float64 ``(n, photographers)``.  shares: float64 ``(photographers,)``.
    """
    parts = [part for part in ANSWERS[answer] if part in scores and part in weights]
    found = [scores[part] for part in parts]
    prior = prior_scores(shares, len(found[0]))
    return pooled([*found, prior], np.array([*(weights[part] for part in parts), weights[SHARES]]))
