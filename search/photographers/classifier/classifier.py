"""The trained classifier: loading, and prediction of a photo's photographer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from search.photographers.answers import (
    Basis,
    Candidate,
    Photo,
    PhotoEvidence,
    Prediction,
    PredictionReason,
    SetPrediction,
    TreesAnswer,
)
from search.photographers.classifier.conformal import ConformalRule
from search.photographers.classifier.ensemble import (
    FILE,
    LINEAR_PARTS,
    NEAREST,
    AnswerRules,
    Calibration,
    Ensemble,
    Inputs,
    Parts,
)
from search.photographers.classifier.familiarity import Familiarity
from search.photographers.classifier.file_facts import FILE_FACTS, FileFacts
from search.photographers.classifier.linear import Linear
from search.photographers.classifier.model_files import (
    ARRAYS,
    check_features,
    check_space,
    damaged,
    read_arrays,
    read_manifest,
)
from search.photographers.classifier.reasons import reasons_of
from search.photographers.classifier.sets import SetJudge, SetKind
from search.photographers.classifier.shoots import Shoot, ShootRule
from search.photographers.classifier.threshold import Threshold
from search.photographers.classifier.trees import StoredTrees
from search.photographers.photos.dataset import PhotoSet
from search.photographers.photos.features import PICTURE_ONLY
from search.photographers.photos.names import photographer_id
from search.photographers.report import ReportCheck
from search.spaces import Space
from search.store.base import Array

NO_STYLE = "This photo has no style vector; only its features say how it is developed."
NO_SETS = (
    "This set cannot be judged: that takes style vectors, of its photos too, and enough photographers to leave some "
    "out of the training, to learn how strangers look."
)
NO_FEATURES = "The features of this photo are not known; only what it shows and its style were looked at."
NO_FILE = "The file says nothing of camera, clock or itself that could be asked."
NO_TREES = "This classifier was trained without trees, so CatBoost over features and embedding does not answer."
BY_TREES = (
    "This goes by facts of file, size, clock and camera as well as by the picture, and an absent tag counts as a fact: "
    "a copy without its tags can be given to whoever strips them."
)


@dataclass(frozen=True, slots=True)
class Verdict:
    """Prediction of the model for one photo; fields as in ``answers.Prediction``."""

    candidates: tuple[Candidate, ...]
    unknown: bool
    threshold: float
    reasons: tuple[PredictionReason, ...]
    by_style: tuple[Candidate, ...]
    by_subject: tuple[Candidate, ...]
    notes: tuple[str, ...] = ()
    one_of: tuple[str, ...] = ()
    coverage: float | None = None
    nearness: Mapping[str, float] = field(default_factory=dict)
    by_file: tuple[Candidate, ...] = ()
    by_trees: TreesAnswer | None = None
    evidence: str = Basis.PICTURE.value
    known_shoot: float = 0.0
    checks: tuple[ReportCheck, ...] = ()

    def prediction(
        self, nearest: Mapping[str, tuple[Photo, ...]] | None, model: str, notes: tuple[str, ...]
    ) -> Prediction:
        """The answer that this becomes; ``notes`` are added to its own."""
        own = {one.name: getattr(self, one.name) for one in fields(self) if one.name != "notes"}
        return Prediction(**own, nearest=nearest, model=model, notes=(*self.notes, *notes))


@dataclass(frozen=True, eq=False)
class PhotoVectors:
    """What the classifier is asked about: one photo.

    Attributes:
        features: float32 ``(78,)``, NaN for what is absent.
        visual, style, appearance: float32 ``(dim,)``; None for what the photo does not have.
    """

    features: Array
    visual: Array
    style: Array | None = None
    appearance: Array | None = None


class Classifier:
    """A trained model. Safe to use from several threads.

    Attributes:
        names: photographers it was trained on, sorted.
        threshold: probability below which it answers "unknown", for a photo of usual nearness to the training photos.
        notes: what was left out of the training.
        checks: whether border, geometry, file or near duplicates give photographers away, as the training measured.
    """

    def __init__(
        self,
        model: Ensemble,
        facts: Mapping[str, Any],
        arrays: Mapping[str, NDArray[Any]],
        trees: StoredTrees | None = None,
    ) -> None:
        self._model, self._trees = model, trees
        self.names: tuple[str, ...] = tuple(facts["photographers"])
        self._medians_of_each, self._medians_of_all = arrays["typical"], arrays["everyone"]
        self._style_dim, self._appearance_dim = (
            int(facts["dimensions"]["style"]),
            int(facts["dimensions"]["appearance"]),
        )
        self.threshold = model.rules[Basis.PICTURE].threshold.value
        self.notes: tuple[str, ...] = tuple(facts["notes"])
        self.checks = tuple(ReportCheck(**check) for check in facts["checks"])

    @classmethod
    def load(cls, folder: Path, visual: Space, style: Space | None, appearance: Space | None = None) -> Classifier:
        """The model in ``folder``.

        Args:
            visual, style, appearance: the spaces of the vectors it will be used with.

        Raises:
            SpaceMismatchError: it was trained on vectors of another space, or on other features.
            ModelError: the folder is damaged or was written by another version.
        """
        facts = read_manifest(folder)
        check_space("visual", facts["visual"], visual)
        check_space("style", facts["style"], style)
        check_space("appearance", facts["appearance"], appearance)
        check_features(facts["features"])
        arrays = read_arrays(folder / ARRAYS)
        try:
            return cls(_ensemble(facts, arrays), facts, arrays, StoredTrees.read(folder, facts, arrays))
        except (KeyError, ValueError, TypeError) as error:
            raise damaged(folder, str(error)) from error

    def predict(self, photo: PhotoVectors, evidence: Basis = Basis.PICTURE) -> Verdict:
        """Prediction for one photo.

        Args:
            evidence: what the candidates, the reasons and "unknown" go by; trees are asked beside everything alone.

        Raises:
            ModelError: the trees are damaged.
        """
        asked = self._inputs(
            photo.features[None],
            photo.visual[None],
            None if photo.style is None else photo.style[None],
            None if photo.appearance is None else photo.appearance[None],
        )
        model, rules = self._model, self._model.rules[evidence]
        given = {answer: rows[0] for answer, rows in model.answers(asked).items()}
        probabilities = given[evidence]
        best = int(probabilities.argmax())
        near, threshold = model.nearness(asked)[0], float(model.thresholds(asked, evidence)[0])
        candidates = self._candidates(probabilities)
        held = int(rules.conformal.holds(probabilities[None]).sum())
        has_file = bool(np.isfinite(photo.features[list(FILE_FACTS)]).any())
        return Verdict(
            candidates=candidates,
            unknown=bool(probabilities[best] < threshold),
            threshold=threshold,
            reasons=self._reasons(asked, best, evidence),
            by_style=self._candidates(given["style"]),
            by_subject=self._candidates(given["subject"]),
            by_file=self._candidates(given[FILE]) if has_file else (),
            by_trees=self._by_trees(asked) if evidence is Basis.EVERYTHING else None,
            evidence=evidence.value,
            known_shoot=float(model.calibration.known(model.parts.nearness(asked))[0]),
            one_of=tuple(one.photographer for one in candidates[:held]),
            coverage=rules.conformal.coverage,
            checks=self.checks,
            notes=self._notes_on(asked, evidence, has_file),
            nearness={self.names[at]: float(near[at]) for at in np.flatnonzero(np.isfinite(near))},
        )

    def judge(self, photos: Sequence[PhotoEvidence]) -> SetPrediction:
        """Verdict on a set of photos, by what the predictions for each say.

        Args:
            photos: at least two; names that one of them lacks have no probability there.
        """
        names = sorted({name for photo in photos for name in photo.probabilities})
        rows = np.array([[photo.probabilities.get(name, 0.0) for name in names] for photo in photos])
        near = np.array([[photo.nearness.get(name, np.nan) for name in names] for photo in photos])
        judge = self._model.sets
        if judge is None or not np.isfinite(near).any():
            return SetPrediction(len(photos), None, None, {}, (), notes=(NO_SETS,))
        kinds = dict(zip(map(str, SetKind), map(float, judge.kinds(near)), strict=True))
        verdict = max(kinds, key=lambda kind: kinds[kind])
        candidates = sorted(zip(names, judge.names(rows), strict=True), key=lambda one: -one[1])
        return SetPrediction(
            len(photos),
            verdict,
            kinds[verdict],
            kinds,
            tuple(Candidate(name, float(probability), photographer_id(name)) for name, probability in candidates),
        )

    def probabilities(self, photos: PhotoSet, answer: str = Basis.PICTURE) -> NDArray[np.float64]:
        """Calibrated probabilities, float64 ``(n, photographers)`` in the order of ``names``.

        Args:
            answer: one of ``ensemble.ANSWERS``.
        """
        return self._model.probabilities(self._all(photos), answer)

    def named(self, photos: PhotoSet, evidence: Basis = Basis.PICTURE) -> NDArray[np.bool_]:
        """Which photos are answered with a name and not with "unknown", bool ``(n,)``."""
        asked = self._all(photos)
        sure = self._model.probabilities(asked, evidence).max(axis=1)
        named: NDArray[np.bool_] = sure >= self._model.thresholds(asked, evidence)
        return named

    def _all(self, photos: PhotoSet) -> Inputs:
        return self._inputs(photos.features, photos.visual, photos.style, photos.appearance)

    def _inputs(self, features: Array, visual: Array, style: Array | None, appearance: Array | None) -> Inputs:
        if style is None or not self._style_dim:
            style = np.full((len(features), self._style_dim), np.nan, np.float32)
        if appearance is None or not self._appearance_dim:
            appearance = np.full((len(features), self._appearance_dim), np.nan, np.float32)
        return Inputs(visual, style, appearance, features)

    def _reasons(self, asked: Inputs, best: int, evidence: Basis) -> tuple[PredictionReason, ...]:
        scores, known = self._model.parts.scores, self._model.calibration.known(self._model.parts.nearness(asked))

        def answers(photos: Inputs) -> NDArray[np.float64]:
            of_known = np.repeat(known, len(photos.features))
            return self._model.calibration.probabilities(evidence, scores(photos), of_known)

        return reasons_of(answers, asked, best, self._medians_of_each[best], self._medians_of_all, evidence)

    def _by_trees(self, asked: Inputs) -> TreesAnswer | None:
        """The trees' answer about one photo; None where none were grown."""
        trees = self._trees
        if trees is None:
            return None
        return TreesAnswer(
            self._candidates(trees.probabilities(asked)[0]), trees_note(trees), trees.calibrated, trees.accuracy
        )

    def _notes_on(self, asked: Inputs, evidence: Basis, has_file: bool) -> tuple[str, ...]:
        notes = [one_photo_note(self._model.rules[evidence].threshold)]
        if self._style_dim and np.isnan(asked.style).any():
            notes.append(NO_STYLE)
        if np.isnan(asked.features[:, PICTURE_ONLY]).all():
            notes.append(NO_FEATURES)
        if not has_file:
            notes.append(NO_FILE)
        if evidence is Basis.EVERYTHING and self._trees is None:
            notes.append(NO_TREES)
        return tuple(notes)

    def _candidates(self, probabilities: NDArray[np.float64]) -> tuple[Candidate, ...]:
        order = np.argsort(-probabilities, kind="stable")
        return tuple(
            Candidate(self.names[at], float(probabilities[at]), photographer_id(self.names[at])) for at in order
        )


def one_photo_note(threshold: Threshold) -> str:
    """How well one photo alone is attributed, by the validation photos of the model; a sentence for people."""
    advice = "One photo alone cannot be told well; several by the same person can, asked about together."
    if threshold.refused is None:
        return advice
    return (
        f"{advice} In validation {threshold.refused:.0%} of the photos by photographers who were left out were called "
        f"unknown, and {threshold.kept:.0%} of the right names were given."
    )


def trees_note(trees: StoredTrees) -> str:
    """What the trees go by and how often they are right; sentences for people."""
    said = [BY_TREES]
    if not trees.calibrated:
        said.append("Its probabilities are not calibrated.")
    if (right := trees.accuracy) is not None:
        said.append(
            f"In the report's folds this recipe named {right.value:.1%} of the photos of new shoots rightly "
            f"({right.low:.1%} to {right.high:.1%})."
        )
    return " ".join(said)


def _ensemble(facts: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Ensemble:
    linears = {part: Linear.of(_of(arrays, part, "centre", "scale", "weights", "bias")) for part in LINEAR_PARTS}
    nearest, style = (
        Familiarity(**_of(arrays, f"familiar_{by}", *Familiarity.__dataclass_fields__)) for by in (NEAREST, "style")
    )
    file = FileFacts(**_of(arrays, FILE, "centre", "scale", "means", "covariance"))
    weights = {shoot: facts["weights"][shoot] for shoot in Shoot}
    rules = {}
    for evidence in Basis:
        stored = facts["answers"][evidence]
        rules[evidence] = AnswerRules(Threshold(**stored["threshold"]), ConformalRule(**stored["conformal"]))
    return Ensemble(
        Parts(linears, file, nearest, style),
        Calibration(weights, ShootRule.of(arrays), np.array(facts["shares"])),
        rules,
        np.empty((0, len(facts["photographers"]))),
        SetJudge.of(arrays),
    )


def _of(arrays: Mapping[str, NDArray[Any]], prefix: str, *names: str) -> dict[str, NDArray[Any]]:
    """Arrays of one part by the names of its attributes."""
    return {name: arrays[f"{prefix}_{name}"] for name in names}
