"""Boosted trees of the photographer classifier: scores and SHAP values of a fitted CatBoost model.

The trees see principal components of ``visual`` and ``style``, joined with the 78 features.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from search.photographers.classifier.linear import Matrix, Scores, log_softmax

if TYPE_CHECKING:
    from catboost import CatBoostClassifier


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

    def rows(self, vectors: Mapping[str, Matrix], features: Matrix) -> NDArray[np.float64]:
        """Input of the model, float64 ``(n, columns)``, see :func:`tree_rows`."""
        return tree_rows(self.components, vectors, features)

    def scores(self, vectors: Mapping[str, Matrix], features: Matrix) -> Scores:
        """Log-probabilities, float64 ``(n, photographers)``.

        Args:
            vectors: name to ``(n, dim)``.  features: ``(n, 78)``, or the columns that the trees were fitted to.
        """
        predicted = self.model.predict_proba(self.rows(vectors, features))
        probabilities = np.zeros((len(features), self.photographers))
        probabilities[:, self.present] = predicted
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
        """Number of columns of the input."""
        return len(self.model.feature_importances_)

    def importances(self) -> NDArray[np.float64]:
        """Importance of each column, float64 ``(columns,)``, summing to 1."""
        found = np.asarray(self.model.feature_importances_, np.float64)
        return found / max(float(found.sum()), 1e-12)

    @staticmethod
    def load_model(path: Path) -> CatBoostClassifier:
        """The CatBoost model in a file of its format ``cbm``.

        Raises:
            catboost.CatBoostError: the file is damaged.
        """
        from catboost import CatBoostClassifier

        return CatBoostClassifier().load_model(str(path), format="cbm")


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
