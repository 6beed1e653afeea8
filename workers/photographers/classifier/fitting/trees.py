"""Boosted trees of the baselines: CatBoost on principal components of the vectors and the features.

128 components of an image embedding and 78 features are the recipe of an earlier publication.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from search.photographers.classifier.linear import Matrix, Scores, log_softmax
from workers.photographers.classifier.fitting.splits import Labels

if TYPE_CHECKING:
    from catboost import CatBoostClassifier

COMPONENTS: Mapping[str, int] = {"visual": 128}
"""Principal components of each vector at most; fewer where there are fewer photos."""

COLUMN_SHARE = 0.2
"""Columns that each split may choose from. Measured on photographers_fsa_color: five times as fast as all of them, and
no less right."""


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

    def __call__(self, rows: Matrix) -> NDArray[np.float64]:
        """Projection of rows ``(n, dim)``, float64 ``(n, components)``; NaN where a row has one."""
        projected: NDArray[np.float64] = (rows.astype(np.float64) - self.mean) @ self.axes.T
        return projected


@dataclass(frozen=True, eq=False)
class Trees:
    """A CatBoost model with the components that are its inputs.

    Attributes:
        present: positions of the photographers that it was fitted to, intp, ascending.
        photographers: number of photographers of the classifier.
    """

    model: CatBoostClassifier
    components: Mapping[str, Components]
    present: NDArray[np.intp]
    photographers: int

    def scores(self, vectors: Mapping[str, Matrix], features: Matrix) -> Scores:
        """Log-probabilities, float64 ``(n, photographers)``.

        Args:
            vectors: name to ``(n, dim)``.  features: ``(n, 78)``, or the columns that the trees were fitted to.
        """
        predicted = self.model.predict_proba(tree_rows(self.components, vectors, features))
        probabilities = np.zeros((len(features), self.photographers))
        probabilities[:, self.present] = predicted
        with np.errstate(divide="ignore"):
            return log_softmax(np.maximum(np.log(probabilities), -1e6))


@dataclass(frozen=True, slots=True)
class TreeSettings:
    """Settings of CatBoost, by its own names. The defaults do for a few hundred photos."""

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


def tree_rows(
    components: Mapping[str, Components], vectors: Mapping[str, Matrix], features: Matrix
) -> NDArray[np.float64]:
    """Components of each vector in order of name, then the features: float64 ``(n, columns)``.

    Args:
        vectors: name to ``(n, dim)``.  features: ``(n, f)``.
    """
    parts = [components[name](vectors[name]) for name in sorted(components)]
    joined: NDArray[np.float64] = np.concatenate([*parts, features.astype(np.float64)], axis=1)
    return joined
