"""Training of the photographer classifier from credited photos, and the files that it writes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from search.photographers.classifier.ensemble import Ensemble, Inputs
from search.photographers.classifier.model_files import (
    ARRAYS,
    REPORT,
    TREES,
    write_arrays,
    write_manifest,
    write_out_of_fold,
)
from search.photographers.classifier.reasons import medians
from search.photographers.classifier.trees import TreeSettings
from search.photographers.photos.dataset import PhotoSet
from search.photographers.photos.features import REVISION
from search.photographers.photos.splits import grouped_folds
from workers.photographers.classifier.fit_ensemble import INNER_FOLDS, MOST_FOR_TREES, Plan, fit_ensemble
from workers.photographers.classifier.measure import measure
from workers.photographers.classifier.options import TrainOptions
from workers.photographers.classifier.progress import Progress
from workers.photographers.classifier.training_set import Learnable, learnable
from workers.photographers.classifier.tuning import Search, search_settings


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
        measured = measure(learnt, options, plan, found, progress)
        report = replace(measured, threshold=model.threshold.value)  # the folds had others
        report.save(folder / REPORT)
        notes += [warning for warning in report.warnings if warning not in notes]
    progress.check()
    write_manifest(folder, _facts(model, learnt, options, plan, found, tuple(notes)))
    return TrainResult(folder, learnt.names, len(learnt.photos), model.threshold.value, tuple(notes))


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
