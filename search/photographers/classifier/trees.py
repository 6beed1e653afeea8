"""Telling photographers apart by boosted trees: principal components of what the models see, joined with the features.

The published recipe is CatBoost on 128 components of ``visual`` and the 78 features (REFERENCE §3).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from search.photographers.classifier.linear import Matrix, Scores, log_softmax
from search.photographers.photos.splits import Labels

if TYPE_CHECKING:
    from catboost import CatBoostClassifier

COMPONENTS: Mapping[str, int] = {"visual": 128, "style": 32}
"""Principal components of each vector at most; fewer where there are fewer photos."""

COLUMN_SHARE = 0.2
"""Columns that each split may choose from. Measured on photographers_fsa_color: five times as fast as all of them, and
no less right."""


@dataclass(frozen=True, slots=True)
class TreeSettings:
    """CatBoost's settings that are searched for, by its own names. The defaults do for a few hundred photos.

    Source of the space searched: REFERENCE §3.
    """

    iterations: int = 200
    learning_rate: float = 0.08
    depth: int = 4
    l2_leaf_reg: float = 3.0
    border_count: int = 32


@dataclass(frozen=True, eq=False)
class Components:
    """Principal components, fitted on the training part alone.

    Attributes:
        mean: float64 ``(dim,)``.  axes: float64 ``(components, dim)``.
        explained: share of the variance that they keep, 0 to 1.
    """

    mean: NDArray[np.float64]
    axes: NDArray[np.float64]
    explained: float

    @classmethod
    def of(cls, rows: Matrix, most: int, seed: int) -> Components:
        """Of the rows that have no NaN; none at all where those do not differ."""
        from sklearn.decomposition import PCA

        known = rows[np.isfinite(rows).all(axis=1)].astype(np.float64)
        count = min(most, len(known) - 1, rows.shape[1])
        if count < 1 or not np.ptp(known, axis=0).any():
            return cls(np.zeros(rows.shape[1]), np.zeros((0, rows.shape[1])), 0.0)
        fitted = PCA(count, random_state=seed).fit(known)
        return cls(fitted.mean_, fitted.components_, float(fitted.explained_variance_ratio_.sum()))

    def __call__(self, rows: Matrix) -> NDArray[np.float64]:
        """float64 ``(n, components)``; NaN where a row has one."""
        projected: NDArray[np.float64] = (rows.astype(np.float64) - self.mean) @ self.axes.T
        return projected


@dataclass(frozen=True, eq=False)
class Trees:
    """A CatBoost model with the components it takes.

    Attributes:
        present: positions of the photographers that it has learnt, rising.
    """

    model: CatBoostClassifier
    components: Mapping[str, Components]
    present: NDArray[np.intp]
    photographers: int

    def rows(self, vectors: Mapping[str, Matrix], features: Matrix) -> NDArray[np.float64]:
        """The columns that trees see: components of each vector in order of name, then the features."""
        return tree_rows(self.components, vectors, features)

    def scores(self, vectors: Mapping[str, Matrix], features: Matrix) -> Scores:
        given = self.model.predict_proba(self.rows(vectors, features))
        probabilities = np.zeros((len(features), self.photographers))
        probabilities[:, self.present] = given
        with np.errstate(divide="ignore"):
            return log_softmax(np.maximum(np.log(probabilities), -1e6))

    def shap(self, vectors: Mapping[str, Matrix], features: Matrix, photographer: int) -> NDArray[np.float64]:
        """SHAP values for one photographer, float64 ``(n, columns)``, in log-odds against the others' mean.

        Source: Lundberg et al., "From local explanations to global understanding with explainable AI for trees",
        Nature Machine Intelligence 2 (2020), as CatBoost computes them.
        """
        from catboost import Pool

        at = int(np.searchsorted(self.present, photographer))
        if at >= len(self.present) or self.present[at] != photographer:
            return np.zeros((len(features), self.width))
        values = self.model.get_feature_importance(Pool(self.rows(vectors, features)), type="ShapValues")
        chosen: NDArray[np.float64] = np.asarray(values, np.float64)[:, at, :-1]
        return chosen

    @property
    def width(self) -> int:
        return len(self.model.feature_importances_)

    def importances(self) -> NDArray[np.float64]:
        """Of each column, summing to 1."""
        found = np.asarray(self.model.feature_importances_, np.float64)
        return found / max(float(found.sum()), 1e-12)

    def save(self, path: Path) -> None:
        self.model.save_model(str(path), format="cbm")

    @staticmethod
    def load_model(path: Path) -> CatBoostClassifier:
        from catboost import CatBoostClassifier

        return CatBoostClassifier().load_model(str(path), format="cbm")


class _WhileItGoesOn:
    """CatBoost asks after every tree whether to grow another."""

    def __init__(self, goes_on: Callable[[], bool]) -> None:
        self._goes_on = goes_on

    def after_iteration(self, info: Any) -> bool:
        return self._goes_on()


def tree_rows(
    components: Mapping[str, Components], vectors: Mapping[str, Matrix], features: Matrix
) -> NDArray[np.float64]:
    parts = [components[name](vectors[name]) for name in sorted(components)]
    joined: NDArray[np.float64] = np.concatenate([*parts, features.astype(np.float64)], axis=1)
    return joined


def fit_components(vectors: Mapping[str, Matrix], seed: int) -> Mapping[str, Components]:
    return {name: Components.of(rows, COMPONENTS[name], seed) for name, rows in sorted(vectors.items())}


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
    """None where there is nothing to split by: a single photographer, or no column that differs.

    Args:
        vectors: those whose components are taken, by name; may be empty.
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
    model.fit(rows, np.searchsorted(present, labels), callbacks=[_WhileItGoesOn(goes_on)])
    return Trees(model, components, present, photographers)


def new_model(settings: TreeSettings, seed: int, threads: int, **more: Any) -> CatBoostClassifier:
    """An untrained model. Photographers count the same, however many photos each has."""
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
