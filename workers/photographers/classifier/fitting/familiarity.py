"""Fitting of the familiarity with the training photos."""

from __future__ import annotations

import numpy as np

from search.photographers.classifier.familiarity import Familiarity, unit_rows
from search.photographers.classifier.linear import Matrix, standardised
from workers.photographers.classifier.fitting.linear import column_statistics


def fit_familiarity(style: Matrix) -> Familiarity:
    """
    Args:
        style: styles of the training photos, ``(n, d)``; rows with NaN are left out.
    """
    centre, scale = column_statistics(style)
    known = style[np.isfinite(style).all(axis=1)]
    return Familiarity(centre, scale, unit_rows(standardised(known, centre, scale)))
