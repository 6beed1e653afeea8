"""Whether a photo is of a shoot that was learnt from, by how near it comes to the training photos.

A photo of a known shoot is recognised by what the shoot shows, a photo of a new one by its photographer's hand alone,
so that the same scores are worth more of the first. Probabilities are therefore calibrated for each kind apart, and
averaged by the probability that this photo is of a known shoot. ``workers.photographers.classifier.fitting.shoots``
fits that to validation photos of both kinds, each counting the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray


class Shoot(StrEnum):
    """Of which kind of shoot a photo is: one that was learnt from in part, or a new one."""

    KNOWN = "known"
    NEW = "new"


NEARNESS = ("picture", "style")
"""Cosines to the nearest training photo, by all that is known of the picture and by style."""


@dataclass(frozen=True, eq=False)
class ShootRule:
    """Logistic regression of a known shoot on :data:`NEARNESS`.

    Attributes:
        weights: float64 ``(2,)``, for a cosine.  bias: log-odds at a cosine of 0.
    """

    weights: NDArray[np.float64]
    bias: float

    def __call__(self, nearness: NDArray[np.float64]) -> NDArray[np.float64]:
        """Probability that each photo is of a known shoot, float64 ``(n,)``; where no cosine is known, a half.

        Args:
            nearness: float64 ``(n, 2)``; NaN where a cosine is not known.
        """
        known = np.isfinite(nearness).all(axis=1)
        odds = np.where(known, np.nan_to_num(nearness) @ self.weights + self.bias, 0.0)
        probabilities: NDArray[np.float64] = 1 / (1 + np.exp(-np.clip(odds, -50, 50)))
        return probabilities

    def arrays(self) -> Mapping[str, NDArray[np.float64]]:
        """The attributes by the names that :meth:`of` reads."""
        return {"shoot_weights": self.weights, "shoot_bias": np.array(self.bias)}

    @classmethod
    def of(cls, arrays: Mapping[str, NDArray[Any]]) -> ShootRule | None:
        """The rule in a model's arrays; None where no shoot was parted, so that none is known."""
        if "shoot_weights" not in arrays:
            return None
        return cls(arrays["shoot_weights"], float(arrays["shoot_bias"]))
