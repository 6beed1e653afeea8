"""Fitting of what the facts of file, clock and camera say."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from search.photographers.classifier.file_facts import FILE_FACTS, FileFacts
from search.photographers.classifier.linear import CLIP, Matrix
from workers.photographers.classifier.fitting.linear import column_statistics
from workers.photographers.classifier.fitting.splits import Labels

DOUBT = 2.0
"""Photos at the mean of everybody that are added to each photographer's. Of whoever has no photo with a fact, the mean
is everybody's, so that this fact tells nothing."""

SHRINKAGE = 0.1
"""Of the covariance towards the identity: facts are few, and codes among them are not normally distributed."""


def fit_file_facts(features: Matrix, labels: Labels, photographers: int) -> FileFacts:
    """
    Args:
        features: ``(n, 78)``, NaN for what is absent.  labels: intp ``(n,)``.
    """
    facts = features[:, FILE_FACTS]
    centre, scale = column_statistics(facts)
    rows = np.clip((facts.astype(np.float64) - centre) / scale, -CLIP, CLIP)
    known = np.isfinite(rows)
    filled = np.where(known, rows, 0.0)
    means = np.full((photographers, rows.shape[1]), np.nan)
    for label in np.unique(labels):
        own = labels == label
        means[label] = filled[own].sum(axis=0) / (known[own].sum(axis=0) + DOUBT)
    return FileFacts(centre, scale, means, _covariance(np.where(known, rows - means[labels], 0.0), known))


def _covariance(residuals: NDArray[np.float64], known: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Of residuals ``(n, facts)``, each pair over the photos that have both, shrunk, and made positive definite."""
    pairs = known.T.astype(np.float64) @ known
    found = (residuals.T @ residuals) / np.maximum(pairs, 1.0)
    shrunk = (1 - SHRINKAGE) * found + SHRINKAGE * np.eye(len(found))
    variances, axes = np.linalg.eigh(shrunk)
    covariance: NDArray[np.float64] = (axes * np.maximum(variances, SHRINKAGE / 10)) @ axes.T
    return covariance
