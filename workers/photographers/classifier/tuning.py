"""Search for CatBoost's settings by Optuna within a time limit.

Source of the sampler: Bergstra et al., "Algorithms for hyper-parameter optimization", NIPS 2011 (TPE).
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from search.photographers.classifier.ensemble import Inputs
from search.photographers.classifier.trees import tree_rows
from workers.photographers.classifier.fitting.splits import Labels, TrainTestSplit
from workers.photographers.classifier.fitting.trees import TreeSettings, fit_components, new_model
from workers.photographers.classifier.progress import TrainingProgress

if TYPE_CHECKING:
    from optuna import Trial

MOST_TRIALS = 60
EARLY_STOPPING = 40
"""Trees without a gain on the validation part after which no more are grown."""

_SHARE = 0.1
"""Of the time, for growing the trees of one trial on one fold; deep and slow ones are judged by the trees they have by
then, or they would leave no time for others."""

_FOLDS = 2
"""Of those given; more would leave time for fewer settings, which differ less than the folds do."""


@dataclass(frozen=True, slots=True)
class SearchResult:
    """Best settings of a search.

    Attributes:
        trials: number of settings that were tried to the end.
        loss, default_loss: mean log-loss on the validation parts, in nats, of these settings and of the defaults.
    """

    settings: TreeSettings
    trials: int
    loss: float
    default_loss: float


def search_settings(
    photos: Inputs,
    labels: Labels,
    folds: Sequence[TrainTestSplit],
    seconds: float,
    *,
    seed: int,
    threads: int,
    progress: TrainingProgress,
) -> SearchResult | None:
    """Best settings found in time, the defaults being the first tried; None where there is no time for anything.

    The number of trees is found by early stopping on the validation part of each fold, which holds groups that were not
    trained on. The same photos, seed and number of trials give the same settings; how many trials there is time for
    depends on the machine.

    Args:
        labels: intp ``(n,)``.

    Raises:
        TrainingStoppedError: the training was told to stop.
    """
    import optuna

    usable = [fold for fold in folds[:_FOLDS] if len(np.unique(labels[fold.train])) > 1]
    if seconds <= 0 or not usable:
        return None
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    objective = _Objective(photos, labels, usable, seed, threads, seconds, progress)
    study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=seed, n_startup_trials=8))
    default = TreeSettings()
    study.enqueue_trial(
        {
            "iterations": default.iterations,
            "learning_rate": default.learning_rate,
            "depth": default.depth,
            "l2_leaf_reg": default.l2_leaf_reg,
            "border_count": default.border_count,
        }
    )
    study.optimize(objective, n_trials=MOST_TRIALS, timeout=seconds)
    done = [trial for trial in study.trials if trial.state == optuna.trial.TrialState.COMPLETE]
    if not done:
        return None
    best = min(done, key=lambda trial: trial.value if trial.value is not None else np.inf)
    settings = replace(_settings_of(best.params), iterations=int(best.user_attrs["trees"]))
    return SearchResult(settings, len(done), float(best.value or 0.0), float(done[0].value or 0.0))


class _Objective:
    """Objective function of Optuna: settings in, log-loss out."""

    def __init__(
        self,
        photos: Inputs,
        labels: Labels,
        folds: Sequence[TrainTestSplit],
        seed: int,
        threads: int,
        seconds: float,
        progress: TrainingProgress,
    ) -> None:
        self._seed, self._threads, self._progress = seed, threads, progress
        self._seconds, self._left = _SHARE * seconds, 0.0
        self._data = []
        for fold in folds:
            train, test = photos.take(fold.train), photos.take(fold.test)
            components = fit_components(train.vectors, seed)
            present = np.unique(labels[fold.train])
            known = np.isin(labels[fold.test], present)
            self._data.append(
                (
                    tree_rows(components, train.vectors, train.features),
                    np.searchsorted(present, labels[fold.train]),
                    tree_rows(components, test.vectors, test.features)[known],
                    np.searchsorted(present, labels[fold.test][known]),
                )
            )

    def __call__(self, trial: Trial) -> float:
        settings = TreeSettings(
            iterations=trial.suggest_int("iterations", 100, 1000),
            learning_rate=trial.suggest_float("learning_rate", 0.01, 0.3, log=True),
            depth=trial.suggest_int("depth", 4, 10),
            l2_leaf_reg=trial.suggest_float("l2_leaf_reg", 0.1, 10.0, log=True),
            border_count=trial.suggest_int("border_count", 32, 255),
        )
        losses, trees = [], []
        for rows, labels, test, truth in self._data:
            model = new_model(settings, self._seed, self._threads, od_type="Iter", od_wait=EARLY_STOPPING)
            # The defaults, tried first, are judged in full: what replaces them has to be better than all of them.
            self._left = time.monotonic() + self._seconds if trial.number else math.inf
            model.fit(rows, labels, eval_set=(test, truth), use_best_model=True, callbacks=[self])
            self._progress.check()
            losses.append(float(model.get_best_score()["validation"]["MultiClass"]))
            trees.append(int(model.tree_count_))
        trial.set_user_attr("trees", max(1, round(float(np.mean(trees)))))
        return float(np.mean(losses))

    def after_iteration(self, info: object) -> bool:
        """CatBoost asks after every tree whether to grow another."""
        return time.monotonic() < self._left and self._progress.goes_on()


def _settings_of(params: dict[str, float]) -> TreeSettings:
    return TreeSettings(
        int(params["iterations"]),
        float(params["learning_rate"]),
        int(params["depth"]),
        float(params["l2_leaf_reg"]),
        int(params["border_count"]),
    )
