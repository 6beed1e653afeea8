"""Training of the photographer classifier from credited photos."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from search.photographers.classifier.ensemble import Inputs
from search.photographers.classifier.model_files import REPORT
from search.photographers.photos.dataset import PhotoSet
from workers.photographers.classifier.fitting.ensemble import INNER_FOLDS, MOST_FOR_TREES, FitOptions, fit_ensemble
from workers.photographers.classifier.fitting.splits import grouped_folds
from workers.photographers.classifier.fitting.trees import TreeSettings
from workers.photographers.classifier.measure import measure
from workers.photographers.classifier.model_writer import manifest_facts, save_model, write_manifest
from workers.photographers.classifier.options import ClassifierOptions
from workers.photographers.classifier.progress import TrainingProgress
from workers.photographers.classifier.training_set import TrainingSet, training_set
from workers.photographers.classifier.tuning import SearchResult, search_settings


@dataclass(frozen=True, slots=True)
class TrainedClassifier:
    """Result of a training.

    Attributes:
        photographers: names that the model predicts, sorted.
        photos: number of training photos.
        notes: what was left out or bounded, in sentences for people.
    """

    folder: Path
    photographers: tuple[str, ...]
    photos: int
    threshold: float
    notes: tuple[str, ...]


def train(
    photos: PhotoSet,
    options: ClassifierOptions,
    folder: Path,
    say: Callable[[str], object] = lambda text: None,
    goes_on: Callable[[], bool] = lambda: True,
) -> TrainedClassifier:
    """Train on the credited photos of ``photos`` and write the model into ``folder``, which is made: see
    ``search.photographers.classifier.model_files``.

    Args:
        say: called with what is being done, in a few words.
        goes_on: whether to go on; called often, also from within CatBoost.

    Raises:
        UsageError: there are not enough credited photos; the message says what is lacking.
        TrainingStoppedError: ``goes_on`` said no.
    """
    progress = TrainingProgress(say, goes_on)
    say("Looking at which photos belong together")
    training = training_set(photos, options.seed)
    inputs = Inputs.of(training.photos, metadata=options.metadata)
    search = _search(training, inputs, options, progress)
    fit_options = FitOptions(search.settings if search else TreeSettings(), options.seed, options.threads)
    say(f"Learning from {len(training.photos):,} photos by {len(training.names):,} photographers")
    model = fit_ensemble(inputs, training.labels, len(training.names), training.groups, fit_options, progress)
    notes = list(training.notes)
    if model.parts.trees is not None:
        kept = model.parts.trees.components["visual"]
        notes.append(f"{len(kept.axes)} principal components keep {kept.explained:.1%} of the variance of 'visual'.")
    folder.mkdir(parents=True, exist_ok=True)
    save_model(folder, model, training, inputs)
    if options.report:
        measured = measure(training, options, fit_options, search, progress)
        report = replace(measured, threshold=model.threshold.value)  # the folds had others
        report.save(folder / REPORT)
        notes += [warning for warning in report.warnings if warning not in notes]
    progress.check()
    write_manifest(folder, manifest_facts(model, training, options, fit_options, search, tuple(notes)))
    return TrainedClassifier(folder, training.names, len(training.photos), model.threshold.value, tuple(notes))


def _search(
    training: TrainingSet, inputs: Inputs, options: ClassifierOptions, progress: TrainingProgress
) -> SearchResult | None:
    if options.seconds <= 0 or len(training.names) > MOST_FOR_TREES:
        return None
    progress.say(f"Searching CatBoost's settings for {options.seconds:.0f} seconds")
    folds = grouped_folds(training.labels, training.groups, INNER_FOLDS, options.seed)
    return search_settings(
        inputs, training.labels, folds, options.seconds, seed=options.seed, threads=options.threads, progress=progress
    )
