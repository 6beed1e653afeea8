"""Training of the photographer classifier from credited photos."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from search.photographers.answers import Basis
from search.photographers.classifier.ensemble import Inputs
from search.photographers.classifier.model_files import REPORT
from search.photographers.photos.dataset import PhotoSet
from workers.photographers.classifier.baselines import PUBLISHED
from workers.photographers.classifier.fitting.ensemble import fit_ensemble
from workers.photographers.classifier.fitting.trees import MOST_FOR_TREES, CalibratedTrees, fit_published
from workers.photographers.classifier.leakage_checks import evidence_checks
from workers.photographers.classifier.measure import measure
from workers.photographers.classifier.model_writer import manifest_facts, save_model, write_manifest
from workers.photographers.classifier.options import ClassifierOptions
from workers.photographers.classifier.progress import TrainingProgress
from workers.photographers.classifier.training_set import TrainingSet, training_set


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
    inputs = Inputs.of(training.photos)
    say(f"Learning from {len(training.photos):,} photos by {len(training.names):,} photographers")
    model = fit_ensemble(inputs, training.labels, len(training.names), training.shoots, options.seed, progress)
    notes = list(training.notes)
    folder.mkdir(parents=True, exist_ok=True)
    trees = None
    if options.trees and len(training.names) > MOST_FOR_TREES:
        notes.append(f"No trees were grown: that is done for at most {MOST_FOR_TREES} photographers.")
    elif options.trees:
        say("Growing trees over features and embedding")
        trees = _trees(training, inputs, options, progress)
    save_model(folder, model, training, trees)
    threshold = model.rules[Basis.PICTURE].threshold
    checks, trees_accuracy = evidence_checks(training, options.seed, progress), None
    if options.report:
        measured = measure(training, options, checks, progress)
        report = replace(measured, threshold=threshold.value)  # the folds had others
        report.save(folder / REPORT)
        trees_accuracy = next((row.accuracy for row in report.ablation if row.name == PUBLISHED), None)
        notes += [warning for warning in report.warnings if warning not in notes]
    progress.check()
    facts = manifest_facts(model, training, options.seed, notes, checks, trees, trees_accuracy)
    write_manifest(folder, facts)
    return TrainedClassifier(folder, training.names, len(training.photos), threshold.value, tuple(notes))


def _trees(
    training: TrainingSet, inputs: Inputs, options: ClassifierOptions, progress: TrainingProgress
) -> CalibratedTrees | None:
    return fit_published(
        inputs,
        training.labels,
        len(training.names),
        training.shoots.shoots,
        options.seed,
        options.threads,
        progress,
    )
