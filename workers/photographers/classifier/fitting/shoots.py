"""Fitting of whether a photo is of a known shoot, to validation photos of known and of new shoots."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from search.photographers.classifier.shoots import ShootRule

_STRENGTH = 10.0
"""Inverse regularisation of standardised cosines."""


def fit_shoot_rule(known: NDArray[np.float64], new: NDArray[np.float64]) -> ShootRule | None:
    """The rule; None where there are no photos of one kind.

    Args:
        known, new: nearness of photos of known and of new shoots, float64 ``(n, 2)``; rows with NaN are left out.
    """
    from sklearn.linear_model import LogisticRegression

    kinds = [rows[np.isfinite(rows).all(axis=1)] for rows in (new, known)]
    if not all(len(rows) for rows in kinds):
        return None
    rows = np.concatenate(kinds)
    centre, scale = rows.mean(axis=0), np.maximum(rows.std(axis=0), 1e-6)
    truth = np.repeat([0, 1], [len(some) for some in kinds])
    model = LogisticRegression(C=_STRENGTH, class_weight="balanced").fit((rows - centre) / scale, truth)
    weights = model.coef_[0] / scale
    return ShootRule(weights, float(model.intercept_[0] - weights @ centre))
