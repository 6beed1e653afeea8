"""Verdict on several photos at once: all by one of ours, by nobody we know, or mixed.

One photo seldom shows whether its photographer is known. Several show it better: the mean nearness of their styles to
the training photos tells a stranger, and how much nearer they are to several photographers than to one tells a mixture.
A multinomial logistic regression for each of some sizes weighs both. It was fitted to sets of validation photos,
whose photographers were left out in turn (``workers.photographers.classifier.fitting.sets``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

SIZES = (2, 3, 5, 10, 20)
"""Sizes of sets that are fitted; a set is judged by the largest of them that it reaches."""

MEASURES = ("nearness", "scatter")
"""Mean nearness of each photo's style to the photographer it is nearest to; by how much that exceeds the mean nearness
to the one photographer they are nearest to together."""

_LEAST = 1e-6


class SetKind(StrEnum):
    """What a set of photos is."""

    OURS = "ours"
    NOBODY = "nobody"
    MIXED = "mixed"


@dataclass(frozen=True, eq=False)
class SetJudge:
    """Fitted regressions, one for each of :data:`SIZES`.

    Attributes:
        centre, scale: mean and deviation of each measure, float64 ``(sizes, measures)``.
        weights: float64 ``(sizes, measures, kinds)``.  bias: float64 ``(sizes, kinds)``.
        sharpness: factor of the mean log-probabilities of the names, float64 ``(sizes,)``.
    """

    centre: NDArray[np.float64]
    scale: NDArray[np.float64]
    weights: NDArray[np.float64]
    bias: NDArray[np.float64]
    sharpness: NDArray[np.float64]

    @classmethod
    def of(cls, arrays: Mapping[str, NDArray[Any]]) -> SetJudge | None:
        """The judge in a model's arrays; None where it has none."""
        if "sets_centre" not in arrays:
            return None
        return cls(**{name: arrays[f"sets_{name}"] for name in cls.__dataclass_fields__})

    def arrays(self) -> Mapping[str, NDArray[np.float64]]:
        """The attributes by the names that :meth:`of` reads."""
        return {f"sets_{name}": getattr(self, name) for name in self.__dataclass_fields__}

    def kinds(self, nearness: NDArray[np.float64]) -> NDArray[np.float64]:
        """Probability of each :class:`SetKind`, float64 ``(3,)``, where all three are equally frequent.

        Args:
            nearness: of at least two photos to each photographer's training photos, float64 ``(n, photographers)``, see
                ``familiarity``; NaN where it is not known.
        """
        at = _size(len(nearness))
        found = measures(nearness)
        standard = np.nan_to_num((found - self.centre[at]) / self.scale[at])
        scores = standard @ self.weights[at] + self.bias[at]
        likely = np.exp(scores - scores.max())
        shares: NDArray[np.float64] = likely / likely.sum()
        return shares

    def names(self, probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
        """Probability of each photographer, if one of them took all photos; float64 ``(photographers,)``.

        Args:
            probabilities: of at least two photos, float64 ``(n, photographers)``.
        """
        scores = self.sharpness[_size(len(probabilities))] * mean_scores(probabilities)
        likely = np.exp(scores - scores.max())
        shares: NDArray[np.float64] = likely / likely.sum()
        return shares


def measures(nearness: NDArray[np.float64]) -> NDArray[np.float64]:
    """:data:`MEASURES` of a set, float64 ``(2,)``; NaN where no photo has a style.

    Args:
        nearness: float64 ``(n, photographers)``.
    """
    known = nearness[np.isfinite(nearness).any(axis=1)]
    near = scatter = np.nan
    if len(known):
        cosines = np.nan_to_num(known, nan=-1.0)
        near = float(cosines.max(axis=1).mean())
        scatter = near - float(cosines.mean(axis=0).max())
    return np.array([near, scatter])


def mean_scores(probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean log-probability of each name over the photos, float64 ``(photographers,)``.

    Args:
        probabilities: float64 ``(n, photographers)``.
    """
    means: NDArray[np.float64] = np.log(np.clip(probabilities, _LEAST, 1)).mean(axis=0)
    return means


def _size(photos: int) -> int:
    """Position in :data:`SIZES`."""
    return max(int(np.searchsorted(SIZES, photos, side="right")) - 1, 0)
