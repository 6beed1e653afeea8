"""The trained classifier: loading, and prediction of a photo's photographer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from search.photographers.answers import Candidate, PhotoEvidence, PredictionReason, SetPrediction
from search.photographers.classifier.conformal import ConformalRule
from search.photographers.classifier.ensemble import (
    ANSWERS,
    LINEAR_PARTS,
    Ensemble,
    Inputs,
    Parts,
    without_metadata,
)
from search.photographers.classifier.familiarity import Familiarity
from search.photographers.classifier.linear import Linear
from search.photographers.classifier.model_files import (
    ARRAYS,
    TREES,
    check_features,
    check_space,
    damaged,
    read_arrays,
    read_manifest,
)
from search.photographers.classifier.reasons import reasons_of
from search.photographers.classifier.sets import SetJudge, SetKind
from search.photographers.classifier.threshold import Threshold
from search.photographers.classifier.trees import Components, Trees
from search.photographers.photos.dataset import PhotoSet
from search.photographers.photos.features import PICTURE_ONLY
from search.photographers.photos.names import photographer_id
from search.spaces import Space
from search.store.base import Array

NO_STYLE = "This photo has no style vector; only its features say how it is developed."
NO_RULES = (
    "This model was trained by a version that neither judged sets of photos nor gave sets of names; "
    "`likewise photographers train` brings both."
)
NO_SETS = (
    "This set cannot be judged: that takes style vectors, of its photos too, and enough photographers to leave some "
    "out of the training, to learn how strangers look."
)
NO_FEATURES = "The features of this photo are not known; only what it shows and its style were looked at."


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


class Classifier:
    """A trained model. Safe to use from several threads.

    Attributes:
        names: photographers it was trained on, sorted.
        threshold: probability below which it answers "unknown", for a photo of usual nearness to the training photos.
        notes: what was left out of the training.
    """

    def __init__(self, model: Ensemble, facts: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> None:
        self._model = model
        self.names: tuple[str, ...] = tuple(facts["photographers"])
        self._medians_of_each, self._medians_of_all = arrays["typical"], arrays["everyone"]
        self._metadata: bool = facts["metadata"]
        self._style_dim = len(model.parts.linears["manner"].centre) - len(PICTURE_ONLY)
        self.threshold = model.threshold.value
        self.notes: tuple[str, ...] = tuple(facts["notes"])

    @classmethod
    def load(cls, folder: Path, visual: Space, style: Space | None) -> Classifier:
        """The model in ``folder``.

        Args:
            visual, style: the spaces of the vectors it will be used with.

        Raises:
            SpaceMismatchError: it was trained on vectors of another space, or on other features.
            ModelError: the folder is damaged or was written by another version.
        """
        facts = read_manifest(folder)
        check_space("visual", facts["visual"], visual)
        check_space("style", facts["style"], style)
        check_features(facts["features"])
        arrays = read_arrays(folder / ARRAYS)
        try:
            return cls(_ensemble(folder, facts, arrays), facts, arrays)
        except (KeyError, ValueError, TypeError) as error:
            raise damaged(folder, str(error)) from error

    def predict(self, features: Array, visual: Array, style: Array | None) -> Verdict:
        """Prediction for one photo.

        Args:
            features: float32 ``(78,)``, NaN for what is absent.
            visual, style: float32 ``(dim,)``, unit length; no style when the photo has none.
        """
        photo = self._inputs(features[None], visual[None], None if style is None else style[None])
        probabilities = {answer: rows[0] for answer, rows in self._model.answers(photo).items()}
        best, conformal = int(probabilities["all"].argmax()), self._model.conformal
        near, threshold = self._model.nearness(photo)[0], float(self._model.thresholds(photo)[0])
        trees = self._model.parts.trees
        reasons = reasons_of(trees, photo, best, self._medians_of_each[best], self._medians_of_all) if trees else ()
        notes = [one_photo_note(self._model.threshold)]
        if conformal is None:
            notes.append(NO_RULES)
        if self._style_dim and np.isnan(photo.style).any():
            notes.append(NO_STYLE)
        if np.isnan(features).all():
            notes.append(NO_FEATURES)
        candidates = self._candidates(probabilities["all"])
        held = int(conformal.holds(probabilities["all"][None]).sum()) if conformal else 0
        return Verdict(
            candidates=candidates,
            unknown=bool(probabilities["all"][best] < threshold),
            threshold=threshold,
            reasons=reasons,
            by_style=self._candidates(probabilities["style"]),
            by_subject=self._candidates(probabilities["subject"]),
            notes=tuple(notes),
            one_of=tuple(candidate.photographer for candidate in candidates[:held]),
            coverage=conformal.coverage if conformal else None,
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
            return SetPrediction(
                len(photos), None, None, {}, (), notes=(NO_SETS if self._model.conformal else NO_RULES,)
            )
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

    def probabilities(self, photos: PhotoSet) -> NDArray[np.float64]:
        """Calibrated probabilities, float64 ``(n, photographers)`` in the order of ``names``."""
        return self._model.probabilities(self._inputs(photos.features, photos.visual, photos.style))

    def _inputs(self, features: Array, visual: Array, style: Array | None) -> Inputs:
        if style is None or not self._style_dim:
            style = np.full((len(features), self._style_dim), np.nan, np.float32)
        return Inputs(visual, style, features if self._metadata else without_metadata(features))

    def _candidates(self, probabilities: NDArray[np.float64]) -> tuple[Candidate, ...]:
        order = np.argsort(-probabilities, kind="stable")
        return tuple(
            Candidate(self.names[at], float(probabilities[at]), photographer_id(self.names[at])) for at in order
        )


def one_photo_note(threshold: Threshold) -> str:
    """How well one photo alone is told, by the validation photos of the model; a sentence for people."""
    advice = "One photo alone cannot be told well; several by the same person can, asked about together."
    if threshold.refused is None:
        return advice
    return (
        f"{advice} In validation {threshold.refused:.0%} of the photos by photographers who were left out were called "
        f"unknown, and {threshold.kept:.0%} of the right names were given."
    )


def _ensemble(folder: Path, facts: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Ensemble:
    linears = {
        part: Linear.of({name: arrays[f"{part}_{name}"] for name in ("centre", "scale", "weights", "bias")})
        for part in LINEAR_PARTS
    }
    trees = None
    if facts["components"] is not None:
        components = {
            name: Components(arrays[f"components_{name}_mean"], arrays[f"components_{name}_axes"], float(explained))
            for name, explained in facts["components"].items()
        }
        present = np.array(facts["present"], np.intp)
        trees = Trees(Trees.load_model(folder / TREES), components, present, len(facts["photographers"]))
    owners = arrays.get("familiar_owners", np.empty(0, np.intp))
    familiar = Familiarity(arrays["familiar_centre"], arrays["familiar_scale"], arrays["familiar_rows"], owners)
    return Ensemble(
        Parts(linears, trees, familiar),
        {answer: facts["weights"][answer] for answer in ANSWERS},
        np.array(facts["shares"]),
        Threshold(**facts["threshold"]),
        np.empty((0, len(facts["photographers"]))),
        ConformalRule.of(facts.get("conformal")),
        SetJudge.of(arrays),
    )
