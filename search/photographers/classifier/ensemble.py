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

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from search.photographers.classifier.familiarity import Familiarity
from search.photographers.classifier.linear import Linear, Matrix, Scores
from search.photographers.classifier.pooling import pooled, prior_scores
from search.photographers.classifier.threshold import Threshold
from search.photographers.classifier.trees import Trees
from search.photographers.photos.dataset import PhotoSet
from search.photographers.photos.features import CAMERA, METADATA, PICTURE_ONLY
from search.photographers.photos.splits import Index

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
        return answer_of(answer, self.parts.scores(photos), self.weights[answer], self.shares)

    def thresholds(self, photos: Inputs) -> NDArray[np.float64]:
        """Probability from which on each photo's first candidate is given, float64 ``(n,)``."""
        return self.threshold.at(self.parts.familiarity(photos.style))

    def answers(self, photos: Inputs) -> Mapping[str, NDArray[np.float64]]:
        """Every answer, each part asked once."""
        scores = self.parts.scores(photos)
        return {answer: answer_of(answer, scores, self.weights[answer], self.shares) for answer in ANSWERS}


def answer_of(
    answer: str, scores: Mapping[str, Scores], weights: PoolWeights, shares: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Of the parts there are: without trees, the others answer as they would in the pool, only less sure."""
    parts = [part for part in ANSWERS[answer] if part in scores and part in weights]
    given = [scores[part] for part in parts]
    prior = prior_scores(shares, len(given[0]))
    return pooled([*given, prior], np.array([*(weights[part] for part in parts), weights[SHARES]]))
