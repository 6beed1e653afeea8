"""Fitting of the familiarity with the training photos."""

from __future__ import annotations

import numpy as np

from search.photographers.classifier.familiarity import Familiarity, unit_rows
from search.photographers.classifier.linear import Matrix, standardised
from workers.photographers.classifier.fitting.linear import column_statistics
from workers.photographers.classifier.fitting.splits import Labels


def fit_familiarity(style: Matrix, labels: Labels) -> Familiarity:
    """
    Args:
        style: styles of the training photos, ``(n, d)``; rows with NaN are left out.
        labels: intp ``(n,)``.
    """
    centre, scale = column_statistics(style)
    order = np.argsort(labels, kind="stable")
    known = order[np.isfinite(style[order]).all(axis=1)]
    return Familiarity(centre, scale, unit_rows(standardised(style[known], centre, scale)), labels[known])
