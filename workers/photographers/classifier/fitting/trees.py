"""Fitting of boosted trees: CatBoost on principal components of the vectors and the features.

128 components of an image embedding and 78 features are the recipe of an earlier publication: :func:`fit_published`
fits the trees that answer beside the ensemble. The baselines of the report are grown by :func:`fit_trees` as well.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from search.photographers.classifier.ensemble import Inputs
from search.photographers.classifier.linear import Matrix
from search.photographers.classifier.trees import EMBEDDING, Components, Trees, tree_rows
from search.photographers.photos.grouping import Groups
from workers.photographers.classifier.fitting.pooling import likeliest_weights
from workers.photographers.classifier.fitting.splits import Index, Labels, grouped_folds
from workers.photographers.classifier.progress import TrainingProgress

if TYPE_CHECKING:
    from catboost import CatBoostClassifier

COMPONENTS: Mapping[str, int] = {EMBEDDING: 128}
"""Principal components of each vector at most; fewer where there are fewer photos."""

COLUMN_SHARE = 0.2
"""Columns that each split may choose from. Measured on photographers_fsa_color: five times as fast as all of them, and
no less right."""

MOST_FOR_TREES = 60
"""Photographers up to which trees are grown: every tree has a leaf value for each of them, so that time and memory grow
with their number, and hundreds would take hours."""

CALIBRATION_FOLDS = 2
"""Each takes trees of its own."""


@dataclass(frozen=True, slots=True)
class TreeSettings:
    """Settings of CatBoost, by its own names. The defaults do for a few hundred photos."""

    iterations: int = 200
    learning_rate: float = 0.08
    depth: int = 4
    l2_leaf_reg: float = 3.0
    border_count: int = 32


@dataclass(frozen=True, eq=False)
class CalibratedTrees:
    """Trees and the weight of their log-probabilities, 1 / temperature; None where it could not be fitted."""

    trees: Trees
    weight: float | None


class _StopCallback:
    """CatBoost asks after every tree whether to grow another."""

    def __init__(self, goes_on: Callable[[], bool]) -> None:
        self._goes_on = goes_on

    def after_iteration(self, info: Any) -> bool:
        return self._goes_on()


def fit_published(
    photos: Inputs,
    labels: Labels,
    photographers: int,
    shoots: Groups,
    seed: int,
    threads: int,
    progress: TrainingProgress,
) -> CalibratedTrees | None:
    """Trees of the published recipe, grown from all photos. The temperature is fitted to scores of each half of the
    shoots by trees that were grown from the other half, which are a little less sure than trees grown from all.

    Args:
        labels: intp ``(n,)``.  shoots: shoot of each photo, int64 ``(n,)``.
        threads: of CatBoost; 0 takes every core.

    Returns:
        None where the photos do not differ.

    Raises:
        TrainingStoppedError: the training was told to stop.
    """

    def grown(rows: Index) -> Trees | None:
        progress.check()
        chosen = photos.take(rows)
        trees = fit_trees(
            {EMBEDDING: chosen.visual},
            chosen.features,
            labels[rows],
            photographers,
            TreeSettings(),
            seed=seed,
            threads=threads,
            goes_on=progress.goes_on,
        )
        progress.check()
        return trees

    trees = grown(np.arange(len(labels)))
    if trees is None:
        return None
    scores, truth = [], []
    for fold in grouped_folds(labels, shoots, CALIBRATION_FOLDS, seed):
        tested = fold.test[np.isin(labels[fold.test], labels[fold.train])]
        half = grown(fold.train) if len(tested) else None
        if half is not None:
            asked = photos.take(tested)
            scores.append(half.scores({EMBEDDING: asked.visual}, asked.features))
            truth.append(labels[tested])
    if not scores:
        return CalibratedTrees(trees, None)
    return CalibratedTrees(trees, float(likeliest_weights([np.concatenate(scores)], np.concatenate(truth))[0]))


def fit_components(vectors: Mapping[str, Matrix], seed: int) -> Mapping[str, Components]:
    """Principal components of each vector, at most as many as :data:`COMPONENTS` says.

    Args:
        vectors: name to ``(n, dim)``.
    """
    return {name: fit_pca(rows, COMPONENTS[name], seed) for name, rows in sorted(vectors.items())}


def fit_pca(rows: Matrix, most: int, seed: int) -> Components:
    """Principal components of the rows ``(n, dim)`` without NaN; none where these do not differ."""
    from sklearn.decomposition import PCA

    known = rows[np.isfinite(rows).all(axis=1)].astype(np.float64)
    count = min(most, len(known) - 1, rows.shape[1])
    if count < 1 or not np.ptp(known, axis=0).any():
        return Components(np.zeros(rows.shape[1]), np.zeros((0, rows.shape[1])), 0.0)
    fitted = PCA(count, random_state=seed).fit(known)
    return Components(fitted.mean_, fitted.components_, float(fitted.explained_variance_ratio_.sum()))


def fit_trees(
    vectors: Mapping[str, Matrix],
    features: Matrix,
    labels: Labels,
    photographers: int,
    settings: TreeSettings,
    *,
    seed: int,
    threads: int,
    goes_on: Callable[[], bool] = lambda: True,
) -> Trees | None:
    """Components and trees; None with a single photographer, or where no column differs.

    Args:
        vectors: name to ``(n, dim)`` of those whose components are used; may be empty.
        features: ``(n, f)``.  labels: intp ``(n,)``.
        goes_on: False ends the growing with the trees there are.
    """
    components = fit_components(vectors, seed)
    rows = tree_rows(components, vectors, features)
    present = np.unique(labels)
    with np.errstate(invalid="ignore"):
        differs = (np.nan_to_num(rows, nan=-1e30).min(axis=0) != np.nan_to_num(rows, nan=-1e30).max(axis=0)).any()
    if len(present) < 2 or not differs:
        return None
    model = _new_model(settings, seed, threads)
    model.fit(rows, np.searchsorted(present, labels), callbacks=[_StopCallback(goes_on)])
    return Trees(model, components, present, photographers)


def _new_model(settings: TreeSettings, seed: int, threads: int) -> CatBoostClassifier:
    """An untrained model. Photographers have equal weight, however many photos each has."""
    from catboost import CatBoostClassifier

    return CatBoostClassifier(
        loss_function="MultiClass",
        auto_class_weights="Balanced",
        rsm=COLUMN_SHARE,
        random_seed=seed,
        thread_count=threads or -1,
        verbose=False,
        allow_writing_files=False,
        **asdict(settings),
    )
