"""Ensemble of the photographer classifier: its parts, and the answers pooled from them.

    subject   visual                                        linear
    manner    style + appearance + the 58 picture-only features   linear
    joined    visual + style + appearance + these features        linear
    nearest   the same                                      cosine to each photographer's nearest training photo
    file      facts of file, clock and camera               normal distributions

``picture``, the answer that is given, pools the first four (``search.photographers.classifier.pooling``); ``file`` is
the file part alone, and ``everything`` both together. ``style`` is the manner part alone and ``subject`` the subject
part alone. Every answer is calibrated for new and for known shoots apart (``search.photographers.classifier.shoots``).

The picture's parts never see a fact of the file, its size and shape included. Where a photo has no such fact,
``everything`` is the picture's answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from search.photographers.answers import Basis
from search.photographers.classifier.conformal import ConformalRule
from search.photographers.classifier.familiarity import Familiarity
from search.photographers.classifier.file_facts import FileFacts
from search.photographers.classifier.linear import Linear, Matrix, Scores, log_softmax
from search.photographers.classifier.pooling import pooled, prior_scores
from search.photographers.classifier.sets import SetJudge
from search.photographers.classifier.shoots import Shoot, ShootRule
from search.photographers.classifier.threshold import Threshold
from search.photographers.photos.dataset import PhotoSet
from search.photographers.photos.features import PICTURE_ONLY

LINEAR_PARTS = ("subject", "manner", "joined")
NEAREST, FILE = "nearest", "file"
PICTURE_PARTS = (*LINEAR_PARTS, NEAREST)
NEAREST_SHARPNESS = 20.0
"""Log-odds for a cosine; the pool weighs them."""


ANSWERS: Mapping[str, tuple[str, ...]] = {
    Basis.PICTURE: PICTURE_PARTS,
    Basis.EVERYTHING: (*PICTURE_PARTS, FILE),
    FILE: (FILE,),
    "style": ("manner",),
    "subject": ("subject",),
}
"""Answer to the parts that are pooled for it."""

SHARES = "shares"
_NOBODY = -1e6
PoolWeights: TypeAlias = Mapping[str, float]
AnswerWeights: TypeAlias = Mapping[str, PoolWeights]
"""Answer to part to weight; :data:`SHARES` stands for the photographers' shares of the training photos."""


@dataclass(frozen=True, eq=False)
class Inputs:
    """Inputs of the parts for ``n`` photos: float32 ``(n, dim)`` each, NaN for what is absent."""

    visual: Matrix
    style: Matrix
    appearance: Matrix
    features: Matrix

    @classmethod
    def of(cls, photos: PhotoSet) -> Inputs:
        """Of the photos of a library."""
        return cls(photos.visual, photos.style, photos.appearance, photos.features)

    def take(self, rows: NDArray[np.intp]) -> Inputs:
        """The photos at some positions, intp ``(k,)``."""
        return Inputs(self.visual[rows], self.style[rows], self.appearance[rows], self.features[rows])

    def columns(self, part: str) -> Matrix:
        """Input of a linear part, ``(n, d)``."""
        if part == "subject":
            return self.visual
        manner = [self.style, self.appearance, self.features[:, PICTURE_ONLY]]
        return np.concatenate(manner if part == "manner" else [self.visual, *manner], axis=1)


@dataclass(frozen=True, eq=False)
class Parts:
    """The parts, and the familiarity with the photos that they were fitted to.

    Attributes:
        nearest: familiarity by all that the part ``joined`` sees.  style: by how photos are developed.
    """

    linears: Mapping[str, Linear]
    file: FileFacts
    nearest: Familiarity
    style: Familiarity

    def scores(self, photos: Inputs) -> Mapping[str, Scores]:
        """Part to its log-probabilities, float64 ``(n, photographers)``."""
        found = {name: linear.scores(photos.columns(name)) for name, linear in self.linears.items()}
        cosines = self.nearest.of_each(self._joined(photos), len(self.file.means))
        nearest = log_softmax(NEAREST_SHARPNESS * np.nan_to_num(cosines, nan=_NOBODY))
        return found | {NEAREST: nearest, FILE: self.file.scores(photos.features)}

    def nearness(self, photos: Inputs) -> NDArray[np.float64]:
        """Cosines to the nearest training photo, see ``shoots.NEARNESS``, float64 ``(n, 2)``."""
        return np.stack([self.nearest(self._joined(photos)), self.style(photos.style)], axis=1)

    def _joined(self, photos: Inputs) -> Matrix:
        return self.nearest.filled(photos.columns("joined"))


@dataclass(frozen=True, eq=False)
class Calibration:
    """Weights of every answer for new and for known shoots, and which counts how much for a photo.

    Attributes:
        rule: None where no shoot was parted, or no photo has a style; every shoot is new then.
        shares: share of each photographer among the training photos, float64 ``(photographers,)``.
    """

    weights: Mapping[Shoot, AnswerWeights]
    rule: ShootRule | None
    shares: NDArray[np.float64]

    def known(self, nearness: NDArray[np.float64]) -> NDArray[np.float64]:
        """Probability that each photo is of a known shoot, float64 ``(n,)``; ``nearness`` as :meth:`Parts.nearness`."""
        return np.zeros(len(nearness)) if self.rule is None else self.rule(nearness)

    def probabilities(
        self,
        answer: str,
        scores: Mapping[str, Scores],
        known: NDArray[np.float64],
        shares: NDArray[np.float64] | None = None,
    ) -> NDArray[np.float64]:
        """Calibrated probabilities of one answer, float64 ``(n, photographers)``.

        Args:
            scores: part to log-probabilities, float64 ``(n, photographers)``.
            known: probability that each photo is of a known shoot, float64 ``(n,)``.
            shares: others than those of all training photos, float64 ``(photographers,)``.
        """
        used = self.shares if shares is None else shares
        new = pooled_answer(answer, scores, self.weights[Shoot.NEW][answer], used)
        old = pooled_answer(answer, scores, self.weights[Shoot.KNOWN][answer], used)
        mixed: NDArray[np.float64] = new + known[:, None] * (old - new)
        return mixed


@dataclass(frozen=True, eq=False)
class AnswerRules:
    """Rules of an answer: when it is "unknown", and which names are in its set; no set where none could be fitted."""

    threshold: Threshold
    conformal: ConformalRule


@dataclass(frozen=True, eq=False)
class Ensemble:
    """Parts with their calibration and the rules of the answers.

    Attributes:
        out_of_fold: probabilities of the training photos by the picture, each by parts that were not fitted to its
            group, float64 ``(n, photographers)``; empty in a model that was loaded.
        sets: verdict on several photos; None where there were too few photographers to leave any out.
    """

    parts: Parts
    calibration: Calibration
    rules: Mapping[Basis, AnswerRules]
    out_of_fold: NDArray[np.float64]
    sets: SetJudge | None = None

    def probabilities(self, photos: Inputs, answer: str = Basis.PICTURE) -> NDArray[np.float64]:
        """Calibrated probabilities, float64 ``(n, photographers)``."""
        known = self.calibration.known(self.parts.nearness(photos))
        return self.calibration.probabilities(answer, self.parts.scores(photos), known)

    def answers(self, photos: Inputs) -> Mapping[str, NDArray[np.float64]]:
        """Calibrated probabilities of every answer, float64 ``(n, photographers)``; each part is computed once."""
        scores, known = self.parts.scores(photos), self.calibration.known(self.parts.nearness(photos))
        return {answer: self.calibration.probabilities(answer, scores, known) for answer in ANSWERS}

    def nearness(self, photos: Inputs) -> NDArray[np.float64]:
        """Nearness of each photo's style to each photographer's training photos, float64 ``(n, photographers)``, see
        ``familiarity``."""
        return self.parts.style.of_each(photos.style, len(self.calibration.shares))

    def thresholds(self, photos: Inputs, evidence: Basis = Basis.PICTURE) -> NDArray[np.float64]:
        """Least probability of each photo's first candidate, float64 ``(n,)``."""
        return self.rules[evidence].threshold.at(self.parts.style(photos.style))


def pooled_answer(
    answer: str, scores: Mapping[str, Scores], weights: PoolWeights, shares: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Probabilities of one answer, float64 ``(n, photographers)``.

    Args:
        scores: part to log-probabilities, float64 ``(n, photographers)``.  shares: float64 ``(photographers,)``.
    """
    parts = ANSWERS[answer]
    prior = prior_scores(shares, len(scores[parts[0]]))
    return pooled(
        [*(scores[part] for part in parts), prior], np.array([*(weights[part] for part in parts), weights[SHARES]])
    )
