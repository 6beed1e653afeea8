"""Measurement of a classifier on folds that keep groups together, and of baselines on the same folds.

Everything fitted or chosen (components, settings of the trees, weights, threshold) is fitted anew in every fold, from
the training photos of that fold alone.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from search.evaluation.statistics import BINS, Estimate, GroupBootstrap, bin_of
from search.photographers.classifier.ensemble import ANSWERS, Ensemble, Inputs
from search.photographers.classifier.threshold import Threshold
from search.photographers.photos.features import FEATURES
from search.photographers.photos.names import photographer_id
from search.photographers.report import (
    AccuracyRow,
    CalibrationBin,
    Confusion,
    Mistake,
    OpenSetFigures,
    Report,
    ReportCheck,
    Strength,
)
from workers.photographers.classifier.baselines import (
    ABLATION,
    ALL_FEATURES,
    CAMERA_ALONE,
    SIMPLE,
    Baseline,
    BaselineTask,
    catboost_baseline,
)
from workers.photographers.classifier.fitting.ensemble import (
    MOST_FOR_TREES,
    FitOptions,
    PartsFitter,
    confidence_of,
    fit_ensemble,
)
from workers.photographers.classifier.fitting.splits import TrainTestSplit, grouped_folds
from workers.photographers.classifier.fitting.threshold import Confidence, fit_threshold
from workers.photographers.classifier.fitting.trees import TreeSettings
from workers.photographers.classifier.leakage_checks import leakage_checks
from workers.photographers.classifier.options import ClassifierOptions
from workers.photographers.classifier.progress import TrainingProgress
from workers.photographers.classifier.scores import auroc, calibration_error, macro_f1, share, top
from workers.photographers.classifier.training_set import TrainingSet, sampled
from workers.photographers.classifier.tuning import SearchResult, search_settings

FOLDS = 5
MOST_MEASURED = 4_000
"""Photos that figures are measured on at most, whole groups of them; more would narrow the intervals by a few points,
and take hours."""

MOST_IN_A_TABLE = 60
"""Photographers up to which the whole confusion matrix is reported."""

MISTAKES = 20
TRAITS = 3
_TYPICAL = ("value", "usual", "slope")
"""Fields averaged over the thresholds of the folds."""

CHANCE_AUROC = 0.5
"""AUROC of random answers."""

STRANGERS = (
    "It cannot be shown that this model tells photographers it does not know from those it does: a name it gives to a "
    "stranger's photo looks like any other."
)

_SHOWN = 40
"""Photos of a photographer whose SHAP values are averaged."""


@dataclass(frozen=True, eq=False)
class _Predictions:
    """Predictions of one model for every photo, each by a fold that was not trained on its group.

    Attributes:
        probabilities: float64 ``(n, photographers)``.
        answered: which photos were not answered with "unknown", bool ``(n,)``; None without a threshold.
    """

    name: str
    words: str
    probabilities: NDArray[np.float64]
    answered: NDArray[np.bool_] | None = None


def measure(
    training_set: TrainingSet,
    options: ClassifierOptions,
    fit_options: FitOptions,
    search: SearchResult | None,
    progress: TrainingProgress,
) -> Report:
    """Report of a model trained on these photos.

    Args:
        fit_options: how the model was fitted.  search: how its settings were found.

    Raises:
        TrainingStoppedError: the training was told to stop.
    """
    return _Measurement(training_set, options, fit_options, search, progress).report()


class _Measurement:
    """One report in the making."""

    def __init__(
        self,
        training_set: TrainingSet,
        options: ClassifierOptions,
        fit_options: FitOptions,
        search: SearchResult | None,
        progress: TrainingProgress,
    ) -> None:
        self._training_set = sampled(training_set, MOST_MEASURED, options.seed)
        self._options, self._fit_options, self._search, self._progress = options, fit_options, search, progress
        self._labels, self._groups = self._training_set.labels, self._training_set.groups
        self._count = len(training_set.names)
        self._kept = Inputs.of(self._training_set.photos)
        self._stripped = Inputs.of(self._training_set.photos, metadata=False)
        self._trees = self._count <= MOST_FOR_TREES
        self._folds = grouped_folds(self._labels, self._groups, FOLDS, options.seed)
        self._bootstrap = GroupBootstrap(self._groups, options.seed)

    def report(self) -> Report:
        product = self._product(self._own, "product", "this model")
        other = self._product(self._stripped if self._options.metadata else self._kept, "", "")["all"]
        kept, stripped = (product["all"], other) if self._options.metadata else (other, product["all"])
        simple = [self._baseline(name, *baseline) for name, baseline in SIMPLE.items() if self._usable(name)]
        rows = {one.name: self._row(one) for one in simple}
        best = max(simple, key=lambda one: rows[one.name].accuracy.value)
        camera = self._baseline("camera_alone", "file, clock and camera alone, CatBoost", CAMERA_ALONE)
        predictions = product["all"]
        right = self._right(predictions)
        confidence = predictions.probabilities.max(axis=1)
        checks = self._checks(camera)
        strangers = self._open_set()
        warnings = [check.words for check in checks if check.passed is False]
        if strangers and strangers.auroc.low <= CHANCE_AUROC:
            warnings.append(STRANGERS)
        return Report(
            photos=len(self._labels),
            photographers=self._count,
            groups=len(np.unique(self._groups)),
            folds=len(self._folds),
            digest=self._training_set.photos.digest,
            product=self._row(predictions),
            by_style=self._row(product["style"]),
            by_subject=self._row(product["subject"]),
            kept=self._row(_renamed(kept, "kept", "with what file and camera say")),
            stripped=self._row(_renamed(stripped, "stripped", "from the picture alone")),
            camera_alone=self._row(camera),
            top3=self._bootstrap.estimate(share(top(predictions.probabilities, self._labels, 3))),
            ece=self._bootstrap.estimate(calibration_error(confidence, right)),
            reliability=_reliability(confidence, right),
            chance=float(np.bincount(self._labels).max()) / len(self._labels),
            open_set=strangers,
            simple=tuple(rows.values()),
            ablation=tuple(self._row(ablated) for ablated in self._ablation(simple)),
            lead=self._lead(right, self._right(best)),
            strengths=self._strengths(predictions),
            confusion=self._confusion(predictions),
            mistakes=self._mistakes(predictions),
            checks=checks,
            settings=asdict(self._fit_options.settings),
            trials=self._search.trials if self._search else 0,
            explained=self._explained(),
            threshold=self._models[0].threshold.value,
            warnings=(*self._training_set.notes, *warnings),
        )

    @property
    def _own(self) -> Inputs:
        return self._kept if self._options.metadata else self._stripped

    @cached_property
    def _fold_options(self) -> list[FitOptions]:
        """Options of each fold, with settings searched on its training part."""
        seconds = self._options.seconds / len(self._folds) if self._trees else 0.0
        return [self._searched(fold, seconds) for fold in self._folds]

    @cached_property
    def _models(self) -> list[Ensemble]:
        fits = zip(self._folds, self._fold_options, strict=True)
        return [self._fitted(self._own, fold, options) for fold, options in fits]

    def _searched(self, fold: TrainTestSplit, seconds: float) -> FitOptions:
        labels, groups = self._labels[fold.train], self._groups[fold.train]
        inner = grouped_folds(labels, groups, FOLDS, self._fit_options.seed)
        found = search_settings(
            self._own.take(fold.train),
            labels,
            inner,
            seconds,
            seed=self._fit_options.seed,
            threads=self._fit_options.threads,
            progress=self._progress,
        )
        return replace(self._fit_options, settings=found.settings if found else TreeSettings())

    def _fitted(self, photos: Inputs, fold: TrainTestSplit, options: FitOptions) -> Ensemble:
        rows = fold.train
        return fit_ensemble(
            photos.take(rows), self._labels[rows], self._count, self._groups[rows], options, self._progress
        )

    def _product(self, photos: Inputs, name: str, words: str) -> dict[str, _Predictions]:
        """Predictions of this model by answer; the threshold is that of each fold."""
        probabilities = {answer: np.empty((len(self._labels), self._count)) for answer in ANSWERS}
        answered = np.zeros(len(self._labels), bool)
        for at, (fold, options) in enumerate(zip(self._folds, self._fold_options, strict=True)):
            self._progress.say(f"Measuring the model: fold {at + 1} of {len(self._folds)}")
            model = self._models[at] if photos is self._own else self._fitted(photos, fold, options)
            for answer, predicted in model.answers(photos.take(fold.test)).items():
                probabilities[answer][fold.test] = predicted
            needed = model.thresholds(photos.take(fold.test))
            answered[fold.test] = probabilities["all"][fold.test].max(axis=1) >= needed
        labels = {"style": ("by_style", "how it is developed"), "subject": ("by_subject", "what it shows")}
        found = {answer: _Predictions(*labels.get(answer, (name, words)), probabilities[answer]) for answer in ANSWERS}
        return found | {"all": replace(found["all"], answered=answered)}

    def _usable(self, name: str) -> bool:
        return self._trees or name not in ("features_trees", *ABLATION)

    def _baseline(self, name: str, words: str, baseline: Baseline) -> _Predictions:
        self._progress.say(f"Measuring {words}")
        probabilities = np.full((len(self._labels), self._count), 1 / self._count)
        for fold in self._folds if self._trees or name in SIMPLE else ():
            task = BaselineTask(self._kept, self._labels, self._count, fold, self._fit_options, self._progress)
            probabilities[fold.test] = baseline(task)
        return _Predictions(name, words, probabilities)

    def _ablation(self, simple: list[_Predictions]) -> list[_Predictions]:
        if not self._trees:
            return []
        found = {one.name: one for one in simple}
        rows = [found["features_trees"]]
        rows += [self._baseline(name, *baseline) for name, baseline in ABLATION.items()]
        return [*rows, self._tuned()]

    def _tuned(self) -> _Predictions:
        """The published recipe with searched settings and a threshold, found on a held-out part."""
        words = "128 components and 78 features, CatBoost, tuned, with threshold"
        self._progress.say(f"Measuring {words}")
        probabilities = np.empty((len(self._labels), self._count))
        answered = np.zeros(len(self._labels), bool)
        for fold, options in zip(self._folds, self._fold_options, strict=True):
            baseline = catboost_baseline(ALL_FEATURES, embedding=True, settings=options.settings)
            labels, groups = self._labels[fold.train], self._groups[fold.train]
            inner = grouped_folds(labels, groups, FOLDS, options.seed)[0]
            held = TrainTestSplit(fold.train[inner.train], fold.train[inner.test])
            task = BaselineTask(self._kept, self._labels, self._count, held, options, self._progress)
            confidence = Confidence.of(held.test, baseline(task), self._labels[held.test])
            threshold = fit_threshold(confidence, Confidence.none())
            probabilities[fold.test] = baseline(replace(task, split=fold))
            answered[fold.test] = probabilities[fold.test].max(axis=1) >= threshold.value
        return _Predictions("tuned", words, probabilities, answered)

    def _right(self, predictions: _Predictions) -> NDArray[np.bool_]:
        right: NDArray[np.bool_] = predictions.probabilities.argmax(axis=1) == self._labels
        return right

    def _row(self, predictions: _Predictions) -> AccuracyRow:
        accuracy = self._bootstrap.estimate(share(self._right(predictions)))
        f1 = self._bootstrap.estimate(macro_f1(self._labels, predictions.probabilities.argmax(axis=1)))
        answered = None if predictions.answered is None else self._bootstrap.estimate(share(predictions.answered))
        sure = None
        if predictions.answered is not None and predictions.answered.any():
            count = int(predictions.answered.sum())
            sure = self._bootstrap.estimate(share(self._right(predictions), predictions.answered), count)
        return AccuracyRow(predictions.name, predictions.words, accuracy, f1, answered, sure)

    def _lead(self, ours: NDArray[np.bool_], theirs: NDArray[np.bool_]) -> Estimate:
        difference = ours.astype(np.float64) - theirs
        return self._bootstrap.estimate(lambda weights: float((weights * difference).sum() / weights.sum()))

    def _open_set(self) -> OpenSetFigures | None:
        self._progress.say("Measuring how strangers are told")
        fitter = PartsFitter(self._own, self._labels, self._count, self._fit_options, self._progress)
        every = [model.weights["all"] for model in self._models]
        weights = {part: float(np.mean([one.get(part, 0.0) for one in every])) for part in every[0]}
        found = fitter.open_set(self._folds, weights)
        known, strangers = confidence_of(found, strange=False), confidence_of(found, strange=True)
        if not len(strangers.rows) or not known.right.any():
            return None
        thresholds = [model.threshold for model in self._models]
        threshold = Threshold(*(float(np.mean([getattr(one, name) for one in thresholds])) for name in _TYPICAL))
        both = Confidence.joined([known, strangers])
        margin = threshold.margin(both.value, both.nearness)
        familiar = np.arange(len(both.rows)) < len(known.rows)
        right = familiar & both.right
        drawn = GroupBootstrap(self._groups[both.rows], self._options.seed)
        return OpenSetFigures(
            auroc=drawn.estimate(auroc(familiar, margin)),
            refused=drawn.estimate(share(margin < 0, ~familiar), len(strangers.rows)),
            kept=drawn.estimate(share(margin >= 0, right), int(right.sum())),
        )

    def _strengths(self, predictions: _Predictions) -> tuple[Strength, ...]:
        named, right = predictions.probabilities.argmax(axis=1), self._right(predictions)
        found = []
        for at, name in enumerate(self._training_set.names):
            own, claimed = self._labels == at, named == at
            found.append(
                Strength(
                    name,
                    photographer_id(name),
                    int(own.sum()),
                    len(np.unique(self._groups[own])),
                    self._bootstrap.estimate(share(right, own), int(own.sum())),
                    self._bootstrap.estimate(share(right, claimed), int(claimed.sum())) if claimed.any() else None,
                    self._traits(at),
                )
            )
        return tuple(found)

    def _traits(self, photographer: int) -> tuple[str, ...]:
        """Features that speak for a photographer most, over photos of a test fold."""
        model, fold = self._models[0], self._folds[0]
        rows = fold.test[self._labels[fold.test] == photographer][:_SHOWN]
        if model.parts.trees is None or not len(rows):
            return ()
        photos = self._own.take(rows)
        values = model.parts.trees.shap(photos.vectors, photos.features, photographer).mean(axis=0)[-len(FEATURES) :]
        best = np.argsort(-values, kind="stable")[:TRAITS]
        return tuple(FEATURES[at].label for at in best if values[at] > 0)

    def _confusion(self, predictions: _Predictions) -> Confusion | None:
        if self._count > MOST_IN_A_TABLE:
            return None
        counts = np.zeros((self._count, self._count), int)
        np.add.at(counts, (self._labels, predictions.probabilities.argmax(axis=1)), 1)
        return Confusion(self._training_set.names, tuple(tuple(map(int, row)) for row in counts))

    def _mistakes(self, predictions: _Predictions) -> tuple[Mistake, ...]:
        names, wrong = self._training_set.names, ~self._right(predictions)
        pairs = zip(self._labels[wrong].tolist(), predictions.probabilities.argmax(axis=1)[wrong].tolist(), strict=True)
        common = Counter(pairs).most_common(MISTAKES)
        return tuple(Mistake(names[own], names[taken], count) for (own, taken), count in common)

    def _explained(self) -> float | None:
        trees = [model.parts.trees for model in self._models if model.parts.trees is not None]
        return float(np.mean([one.components["visual"].explained for one in trees])) if trees else None

    def _checks(self, camera: _Predictions) -> tuple[ReportCheck, ...]:
        self._progress.say("Looking for leaks")
        trees = [model.parts.trees for model in self._models if model.parts.trees is not None]
        return leakage_checks(
            self._training_set,
            self._kept,
            self._folds,
            float(self._right(camera).mean()),
            [one.importances()[-len(FEATURES) :] for one in trees],
            self._options.seed,
            self._progress,
        )


def _renamed(predictions: _Predictions, name: str, words: str) -> _Predictions:
    return _Predictions(name, words, predictions.probabilities, predictions.answered)


def _reliability(confidence: NDArray[np.float64], right: NDArray[np.bool_]) -> tuple[CalibrationBin, ...]:
    bins = bin_of(confidence)
    return tuple(
        CalibrationBin(
            at / BINS,
            (at + 1) / BINS,
            int((bins == at).sum()),
            float(confidence[bins == at].mean()),
            float(right[bins == at].mean()),
        )
        for at in range(BINS)
        if (bins == at).any()
    )
