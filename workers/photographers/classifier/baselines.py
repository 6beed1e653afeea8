"""Simple recipes that the product's model is measured against, each learnt and tested on the same folds.

REFERENCE §2 gives two linear ones and one of trees, §3 the published one: trees on 128 components and 78 features.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from search.photographers.classifier.ensemble import Inputs
from search.photographers.classifier.linear import Matrix, log_softmax
from search.photographers.classifier.trees import TreeSettings, fit_trees
from search.photographers.photos.features import CAMERA, METADATA, PICTURE_ONLY
from search.photographers.photos.splits import Fold, Labels
from workers.photographers.classifier.fit_ensemble import Plan
from workers.photographers.classifier.progress import Progress


@dataclass(frozen=True, eq=False)
class Task:
    """What a recipe is asked: to learn from one part of the photos and to name the other."""

    photos: Inputs
    labels: Labels
    photographers: int
    fold: Fold
    plan: Plan
    progress: Progress


Recipe = Callable[[Task], NDArray[np.float64]]
"""To probabilities float64 ``(tested, photographers)``."""


def trees_on(columns: tuple[int, ...], *, embedding: bool, settings: TreeSettings | None = None) -> Recipe:
    """CatBoost on some of the features, with or without 128 principal components of ``visual``."""

    def recipe(task: Task) -> NDArray[np.float64]:
        train, test = task.photos.take(task.fold.train), task.photos.take(task.fold.test)
        chosen = list(columns)

        def vectors(photos: Inputs) -> Mapping[str, Matrix]:
            return {"visual": photos.visual} if embedding else {}

        task.progress.check()
        trees = fit_trees(
            vectors(train),
            train.features[:, chosen],
            task.labels[task.fold.train],
            task.photographers,
            settings or TreeSettings(),
            seed=task.plan.seed,
            threads=task.plan.threads,
            goes_on=task.progress.goes_on,
        )
        task.progress.check()
        if trees is None:
            return np.full((len(test.features), task.photographers), 1.0 / task.photographers)
        return np.asarray(np.exp(trees.scores(vectors(test), test.features[:, chosen])))

    return recipe


def logistic(*, features: bool) -> Recipe:
    """Multinomial logistic regression on standardised ``visual``, joined with the standardised features or not."""

    def recipe(task: Task) -> NDArray[np.float64]:
        from sklearn.impute import SimpleImputer
        from sklearn.linear_model import LogisticRegression
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import StandardScaler

        def rows(photos: Inputs) -> Matrix:
            return np.concatenate([photos.visual, photos.features], axis=1) if features else photos.visual

        task.progress.check()
        train, test = task.photos.take(task.fold.train), task.photos.take(task.fold.test)
        model = make_pipeline(
            SimpleImputer(strategy="median", keep_empty_features=True),
            StandardScaler(),
            LogisticRegression(C=0.1, max_iter=300),
        )
        labels = task.labels[task.fold.train]
        logits = np.full((len(test.features), task.photographers), -1e6)
        present = np.unique(labels)
        if len(present) > 1:
            logits[:, present] = model.fit(rows(train), labels).predict_log_proba(rows(test))
        else:
            logits[:, present] = 0.0
        return np.asarray(np.exp(log_softmax(logits)))

    return recipe


ALL_FEATURES = tuple(range(78))

SIMPLE: Mapping[str, tuple[str, Recipe]] = {
    "features_trees": ("78 features, CatBoost", trees_on(ALL_FEATURES, embedding=False)),
    "embedding_linear": ("image embedding, linear", logistic(features=False)),
    "both_linear": ("embedding and features, linear", logistic(features=True)),
}
"""Those of REFERENCE §2 by name, with how people call them."""

ABLATION: Mapping[str, tuple[str, Recipe]] = {
    "picture_only": ("58 picture-only features, CatBoost", trees_on(PICTURE_ONLY, embedding=False)),
    "embedding": ("128 components of the embedding, CatBoost", trees_on((), embedding=True)),
    "both": ("128 components and 78 features, CatBoost", trees_on(ALL_FEATURES, embedding=True)),
}
CAMERA_ALONE = trees_on((*METADATA, *CAMERA), embedding=False)
"""What the file, the clock and the camera give away."""
