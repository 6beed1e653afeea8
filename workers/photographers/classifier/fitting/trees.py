"""Fitting of boosted trees: CatBoost on principal components of the vectors and the features.

128 components of an image embedding and 78 features are the recipe that ``baselines`` measures too; 32 components of
``style`` are added.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from search.photographers.classifier.linear import Matrix
from search.photographers.classifier.trees import Components, Trees, tree_rows
from workers.photographers.classifier.fitting.splits import Labels

if TYPE_CHECKING:
    from catboost import CatBoostClassifier

COMPONENTS: Mapping[str, int] = {"visual": 128, "style": 32}
"""Principal components of each vector at most; fewer where there are fewer photos."""

COLUMN_SHARE = 0.2
"""Columns that each split may choose from. Measured on photographers_fsa_color: five times as fast as all of them, and
no less right."""


@dataclass(frozen=True, slots=True)
class TreeSettings:
    """Settings of CatBoost that are searched for, by its own names. The defaults do for a few hundred photos."""

    iterations: int = 200
    learning_rate: float = 0.08
    depth: int = 4
    l2_leaf_reg: float = 3.0
    border_count: int = 32


class _StopCallback:
    """CatBoost asks after every tree whether to grow another."""

    def __init__(self, goes_on: Callable[[], bool]) -> None:
        self._goes_on = goes_on

    def after_iteration(self, info: Any) -> bool:
        return self._goes_on()


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
    model = new_model(settings, seed, threads)
    model.fit(rows, np.searchsorted(present, labels), callbacks=[_StopCallback(goes_on)])
    return Trees(model, components, present, photographers)


def new_model(settings: TreeSettings, seed: int, threads: int, **more: Any) -> CatBoostClassifier:
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
        **more,
    )
