"""Fitting of the ensemble: its parts, and by cross-validation calibration and the rules of answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from search.photographers.answers import Basis
from search.photographers.classifier.ensemble import (
    ANSWERS,
    FILE,
    LINEAR_PARTS,
    PICTURE_PARTS,
    SHARES,
    AnswerRules,
    AnswerWeights,
    Calibration,
    Ensemble,
    Inputs,
    Parts,
)
from search.photographers.classifier.linear import Matrix, Scores
from search.photographers.classifier.pooling import prior_scores
from search.photographers.classifier.shoots import Shoot
from search.photographers.photos.grouping import Groups, of_known_shoots
from workers.photographers.classifier.fitting.conformal import fit_conformal
from workers.photographers.classifier.fitting.familiarity import fit_familiarity
from workers.photographers.classifier.fitting.file_facts import fit_file_facts
from workers.photographers.classifier.fitting.linear import column_statistics, fit_linear
from workers.photographers.classifier.fitting.pooling import fit_added, fit_pool
from workers.photographers.classifier.fitting.sets import HeldOutAnswers, fit_sets
from workers.photographers.classifier.fitting.shoots import fit_shoot_rule
from workers.photographers.classifier.fitting.splits import (
    Index,
    Labels,
    TrainTestSplit,
    grouped_folds,
    photographers_out,
)
from workers.photographers.classifier.fitting.threshold import Confidence, fit_threshold
from workers.photographers.classifier.progress import TrainingProgress

INNER_FOLDS = 4


@dataclass(frozen=True, eq=False)
class Shoots:
    """Which photos belong together.

    Attributes:
        shoots: shoot of each photo, int64 ``(n,)``.
        twins: near duplicates and burst frames alone, int64 ``(n,)``: what folds that part shoots keep together.
    """

    shoots: Groups
    twins: Groups

    def take(self, rows: Index) -> Shoots:
        """Of the photos at some positions, intp ``(k,)``."""
        return Shoots(self.shoots[rows], self.twins[rows])


@dataclass(frozen=True, eq=False)
class _Tested:
    """Scores of photos that the parts were not fitted to: part to float64 ``(n, photographers)``.

    Attributes:
        rows: positions of the photos, intp ``(n,)``.
        nearness: as ``Parts.nearness``, float64 ``(n, 2)``.
    """

    rows: Index
    scores: Mapping[str, Scores]
    nearness: NDArray[np.float64]

    def take(self, some: NDArray[np.bool_]) -> _Tested:
        scores = {part: scores[some] for part, scores in self.scores.items()}
        return _Tested(self.rows[some], scores, self.nearness[some])


def fit_ensemble(
    photos: Inputs,
    labels: Labels,
    photographers: int,
    shoots: Shoots,
    seed: int,
    progress: TrainingProgress,
) -> Ensemble:
    """Parts fitted to all photos; calibration and rules by what folds of the same photos show: folds that keep shoots
    together, in which photographers are left out in turn, and folds that part shoots.

    Args:
        labels: intp ``(n,)``.

    Raises:
        TrainingStoppedError: the training was told to stop.
    """
    fitter = PartsFitter(photos, labels, photographers, seed, progress)
    folds = grouped_folds(labels, shoots.shoots, INNER_FOLDS, seed)
    new = fitter.tested(folds)
    known = _of_known_shoots(fitter, shoots, seed)
    shares = np.bincount(labels, minlength=photographers) / len(labels)
    weights = {Shoot.NEW: _weights(new, labels, shares)}
    weights[Shoot.KNOWN] = _weights(known, labels, shares) if known else weights[Shoot.NEW]
    rule = fit_shoot_rule(known.nearness, new.nearness) if known else None
    calibration = Calibration(weights, rule, shares)
    truth, of_known = labels[new.rows], calibration.known(new.nearness)
    rules, out_of_fold, sets = {}, np.empty((len(labels), photographers)), None
    for evidence in Basis:
        probabilities = calibration.probabilities(evidence, new.scores, of_known)
        strangers = fitter.open_set(folds, calibration, evidence)
        threshold = fit_threshold(
            Confidence.of(new.rows, probabilities, truth, new.nearness[:, 1]), confidence_of(strangers, strange=True)
        )
        rules[evidence] = AnswerRules(threshold, fit_conformal(probabilities, truth, shoots.shoots[new.rows]))
        if evidence is Basis.PICTURE:
            out_of_fold[new.rows] = probabilities
            sets = fit_sets(strangers, seed) if strangers else None
    return Ensemble(fitter.fit(np.arange(len(labels))), calibration, rules, out_of_fold, sets)


class PartsFitter:
    """Fits the parts to some of the photos.

    Args:
        labels: intp ``(n,)``.
    """

    def __init__(
        self, photos: Inputs, labels: Labels, photographers: int, seed: int, progress: TrainingProgress
    ) -> None:
        self._photos, self._labels, self._photographers = photos, labels, photographers
        self._seed, self._progress = seed, progress
        self._strangers: list[tuple[Parts, Index, Index, Index]] | None = None

    @property
    def labels(self) -> Labels:
        """Of all photos, intp ``(n,)``."""
        return self._labels

    def tested(self, folds: Sequence[TrainTestSplit]) -> _Tested:
        """Scores of the photos that each fold tests, fold after fold."""
        each = []
        for fold in folds:
            parts, photos = self.fit(fold.train), self._photos.take(fold.test)
            each.append(_Tested(fold.test, parts.scores(photos), parts.nearness(photos)))
        scores = {part: np.concatenate([one.scores[part] for one in each]) for part in each[0].scores}
        nearness = np.concatenate([one.nearness for one in each])
        return _Tested(np.concatenate([one.rows for one in each]), scores, nearness)

    def fit(self, rows: Index) -> Parts:
        """Parts fitted to the photos at these positions, intp ``(k,)``.

        Raises:
            TrainingStoppedError: the training was told to stop.
        """
        train, labels = self._photos.take(rows), self._labels[rows]
        linears = {}
        for part in LINEAR_PARTS:
            self._progress.check()
            linears[part] = fit_linear(train.columns(part), labels, self._photographers)
        return Parts(
            linears,
            fit_file_facts(train.features, labels, self._photographers),
            fit_familiarity(_filled(train.columns("joined")), labels),
            fit_familiarity(train.style, labels),
        )

    def open_set(
        self, folds: Sequence[TrainTestSplit], calibration: Calibration, evidence: Basis = Basis.PICTURE
    ) -> HeldOutAnswers | None:
        """Tests with strangers, see ``splits.photographers_out``; None where there are too few photographers.

        The parts are fitted once, whatever they are asked about.
        """
        if self._strangers is None:
            self._strangers = [
                (self.fit(fold.train), fold.train, fold.test, strange)
                for fold, strange in photographers_out(self._labels, folds, self._seed)
            ]
        found = []
        for at, (parts, trained, known, strange) in enumerate(self._strangers):
            counts = np.bincount(self._labels[trained], minlength=self._photographers)
            for rows in (known, strange):
                photos = self._photos.take(rows)
                of_known = calibration.known(parts.nearness(photos))
                probabilities = calibration.probabilities(
                    evidence, parts.scores(photos), of_known, counts / counts.sum()
                )
                nearness = parts.style.of_each(photos.style, self._photographers)
                whose, fold_of = np.full(len(rows), rows is strange), np.full(len(rows), at)
                found.append(HeldOutAnswers(rows, fold_of, self._labels[rows], whose, probabilities, nearness))
        return HeldOutAnswers.joined(found) if found else None


def _filled(rows: Matrix) -> Matrix:
    """Rows ``(n, d)`` with the mean of a column in place of what is absent."""
    return np.where(np.isfinite(rows), rows, column_statistics(rows)[0])


def confidence_of(evidence: HeldOutAnswers | None, *, strange: bool) -> Confidence:
    """Confidence in the photos of strangers alone, or in those of the others."""
    if evidence is None:
        return Confidence.none()
    at = np.flatnonzero(evidence.strange == strange)
    nearness = np.fmax.reduce(evidence.nearness[at], axis=1)
    return Confidence.of(evidence.rows[at], evidence.probabilities[at], evidence.labels[at], nearness)


def _of_known_shoots(fitter: PartsFitter, shoots: Shoots, seed: int) -> _Tested | None:
    """Scores of photos some of whose shoot the parts were fitted to; None where there are none."""
    folds = grouped_folds(fitter.labels, shoots.twins, INNER_FOLDS, seed)
    if not folds:  # every photo is everybody's twin
        return None
    known = np.concatenate([of_known_shoots(shoots.shoots, fold.train, fold.test) for fold in folds])
    return fitter.tested(folds).take(known) if known.any() else None


def _weights(tested: _Tested, labels: Labels, shares: NDArray[np.float64]) -> AnswerWeights:
    """Weights of every answer. Those of the picture's parts are the same in ``everything``, so that a photo of which
    the file says nothing has the picture's answer, as sure as that is."""
    truth, prior = labels[tested.rows], prior_scores(shares, len(tested.rows))
    found: dict[str, Mapping[str, float]] = {}
    for answer, parts in ANSWERS.items():
        if answer != Basis.EVERYTHING:
            fitted = fit_pool([tested.scores[part] for part in parts], prior, truth)
            found[answer] = dict(zip([*parts, SHARES], map(float, fitted), strict=True))
    picture = found[Basis.PICTURE]
    fixed = [tested.scores[part] * picture[part] for part in PICTURE_PARTS]
    added = fit_added(tested.scores[FILE], sum(fixed, prior * picture[SHARES]), truth)
    return {**found, Basis.EVERYTHING: {**picture, FILE: added}}
