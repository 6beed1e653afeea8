"""Measurement of a classifier on folds that keep shoots together, and of baselines on the same folds.

Everything fitted or chosen (weights, calibration, threshold) is fitted anew in every fold, from the training photos of
that fold alone. Photos of known shoots are measured in folds that part shoots, strangers in folds from whose training
photographers are left out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from search.evaluation.statistics import BINS, Estimate, GroupBootstrap, bin_of
from search.photographers.answers import Basis
from search.photographers.classifier.ensemble import ANSWERS, FILE, Ensemble, Inputs
from search.photographers.classifier.reasons import reasons_of
from search.photographers.photos.features import FEATURES, INDEX
from search.photographers.photos.grouping import of_known_shoots
from search.photographers.photos.names import photographer_id
from search.photographers.report import (
    AccuracyRow,
    CalibrationBin,
    Confusion,
    Mistake,
    OpenSetFigures,
    Report,
    ReportCheck,
    ShootFigures,
    Strength,
)
from workers.photographers.classifier.baselines import ABLATION, SIMPLE, Baseline, BaselineTask
from workers.photographers.classifier.fitting.ensemble import fit_ensemble
from workers.photographers.classifier.fitting.splits import (
    Index,
    grouped_folds,
    photographers_out,
)
from workers.photographers.classifier.fitting.trees import MOST_FOR_TREES, fit_components
from workers.photographers.classifier.leakage_checks import measurement_checks
from workers.photographers.classifier.options import ClassifierOptions
from workers.photographers.classifier.progress import TrainingProgress
from workers.photographers.classifier.scores import auroc, calibration_error, macro_f1, share, top
from workers.photographers.classifier.training_set import TrainingSet, sampled

FOLDS = 5
MOST_MEASURED = 2_000
"""Photos that figures are measured on at most, whole shoots of them; more would narrow the intervals by a few points,
and take hours."""

MOST_IN_A_TABLE = 60
"""Photographers up to which the whole confusion matrix is reported."""

MISTAKES = 20
TRAITS = 3
CHANCE_AUROC = 0.5
"""AUROC of random answers."""

STRANGERS = (
    "It cannot be shown that this model tells photographers it does not know from those it does: a name it gives to a "
    "stranger's photo looks like any other."
)

_SHOWN = 10
"""Photos of a photographer whose reasons are added up."""

_WAYS = {
    Basis.PICTURE: ("product", "this model, from the picture"),
    Basis.EVERYTHING: ("kept", "with what file and camera say"),
    FILE: ("camera_alone", "file, clock and camera alone"),
    "style": ("by_style", "how it is developed"),
    "subject": ("by_subject", "what it shows"),
}
"""Answer to the name and the words of its row."""


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
    training_set: TrainingSet, options: ClassifierOptions, checks: Sequence[ReportCheck], progress: TrainingProgress
) -> Report:
    """Report of a model trained on these photos.

    Args:
        checks: what tells photographers apart beside the picture.

    Raises:
        TrainingStoppedError: the training was told to stop.
    """
    return _Measurement(training_set, options, progress).report(checks)


class _Measurement:
    """One report in the making."""

    def __init__(self, training_set: TrainingSet, options: ClassifierOptions, progress: TrainingProgress) -> None:
        self._training_set = sampled(training_set, MOST_MEASURED, options.seed)
        self._options, self._progress = options, progress
        self._labels, self._shoots = self._training_set.labels, self._training_set.shoots
        self._count = len(training_set.names)
        self._photos = Inputs.of(self._training_set.photos)
        self._trees = self._count <= MOST_FOR_TREES
        self._folds = grouped_folds(self._labels, self._shoots.shoots, FOLDS, options.seed)
        self._bootstrap = GroupBootstrap(self._shoots.shoots, options.seed)

    def report(self, checks: Sequence[ReportCheck]) -> Report:
        product = self._product()
        predictions = product[Basis.PICTURE]
        simple = [self._baseline(name, *baseline) for name, baseline in SIMPLE.items() if self._usable(name)]
        ablation = self._ablation(simple)
        right = self._right(predictions)
        best = max((*simple, *ablation), key=lambda one: self._right(one).mean())
        confidence = predictions.probabilities.max(axis=1)
        checks = (*checks, *self._checks())
        strangers = self._open_set()
        warnings = [check.words for check in checks if check.passed is False]
        if strangers and strangers.auroc.low <= CHANCE_AUROC:
            warnings.append(STRANGERS)
        lead = self._lead(right, self._right(best))
        if lead.low <= 0:
            warnings.append(f"It cannot be shown that this model is right more often than {best.words}.")
        return Report(
            photos=len(self._labels),
            photographers=self._count,
            groups=len(np.unique(self._shoots.shoots)),
            folds=len(self._folds),
            digest=self._training_set.photos.digest,
            evidence=Basis.PICTURE.value,
            product=self._row(predictions),
            by_style=self._row(product["style"]),
            by_subject=self._row(product["subject"]),
            kept=self._row(product[Basis.EVERYTHING]),
            stripped=self._row(replace(predictions, name="stripped", words="from the picture alone")),
            camera_alone=self._row(product[FILE]),
            top3=self._bootstrap.estimate(share(top(predictions.probabilities, self._labels, 3))),
            ece=self._bootstrap.estimate(calibration_error(confidence, right)),
            reliability=_reliability(confidence, right),
            coverage=self._coverage(product),
            coverage_stated=self._models[0].rules[Basis.PICTURE].conformal.coverage,
            known_shoots=self._known_shoots(),
            chance=float(np.bincount(self._labels).max()) / len(self._labels),
            open_set=strangers,
            simple=tuple(self._against(one, right) for one in simple),
            ablation=tuple(self._against(one, right) for one in ablation),
            lead=lead,
            lead_over=best.words,
            lead_everything=self._lead(self._right(product[Basis.EVERYTHING]), self._right(best)),
            strengths=self._strengths(predictions),
            confusion=self._confusion(predictions),
            mistakes=self._mistakes(predictions),
            checks=checks,
            explained=self._explained(),
            threshold=self._models[0].rules[Basis.PICTURE].threshold.value,
            warnings=(*self._training_set.notes, *warnings),
        )

    @cached_property
    def _models(self) -> list[Ensemble]:
        found = []
        for at, fold in enumerate(self._folds):
            self._progress.say(f"Measuring the model: fold {at + 1} of {len(self._folds)}")
            found.append(self._fitted(fold.train))
        return found

    def _fitted(self, rows: Index) -> Ensemble:
        return fit_ensemble(
            self._photos.take(rows),
            self._labels[rows],
            self._count,
            self._shoots.take(rows),
            self._options.seed,
            self._progress,
        )

    def _product(self) -> dict[str, _Predictions]:
        """Predictions of this model by answer; calibration and threshold are those of each fold."""
        probabilities = {answer: np.empty((len(self._labels), self._count)) for answer in ANSWERS}
        answered: dict[str, NDArray[np.bool_]] = {one: np.zeros(len(self._labels), bool) for one in Basis}
        for fold, model in zip(self._folds, self._models, strict=True):
            photos = self._photos.take(fold.test)
            for answer, predicted in model.answers(photos).items():
                probabilities[answer][fold.test] = predicted
            for evidence in Basis:
                sure = probabilities[evidence][fold.test].max(axis=1)
                answered[evidence][fold.test] = sure >= model.thresholds(photos, evidence)
        return {answer: _Predictions(*_WAYS[answer], probabilities[answer], answered.get(answer)) for answer in ANSWERS}

    def _known_shoots(self) -> ShootFigures | None:
        """Figures over photos of shoots that were learnt from in part; None where every photo is a shoot of its own."""
        shoots = self._shoots
        folds = grouped_folds(self._labels, shoots.twins, FOLDS, self._options.seed)
        rows, probabilities = [], []
        for at, fold in enumerate(folds):
            known = fold.test[of_known_shoots(shoots.shoots, fold.train, fold.test)]
            if len(known):
                self._progress.say(f"Measuring known shoots: fold {at + 1} of {len(folds)}")
                rows.append(known)
                probabilities.append(self._fitted(fold.train).probabilities(self._photos.take(known)))
        if not rows:
            return None
        tested, given = np.concatenate(rows), np.concatenate(probabilities)
        right, confidence = given.argmax(axis=1) == self._labels[tested], given.max(axis=1)
        drawn = GroupBootstrap(shoots.shoots[tested], self._options.seed)
        return ShootFigures(
            accuracy=drawn.estimate(share(right)),
            ece=drawn.estimate(calibration_error(confidence, right)),
            reliability=_reliability(confidence, right),
        )

    def _coverage(self, product: Mapping[str, _Predictions]) -> Estimate:
        """How often the sets of names hold the right one."""
        held = np.zeros(len(self._labels), bool)
        for fold, model in zip(self._folds, self._models, strict=True):
            names = model.rules[Basis.PICTURE].conformal.holds(product[Basis.PICTURE].probabilities[fold.test])
            held[fold.test] = names[np.arange(len(fold.test)), self._labels[fold.test]]
        return self._bootstrap.estimate(share(held))

    def _usable(self, name: str) -> bool:
        return self._trees or name not in ("features_trees", *ABLATION)

    def _baseline(self, name: str, words: str, baseline: Baseline) -> _Predictions:
        self._progress.say(f"Measuring {words}")
        probabilities = np.full((len(self._labels), self._count), 1 / self._count)
        for fold in self._folds:
            task = BaselineTask(self._photos, self._labels, self._count, fold, self._options, self._progress)
            probabilities[fold.test] = baseline(task)
        return _Predictions(name, words, probabilities)

    def _ablation(self, simple: list[_Predictions]) -> list[_Predictions]:
        if not self._trees:
            return []
        found = {one.name: one for one in simple}
        return [found["features_trees"], *(self._baseline(name, *baseline) for name, baseline in ABLATION.items())]

    def _against(self, baseline: _Predictions, right: NDArray[np.bool_]) -> AccuracyRow:
        """A baseline's row with the product's lead over it."""
        return replace(self._row(baseline), lead=self._lead(right, self._right(baseline)))

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
        """By models whose whole fitting, threshold included, never saw the strangers."""
        rows, margins, strange, right = [], [], [], []
        for fold, strangers in photographers_out(self._labels, self._folds, self._options.seed):
            self._progress.say("Measuring how strangers are told")
            model = self._fitted(fold.train)
            threshold = model.rules[Basis.PICTURE].threshold
            for tested in (fold.test, strangers):
                if len(tested):
                    photos = self._photos.take(tested)
                    given = model.probabilities(photos)
                    rows.append(tested)
                    margins.append(threshold.margin(given.max(axis=1), model.parts.style(photos.style)))
                    right.append(given.argmax(axis=1) == self._labels[tested])
                    strange.append(np.full(len(tested), tested is strangers))
        if not rows or not np.concatenate(right).any():
            return None
        margin, stranger = np.concatenate(margins), np.concatenate(strange)
        known_right = np.concatenate(right) & ~stranger
        drawn = GroupBootstrap(self._shoots.shoots[np.concatenate(rows)], self._options.seed)
        return OpenSetFigures(
            auroc=drawn.estimate(auroc(~stranger, margin)),
            refused=drawn.estimate(share(margin < 0, stranger), int(stranger.sum())),
            kept=drawn.estimate(share(margin >= 0, known_right), int(known_right.sum())),
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
                    len(np.unique(self._shoots.shoots[own])),
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
        found: dict[str, float] = {}
        unknown = np.full(len(FEATURES), np.nan)
        for row in rows:
            for reason in reasons_of(model.probabilities, self._photos.take(row[None]), photographer, unknown, unknown):
                if reason.feature in INDEX:
                    found[reason.feature] = found.get(reason.feature, 0.0) + reason.weight
        best = sorted(found.items(), key=lambda one: -one[1])[:TRAITS]
        return tuple(FEATURES[INDEX[name]].label for name, weight in best if weight > 0)

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
        """Share of the variance of ``visual`` that the components of the published recipe keep."""
        if not self._trees:
            return None
        train = self._photos.take(self._folds[0].train)
        return fit_components({"visual": train.visual}, self._options.seed)["visual"].explained

    def _checks(self) -> tuple[ReportCheck, ...]:
        self._progress.say("Looking for leaks")
        return measurement_checks(self._training_set, self._photos, self._folds, self._options.seed, self._progress)


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
