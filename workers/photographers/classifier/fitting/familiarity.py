"""Fitting of the familiarity with the training photos."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from search.photographers.classifier.familiarity import Familiarity, unit_rows
from search.photographers.classifier.linear import Matrix, standardised
from workers.photographers.classifier.fitting.linear import column_statistics
from workers.photographers.classifier.fitting.splits import Labels

DIRECTIONS = 256
"""Directions at most in which rows are kept, so that a model of 20,000 photos has 20 MB of them."""


def fit_familiarity(rows: Matrix, labels: Labels) -> Familiarity:
    """
    Args:
        rows: of the training photos, ``(n, d)``; rows with NaN are left out.
        labels: intp ``(n,)``.
    """
    centre, scale = column_statistics(rows)
    order = np.argsort(labels, kind="stable")
    known = order[np.isfinite(rows[order]).all(axis=1)]
    learnt = unit_rows(standardised(rows[known], centre, scale))
    axes = _directions(learnt)
    return Familiarity(centre, scale, axes, learnt @ axes, labels[known])


def _directions(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Orthonormal directions in which the rows ``(n, d)`` are longest, float32 ``(d, k)``."""
    n, d = rows.shape
    wide = rows.astype(np.float64)
    variances, axes = np.linalg.eigh(wide @ wide.T if n < d else wide.T @ wide)
    kept = np.flatnonzero(variances > 1e-9 * max(float(variances.max(initial=0.0)), 1e-9))[-DIRECTIONS:]
    found = axes[:, kept]
    return (wide.T @ (found / np.sqrt(variances[kept])) if n < d else found).astype(np.float32)
