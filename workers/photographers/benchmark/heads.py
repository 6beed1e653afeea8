"""Classifiers of the benchmark, which name the photographer of a vector."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from search.evaluation.statistics import Floats
from search.store.base import Array

Classifier = Callable[[Array, Array], Floats]
"""Gallery float32 ``(photos, presets, dim)`` and question alike to log probabilities ``(photos, presets, presets)``."""

STRENGTHS = (1e-3, 1e-2, 1e-1, 1.0)
"""Inverse regularisation that :func:`linear` chooses from."""

TREES = 400
RATE = 0.1
DEPTH = 4

FLOOR = -30.0
"""Least log probability, so that one photo cannot rule a photographer out for a set of ten."""


def linear(gallery: Array, question: Array) -> Floats:
    """Multinomial logistic regression on standardised dimensions, its regularisation chosen on a quarter of the
    gallery's base photos."""
    from sklearn.linear_model import LogisticRegression

    gallery, question = standardised(gallery, question)
    photos = len(gallery)
    held = np.arange(photos) % 4 == 3

    def fitted(rows: Array, strength: float) -> LogisticRegression:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that it has not converged yet after so many rounds is stopping early
            return LogisticRegression(C=strength, max_iter=150).fit(*labelled(rows))

    def right(strength: float) -> float:
        return float(fitted(gallery[~held], strength).score(*labelled(gallery[held])))

    return _answers(fitted(gallery, max(STRENGTHS, key=right)).predict_log_proba, question)


def discriminant(gallery: Array, question: Array) -> Floats:
    """Linear discriminant analysis with one covariance, shrunk as Ledoit and Wolf 2004."""
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

    gallery, question = standardised(gallery, question)
    model = LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto").fit(*labelled(gallery))
    return _answers(model.predict_log_proba, question)


def boosted(gallery: Array, question: Array, threads: int = 1) -> Floats:
    """CatBoost, which takes missing values as they are; by guessing where no dimension varies."""
    from catboost import CatBoostClassifier

    rows, labels = labelled(gallery)
    varying = np.array([len(np.unique(column[~np.isnan(column)])) > 1 for column in rows.T])
    presets = question.shape[1]
    if not varying.any():
        return np.full((*question.shape[:2], presets), -np.log(presets))
    model = CatBoostClassifier(
        iterations=TREES,
        learning_rate=RATE,
        depth=DEPTH,
        loss_function="MultiClass",
        random_seed=0,
        thread_count=threads,
        verbose=False,
        allow_writing_files=False,
    ).fit(rows[:, varying], labels)
    return _answers(model.predict_log_proba, question[..., varying])


def nearest(gallery: Array, question: Array) -> Floats:
    """The nearest mean, for vectors in which a photographer's photos have deviation 1 in every direction."""
    means = gallery.mean(axis=0, dtype=np.float64)
    squared = np.square(question, dtype=np.float64).sum(-1)[..., None] - 2 * question @ means.T
    log = -(squared + np.square(means).sum(-1)) / 2
    log -= log.max(axis=-1, keepdims=True)
    log -= np.log(np.exp(log).sum(axis=-1, keepdims=True))
    floored: Floats = np.maximum(log, FLOOR)
    return floored


def standardised(gallery: Array, *others: Array) -> tuple[Array, ...]:
    """Every dimension at mean 0 and deviation 1 over the gallery; a missing value becomes the mean."""
    rows = gallery.reshape(-1, gallery.shape[-1])
    present = ~np.isnan(rows)
    counts = np.maximum(present.sum(axis=0), 1)
    mean = np.where(present, rows, 0.0).sum(axis=0) / counts
    spread = np.sqrt(np.square(np.where(present, rows - mean, 0.0)).sum(axis=0) / counts)
    scale = np.where(spread > 1e-9, spread, 1.0)
    return tuple(np.nan_to_num((part - mean) / scale).astype(np.float32) for part in (gallery, *others))


def labelled(table: Array) -> tuple[Array, NDArray[np.int64]]:
    """``(photos, presets, dim)`` as rows with the number of their photographer."""
    photos, presets = table.shape[:2]
    return table.reshape(photos * presets, -1), np.tile(np.arange(presets), photos)


def _answers(predict: Callable[[Array], Sequence[Sequence[float]]], question: Array) -> Floats:
    log = np.asarray(predict(question.reshape(-1, question.shape[-1])), np.float64)
    return np.maximum(log, FLOOR).reshape(*question.shape[:2], -1)
