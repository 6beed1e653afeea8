"""Boosted trees over features and embedding: an answer beside the ensemble's, and apart from it.

128 principal components of ``visual`` and all 78 features are the recipe of an earlier publication. Facts of file,
size, clock and camera are among these features, and an absent one counts as a fact.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from search.evaluation.statistics import Estimate
from search.photographers.classifier.ensemble import Inputs
from search.photographers.classifier.linear import Matrix, Scores, log_softmax
from search.photographers.classifier.model_files import TREES, damaged
from search.photographers.classifier.pooling import pooled

if TYPE_CHECKING:
    from catboost import CatBoostClassifier

EMBEDDING = "visual"
"""The vector whose components the trees see."""


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

        Raises:
            catboost.CatBoostError: the rows have fewer columns than the trees were fitted to.
        """
        predicted = self.model.predict_proba(tree_rows(self.components, vectors, features))
        probabilities = np.zeros((len(features), self.photographers))
        probabilities[:, self.present] = predicted
        with np.errstate(divide="ignore"):
            return log_softmax(np.maximum(np.log(probabilities), -1e6))


class StoredTrees:
    """Trees of a trained classifier. Safe to use from several threads. CatBoost is imported when they are first asked.

    Args:
        folder: that errors name.
        content: of the file :data:`~search.photographers.classifier.model_files.TREES`.
        facts: the manifest's, of the trees.
        components: of the embedding.
        photographers: number of photographers of the classifier.

    Attributes:
        accuracy: share of the photos of new shoots that this recipe names rightly, in the folds of the report; None
            without a report.
        calibrated: whether a temperature was fitted to photos that the trees were not grown from.

    Raises:
        KeyError, TypeError, ValueError: the facts are not as they were written.
    """

    def __init__(
        self, folder: Path, content: bytes, facts: Mapping[str, Any], components: Components, photographers: int
    ) -> None:
        self._folder, self._content, self._components, self._count = folder, content, components, photographers
        self._present = np.array(facts["present"], np.intp)
        self._weight = None if facts["weight"] is None else float(facts["weight"])
        self.accuracy = Estimate(**facts["accuracy"]) if facts["accuracy"] else None
        self._lock = threading.Lock()
        self._trees: Trees | None = None

    @classmethod
    def read(cls, folder: Path, facts: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> StoredTrees | None:
        """Those of a model's folder, whose digests were checked; None where none were grown.

        Args:
            facts: the manifest.  arrays: of the model's ``.npz`` file.

        Raises:
            ModelError: the file is not there.
            KeyError, TypeError, ValueError: the facts are not as they were written.
        """
        told = facts.get("trees")
        if told is None:
            return None
        try:
            content = (folder / TREES).read_bytes()
        except OSError as error:
            raise damaged(folder, f"{TREES}: {error}") from error
        components = Components(arrays["trees_mean"], arrays["trees_axes"], float(told["explained"]))
        return cls(folder, content, told, components, len(facts["photographers"]))

    @property
    def calibrated(self) -> bool:
        return self._weight is not None

    def probabilities(self, photos: Inputs) -> NDArray[np.float64]:
        """Float64 ``(n, photographers)``, rows summing to 1.

        Raises:
            ModelError: CatBoost cannot read the trees, or they are not those of this model.
        """
        from catboost import CatBoostError

        with self._lock:
            if self._trees is None:
                self._trees = self._loaded()
        try:
            scores = self._trees.scores({EMBEDDING: photos.visual}, photos.features)
        except CatBoostError as error:
            raise damaged(self._folder, f"{TREES}: {error}") from error
        return pooled([scores], np.array([1.0 if self._weight is None else self._weight]))

    def _loaded(self) -> Trees:
        from catboost import CatBoostClassifier, CatBoostError

        try:
            model = CatBoostClassifier().load_model(blob=self._content)
        except CatBoostError as error:
            raise damaged(self._folder, f"{TREES}: {error}") from error
        if len(model.classes_) != len(self._present):
            raise damaged(self._folder, f"{TREES} knows {len(model.classes_)} names, not {len(self._present)}")
        return Trees(model, {EMBEDDING: self._components}, self._present, self._count)


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
