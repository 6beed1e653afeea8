"""Baselines that the classifier is measured against, each fitted and tested on the same folds.

Two linear ones, trees on the 78 features, and the recipe of an earlier publication: trees on 128 principal components
of the image embedding and 78 features, with its ablations.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from search.photographers.classifier.ensemble import Inputs
from search.photographers.classifier.linear import Matrix, log_softmax
from search.photographers.photos.features import PICTURE_ONLY
from workers.photographers.classifier.fitting.splits import Labels, TrainTestSplit
from workers.photographers.classifier.fitting.trees import TreeSettings, fit_trees
from workers.photographers.classifier.options import ClassifierOptions
from workers.photographers.classifier.progress import TrainingProgress


@dataclass(frozen=True, eq=False)
class BaselineTask:
    """Photos with their labels, intp ``(n,)``, and the split that a baseline is fitted and tested on."""

    photos: Inputs
    labels: Labels
    photographers: int
    split: TrainTestSplit
    options: ClassifierOptions
    progress: TrainingProgress


Baseline = Callable[[BaselineTask], NDArray[np.float64]]
"""Returns probabilities of the test photos, float64 ``(tested, photographers)``."""


def catboost_baseline(columns: tuple[int, ...], *, embedding: bool) -> Baseline:
    """CatBoost on some of the features, with or without 128 principal components of ``visual``."""

    def baseline(task: BaselineTask) -> NDArray[np.float64]:
        train, test = task.photos.take(task.split.train), task.photos.take(task.split.test)
        chosen = list(columns)

        def vectors(photos: Inputs) -> Mapping[str, Matrix]:
            return {"visual": photos.visual} if embedding else {}

        task.progress.check()
        trees = fit_trees(
            vectors(train),
            train.features[:, chosen],
            task.labels[task.split.train],
            task.photographers,
            TreeSettings(),
            seed=task.options.seed,
            threads=task.options.threads,
            goes_on=task.progress.goes_on,
        )
        task.progress.check()
        if trees is None:
            return np.full((len(test.features), task.photographers), 1.0 / task.photographers)
        return np.asarray(np.exp(trees.scores(vectors(test), test.features[:, chosen])))

    return baseline


def logistic_baseline(*, features: bool) -> Baseline:
    """Multinomial logistic regression on standardised ``visual``, with or without the standardised features."""

    def baseline(task: BaselineTask) -> NDArray[np.float64]:
        from sklearn.impute import SimpleImputer
        from sklearn.linear_model import LogisticRegression
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import StandardScaler

        def rows(photos: Inputs) -> Matrix:
            return np.concatenate([photos.visual, photos.features], axis=1) if features else photos.visual

        task.progress.check()
        train, test = task.photos.take(task.split.train), task.photos.take(task.split.test)
        model = make_pipeline(
            SimpleImputer(strategy="median", keep_empty_features=True),
            StandardScaler(),
            LogisticRegression(C=0.1, max_iter=300),
        )
        labels = task.labels[task.split.train]
        logits = np.full((len(test.features), task.photographers), -1e6)
        present = np.unique(labels)
        if len(present) > 1:
            logits[:, present] = model.fit(rows(train), labels).predict_log_proba(rows(test))
        else:
            logits[:, present] = 0.0
        return np.asarray(np.exp(log_softmax(logits)))

    return baseline


ALL_FEATURES = tuple(range(78))

SIMPLE: Mapping[str, tuple[str, Baseline]] = {
    "features_trees": ("78 features, CatBoost", catboost_baseline(ALL_FEATURES, embedding=False)),
    "embedding_linear": ("image embedding, linear", logistic_baseline(features=False)),
    "both_linear": ("embedding and features, linear", logistic_baseline(features=True)),
}
"""Name to label and baseline."""

PUBLISHED = "both"
"""The whole recipe, of which the others are parts."""

ABLATION: Mapping[str, tuple[str, Baseline]] = {
    "picture_only": ("58 picture-only features, CatBoost", catboost_baseline(PICTURE_ONLY, embedding=False)),
    "embedding": ("128 components of the embedding, CatBoost", catboost_baseline((), embedding=True)),
    PUBLISHED: ("128 components and 78 features, CatBoost", catboost_baseline(ALL_FEATURES, embedding=True)),
}
