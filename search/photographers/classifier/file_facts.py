"""What the facts of file, clock and camera say of a photographer; an absent fact says nothing.

Each photographer's facts are normally distributed, all with the covariance within photographers. A photo is judged by
the facts that it has: the others are integrated out, so that a photo without any is as likely everybody's. A
classifier to which an absent tag is a value of its own would learn who strips tags, and names whoever does so for
everybody's re-saved copies.

Source: Little and Rubin, "Statistical analysis with missing data" (2002), section 6.2: the likelihood of what is
observed, where values are missing at random.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from search.photographers.classifier.linear import CLIP, Matrix, Scores, log_softmax
from search.photographers.photos.features import CAMERA, METADATA

FILE_FACTS = (*METADATA, *CAMERA)
"""Columns of the 78 features that are facts of the file, the clock and the camera."""

_NOBODY = -1e6


@dataclass(frozen=True, eq=False)
class FileFacts:
    """Fitted distributions of the facts.

    Attributes:
        centre, scale: mean and deviation of each fact, float64 ``(facts,)``; the scale of one that does not differ is
            infinite.
        means: standardised, of each photographer, float64 ``(photographers, facts)``; NaN of whoever has no photos.
        covariance: within photographers, float64 ``(facts, facts)``, positive definite.
    """

    centre: NDArray[np.float64]
    scale: NDArray[np.float64]
    means: NDArray[np.float64]
    covariance: NDArray[np.float64]

    def scores(self, features: Matrix) -> Scores:
        """Log-probabilities, float64 ``(n, photographers)``, with equal priors.

        Args:
            features: ``(n, 78)``, NaN for what is absent.
        """
        rows = np.clip((features[:, FILE_FACTS].astype(np.float64) - self.centre) / self.scale, -CLIP, CLIP)
        learnt = np.asarray(np.isfinite(self.means).all(axis=1), bool)
        logits = np.where(learnt, 0.0, _NOBODY) * np.ones((len(rows), 1))
        patterns, whose = np.unique(np.isfinite(rows) & np.isfinite(self.scale), axis=0, return_inverse=True)
        for at, pattern in enumerate(patterns.tolist()):
            seen = np.array(pattern, bool)
            if seen.any():
                some = np.flatnonzero(whose.reshape(-1) == at)
                logits[np.ix_(some, learnt)] = self._log_densities(rows[np.ix_(some, seen)], seen, learnt)
        return log_softmax(logits)

    def arrays(self) -> Mapping[str, NDArray[np.float64]]:
        """The attributes by name."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}

    def _log_densities(
        self, rows: NDArray[np.float64], seen: NDArray[np.bool_], learnt: NDArray[np.bool_]
    ) -> NDArray[np.float64]:
        """Of rows ``(k, facts seen)`` under each photographer learnt, but for a constant, float64 ``(k, learnt)``."""
        means = self.means[np.ix_(learnt, seen)]
        precise = np.linalg.solve(self.covariance[np.ix_(seen, seen)], means.T)
        found: NDArray[np.float64] = rows @ precise - 0.5 * (means * precise.T).sum(axis=1)
        return found
