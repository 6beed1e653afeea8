"""Fitting of conformal sets on validation predictions, by shoot."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from search.photographers.classifier.conformal import COVERAGE, ConformalRule
from search.photographers.photos.grouping import Groups
from workers.photographers.classifier.fitting.splits import Labels


def fit_conformal(
    probabilities: NDArray[np.float64], labels: Labels, grouped: Groups, coverage: float = COVERAGE
) -> ConformalRule:
    """The greatest least probability that covers enough of the validation photos.

    Photos of one shoot are right or wrong together, so that every shoot counts as one observation, its photos in equal
    parts, and one more, which is never covered, stands for the shoot that is asked about. With too few shoots for the
    coverage every name is in every set.

    Source: Dunn, Wasserman and Ramdas, "Distribution-free prediction sets for two-layer hierarchical models", JASA 118
    (2023): pooling of the groups' distributions.

    Args:
        probabilities: of photos whose group the model was not fitted to, float64 ``(n, photographers)``.
        labels: intp ``(n,)``.  grouped: group of each photo, int64 ``(n,)``.
    """
    own = probabilities[np.arange(len(labels)), labels]
    _, group, sizes = np.unique(grouped, return_inverse=True, return_counts=True)
    order = np.argsort(-own, kind="stable")
    covered = np.cumsum(1 / sizes[group[order]]) / (len(sizes) + 1)
    enough = np.flatnonzero(covered >= coverage - 1e-9)
    least = float(own[order[enough[0]]]) if len(enough) else 0.0
    return ConformalRule(coverage, least, len(labels), len(sizes))
