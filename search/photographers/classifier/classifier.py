"""Whose photo is this? Learning it from photos that are credited, and answering it for one that is not."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from search.photographers.answers import Candidate, Reason
from search.photographers.classifier.ensemble import (
    ANSWERS,
    INNER_FOLDS,
    LINEAR_PARTS,
    MOST_FOR_TREES,
    Ensemble,
    Inputs,
    Parts,
    Plan,
    fit_ensemble,
    without_metadata,
)
from search.photographers.classifier.familiarity import Familiarity
from search.photographers.classifier.linear import Linear
from search.photographers.classifier.model_files import (
    ARRAYS,
    REPORT,
    TREES,
    check_features,
    check_space,
    damaged,
    read_arrays,
    read_manifest,
    write_arrays,
    write_manifest,
    write_out_of_fold,
)
from search.photographers.classifier.reasons import medians, reasons_of
from search.photographers.classifier.threshold import Threshold
from search.photographers.classifier.trees import Components, Trees, TreeSettings
from search.photographers.photos.dataset import PhotoSet
from search.photographers.photos.features import PICTURE_ONLY, REVISION
from search.photographers.photos.names import photographer_id
from search.photographers.photos.splits import grouped_folds
from search.photographers.training.progress import Progress, TrainingStoppedError
from search.photographers.training.training_set import Learnable, learnable
from search.photographers.training.tuning import Search, search_settings
from search.spaces import Space
from search.store.base import Array

__all__ = ["Classifier", "TrainOptions", "TrainResult", "TrainingStoppedError", "Verdict", "train"]

NO_STYLE = "This photo has no style vector; only its features say how it is developed."
NO_FEATURES = "The features of this photo are not known; only what it shows and its style were looked at."


@dataclass(frozen=True, slots=True)
class TrainOptions:
    """How to train.

    Attributes:
        seconds: for the search of CatBoost's settings; 0 takes the defaults.
        seed: of everything that is drawn. Equal photos, options and versions of the libraries make equal models, as
            long as the search gets through as many trials.
        threads: of CatBoost; 0 takes every core.
        metadata: False learns from the picture alone, not from what the file and the camera say.
        report: also measure what the model is worth, in folds that keep groups together; takes most of the time.
    """

    seconds: float = 60.0
    seed: int = 0
    threads: int = 0
    metadata: bool = True
    report: bool = True


@dataclass(frozen=True, slots=True)
class TrainResult:
    """What a training made.

    Attributes:
        photographers: names the model tells apart, sorted.
        photos: it was learnt from.
        notes: what was left out or bounded, in sentences for people.
    """

    folder: Path
    photographers: tuple[str, ...]
    photos: int
    threshold: float
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the model says of one photo; fields as in ``answers.Prediction``."""

    candidates: tuple[Candidate, ...]
    unknown: bool
    threshold: float
    reasons: tuple[Reason, ...]
    by_style: tuple[Candidate, ...]
    by_subject: tuple[Candidate, ...]
    notes: tuple[str, ...] = ()


def train(
    photos: PhotoSet,
    options: TrainOptions,
    folder: Path,
    say: Callable[[str], object] = lambda text: None,
    goes_on: Callable[[], bool] = lambda: True,
) -> TrainResult:
    """Learn from the credited photos of ``photos`` and write the model into ``folder``, which is made: see
    ``search.photographers.classifier.model_files``.

    Args:
        say: told what is being done, in a few words.
        goes_on: asked again and again, also from within CatBoost.

    Raises:
        UsageError: there is nothing that could be learnt; the message says what is lacking.
        TrainingStoppedError: ``goes_on`` said no.
    """
    progress = Progress(say, goes_on)
    say("Looking at which photos belong together")
    learnt = learnable(photos, options.seed)
    inputs = Inputs.of(learnt.photos, metadata=options.metadata)
    found = _search(learnt, inputs, options, progress)
    plan = Plan(found.settings if found else TreeSettings(), options.seed, options.threads)
    say(f"Learning from {len(learnt.photos):,} photos by {len(learnt.names):,} photographers")
    model = fit_ensemble(inputs, learnt.labels, len(learnt.names), learnt.groups, plan, progress)
    notes = list(learnt.notes)
    if model.parts.trees is not None:
        kept = model.parts.trees.components["visual"]
        notes.append(f"{len(kept.axes)} principal components keep {kept.explained:.1%} of the variance of 'visual'.")
    folder.mkdir(parents=True, exist_ok=True)
    _save(folder, model, learnt, inputs)
    if options.report:
        from search.photographers.report import measure

        measured = measure(learnt, options, plan, found, progress)
        report = replace(measured, threshold=model.threshold.value)  # the folds had others
        report.save(folder / REPORT)
        notes += [warning for warning in report.warnings if warning not in notes]
    progress.check()
    write_manifest(folder, _facts(model, learnt, options, plan, found, tuple(notes)))
    return TrainResult(folder, learnt.names, len(learnt.photos), model.threshold.value, tuple(notes))


class Classifier:
    """A trained model. Safe to use from several threads.

    Attributes:
        names: photographers it tells apart, sorted.
        threshold: probability below which it answers "unknown", for a photo that comes as near as usual to those it has
            learnt from.
        notes: what was left out when it was trained.
    """

    def __init__(self, model: Ensemble, facts: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> None:
        self._model = model
        self.names: tuple[str, ...] = tuple(facts["photographers"])
        self._typical, self._everyone = arrays["typical"], arrays["everyone"]
        self._metadata: bool = facts["metadata"]
        self._style_dim = len(model.parts.linears["manner"].centre) - len(PICTURE_ONLY)
        self.threshold = model.threshold.value
        self.notes: tuple[str, ...] = tuple(facts["notes"])

    @classmethod
    def load(cls, folder: Path, visual: Space, style: Space | None) -> Classifier:
        """The model in ``folder``.

        Args:
            visual, style: the spaces of the vectors that it will be asked about.

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
        """
        Args:
            features: float32 ``(78,)``, NaN for what is absent.
            visual, style: float32 ``(dim,)``, unit length; no style when the photo has none.
        """
        photo = self._inputs(features[None], visual[None], None if style is None else style[None])
        given = {answer: probabilities[0] for answer, probabilities in self._model.answers(photo).items()}
        best, threshold = int(given["all"].argmax()), float(self._model.thresholds(photo)[0])
        trees = self._model.parts.trees
        reasons = reasons_of(trees, photo, best, self._typical[best], self._everyone) if trees else ()
        notes = []
        if self._style_dim and np.isnan(photo.style).any():
            notes.append(NO_STYLE)
        if np.isnan(features).all():
            notes.append(NO_FEATURES)
        return Verdict(
            candidates=self._candidates(given["all"]),
            unknown=bool(given["all"][best] < threshold),
            threshold=threshold,
            reasons=reasons,
            by_style=self._candidates(given["style"]),
            by_subject=self._candidates(given["subject"]),
            notes=tuple(notes),
        )

    def probabilities(self, photos: PhotoSet) -> NDArray[np.float64]:
        """Calibrated, float64 ``(n, photographers)`` in the order of ``names``."""
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


def _search(learnt: Learnable, inputs: Inputs, options: TrainOptions, progress: Progress) -> Search | None:
    if options.seconds <= 0 or len(learnt.names) > MOST_FOR_TREES:
        return None
    progress.say(f"Searching CatBoost's settings for {options.seconds:.0f} seconds")
    folds = grouped_folds(learnt.labels, learnt.groups, INNER_FOLDS, options.seed)
    return search_settings(
        inputs, learnt.labels, folds, options.seconds, seed=options.seed, threads=options.threads, progress=progress
    )


def _facts(
    model: Ensemble,
    learnt: Learnable,
    options: TrainOptions,
    plan: Plan,
    found: Search | None,
    notes: tuple[str, ...],
) -> Mapping[str, Any]:
    photos, trees = learnt.photos, model.parts.trees
    return {
        "photographers": learnt.names,
        "visual": photos.visual_space.fingerprint,
        "style": photos.style_space.fingerprint if photos.style_space else None,
        "features": REVISION,
        "digest": photos.digest,
        "photos": len(photos),
        "metadata": options.metadata,
        "seed": options.seed,
        "settings": asdict(plan.settings),
        "search": asdict(found) if found else None,
        "threshold": asdict(model.threshold),
        "weights": model.weights,
        "shares": model.shares.tolist(),
        "components": {name: part.explained for name, part in trees.components.items()} if trees else None,
        "present": trees.present.tolist() if trees else None,
        "notes": notes,
    }


def _save(folder: Path, model: Ensemble, learnt: Learnable, inputs: Inputs) -> None:
    arrays: dict[str, NDArray[Any]] = {
        "everyone": medians(inputs.features),
        "typical": np.stack([medians(inputs.features[learnt.labels == at]) for at in range(len(learnt.names))]),
    }
    for part, linear in model.parts.linears.items():
        arrays |= {f"{part}_{name}": values for name, values in linear.arrays().items()}
    arrays |= {f"familiar_{name}": values for name, values in model.parts.familiarity.arrays().items()}
    if model.parts.trees is not None:
        for name, components in model.parts.trees.components.items():
            arrays |= {f"components_{name}_mean": components.mean, f"components_{name}_axes": components.axes}
        model.parts.trees.save(folder / TREES)
    write_arrays(folder / ARRAYS, arrays)
    write_out_of_fold(folder, learnt.names, learnt.photos.ids, model.out_of_fold)


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
    familiar = Familiarity(arrays["familiar_centre"], arrays["familiar_scale"], arrays["familiar_rows"])
    return Ensemble(
        Parts(linears, trees, familiar),
        {answer: facts["weights"][answer] for answer in ANSWERS},
        np.array(facts["shares"]),
        Threshold(**facts["threshold"]),
        np.empty((0, len(facts["photographers"]))),
    )
