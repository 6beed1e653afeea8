"""The search for CatBoost's settings: the space of REFERENCE §3, Optuna's sampler, a limit on time."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from search.photographers.classifier.ensemble import Inputs
from search.photographers.classifier.trees import TreeSettings, fit_components, new_model, tree_rows
from search.photographers.photos.splits import Fold, Labels
from workers.photographers.classifier.progress import Progress

if TYPE_CHECKING:
    from optuna import Trial

MOST_TRIALS = 60
PATIENCE = 40
"""Trees without a gain on the validation part after which no more are grown."""

_SHARE = 0.1
"""Of the time, for growing the trees of one trial on one fold; deep and slow ones are judged by the trees they have by
then, or they would leave no time for others."""

_FOLDS = 2
"""Of those given; more would leave time for fewer settings, which differ less than the folds do."""


@dataclass(frozen=True, slots=True)
class Search:
    """What was found.

    Attributes:
        trials: settings that were tried to the end.
        loss: mean log-loss on the validation parts, in nats; that of the defaults beside it.
    """

    settings: TreeSettings
    trials: int
    loss: float
    default_loss: float


def search_settings(
    photos: Inputs,
    labels: Labels,
    folds: Sequence[Fold],
    seconds: float,
    *,
    seed: int,
    threads: int,
    progress: Progress,
) -> Search | None:
    """The best settings found in time, the defaults being the first tried; None where there is no time for anything.

    How many trees are grown is found by early stopping on the validation part of each fold, which holds groups that
    were not learnt from. The same photos, seed and number of trials give the same settings; how many trials there is
    time for depends on the machine.
    """
    import optuna

    usable = [fold for fold in folds[:_FOLDS] if len(np.unique(labels[fold.train])) > 1]
    if seconds <= 0 or not usable:
        return None
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    bench = _Bench(photos, labels, usable, seed, threads, seconds, progress)
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
    study.optimize(bench, n_trials=MOST_TRIALS, timeout=seconds)
    done = [trial for trial in study.trials if trial.state == optuna.trial.TrialState.COMPLETE]
    if not done:
        return None
    best = min(done, key=lambda trial: trial.value if trial.value is not None else np.inf)
    settings = replace(_settings_of(best.params), iterations=int(best.user_attrs["trees"]))
    return Search(settings, len(done), float(best.value or 0.0), float(done[0].value or 0.0))


class _Bench:
    """What Optuna calls: settings in, log-loss out."""

    def __init__(
        self,
        photos: Inputs,
        labels: Labels,
        folds: Sequence[Fold],
        seed: int,
        threads: int,
        seconds: float,
        progress: Progress,
    ) -> None:
        self._seed, self._threads, self._progress = seed, threads, progress
        self._seconds, self._left = _SHARE * seconds, 0.0
        self._data = []
        for fold in folds:
            train, test = photos.take(fold.train), photos.take(fold.test)
            components = fit_components(train.vectors, seed)
            present = np.unique(labels[fold.train])
            told = np.isin(labels[fold.test], present)
            self._data.append(
                (
                    tree_rows(components, train.vectors, train.features),
                    np.searchsorted(present, labels[fold.train]),
                    tree_rows(components, test.vectors, test.features)[told],
                    np.searchsorted(present, labels[fold.test][told]),
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
            model = new_model(settings, self._seed, self._threads, od_type="Iter", od_wait=PATIENCE)
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
