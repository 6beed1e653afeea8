"""Job tasks ``train_photographers`` and ``train_joint``: train a model on the library's photos.

A trained model replaces the one in use only once it is complete; a job that is cut off anywhere starts again.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from ingest.jobs.kinds import JobKind, TrainOptions
from ingest.jobs.tasks import TaskRun
from search.errors import StoreError, UsageError
from search.media import Kind
from search.photographers.model_registry import ModelKind, version_name
from search.photographers.photos.dataset import PhotoSet
from search.photographers.photos.sample import census, read_sample
from search.photographers.service import LABEL_HINT
from search.photographers.space import LOGS, PLOTS
from search.photographers.training_summary import training_summary
from search.settings import Settings
from search.store.base import Store
from search.store.durable import check_space
from search.store.filters import Filter
from workers.storage.shared_place import TRAINING
from workers.training.request import PHOTOS, Trained, Trainer, TrainingOrder
from workers.training.shared_models import SharedModels

TASK_OF = {ModelKind.CLASSIFIER: JobKind.TRAIN_CLASSIFIER, ModelKind.JOINT: JobKind.TRAIN_JOINT}
"""The kind of job that trains each model."""

LEAST_PHOTOGRAPHERS = 2

MOST_PHOTOS = {ModelKind.CLASSIFIER: 20_000, ModelKind.JOINT: 8_000}
"""Photos at most that each model is learnt from, as many as ``workers`` looks at: of more a stratified sample is read,
so that the memory that a training takes does not grow with the library."""


def train_on(
    settings: Settings, trainer: Trainer, photos: PhotoSet, order: TrainingOrder, scratch: Path, job: TaskRun
) -> Trained | None:
    """Train on these photos in the folder ``scratch``, which is cleared first; None when the job was stopped.

    Raises:
        StoreError: the folder cannot be written.  DiskFullError: the disk has too little room.
        LikewiseError: as ``workers.training.request.Trainer``.
    """
    shutil.rmtree(scratch, ignore_errors=True)
    check_space(
        settings.home, photos.features.nbytes + photos.visual.nbytes + photos.style.nbytes + photos.appearance.nbytes
    )
    try:
        scratch.mkdir(parents=True)
        photos.save(scratch / PHOTOS)
    except OSError as error:
        raise StoreError(f"{scratch} cannot be written: {error.strerror or error}.") from error
    return trainer.train(scratch, order, job.say, lambda: not job.stopped)


class Train:
    """The task that trains a model of one kind.

    Args:
        trainer: called when a job begins, for what trains.
    """

    def __init__(self, settings: Settings, store: Store, trainer: Callable[[], Trainer], kind: ModelKind) -> None:
        self._settings, self._store, self._trainer, self._kind = settings, store, trainer, kind
        self._models = SharedModels(settings)

    def check(self, options: TrainOptions) -> str:
        """Check that a training is possible; the job's title.

        Raises:
            UsageError: ``seconds`` is out of range, or fewer than two photographers are known.
        """
        order = self._order(options)
        self._check_photographers()
        what = "classifier" if self._kind is ModelKind.CLASSIFIER else "photographer space"
        return what if order.seconds is None else f"{what}, {order.seconds:g} s"

    def run(self, options: TrainOptions, job: TaskRun) -> str:
        """Train, and publish the model.

        Raises:
            LikewiseError: the training failed; the model in use stays.
        """
        order = self._order(options)
        scratch = self._settings.home / TRAINING / job.id
        try:
            while job.goes_on():  # a training that a pause has stopped starts again
                job.say("Reading the photos.")
                known = census(self._store)
                photos = read_sample(self._store, known, MOST_PHOTOS[self._kind], credited=True, seed=order.seed)
                job.begin(int(photos.labelled.sum()))
                trained = train_on(self._settings, self._trainer(), photos, order, scratch, job)
                if trained is not None:
                    job.say("Putting the model in place.")
                    notes = (*_sampled(len(photos), known.credited), *trained.notes)
                    message = training_summary(self._kind, trained.folder, notes)
                    version = self._models.publish(self._kind, version_name(photos.digest), trained.folder)
                    place = self._models.folder(self._kind, version)
                    if self._kind is ModelKind.JOINT:
                        message += f" Its plots lie in {place / PLOTS}, its TensorBoard logs in {place / LOGS}."
                    else:
                        message += f" Its files lie in {place}."
                    job.count(done=int(photos.labelled.sum()))
                    return message
            return "Nothing was changed; the model of before stays in use."
        finally:
            shutil.rmtree(scratch, ignore_errors=True)

    def _order(self, options: TrainOptions) -> TrainingOrder:
        least, most = 0.0 if self._kind is ModelKind.CLASSIFIER else 1.0, self._settings.train_seconds
        if options.seconds is not None and not least <= options.seconds <= most:
            raise UsageError(
                f"A training cannot be given {options.seconds:g} seconds.",
                f"From {least:g} to {most:g} will do; LIKEWISE_TRAIN_SECONDS sets the most.",
            )
        seconds = options.seconds if self._kind is ModelKind.JOINT else None  # a classifier takes what it takes
        return TrainingOrder(self._kind, seconds, options.seed, report=options.report)

    def _check_photographers(self) -> None:
        images = Kind.IMAGE.collection
        if images not in self._store.collections():
            raise UsageError("There are no pictures in this library yet.", "Ingest some: `likewise ingest FOLDER`.")
        known = self._store.facet(images, "photographer", where=Filter(), limit=LEAST_PHOTOGRAPHERS)
        if not known:
            raise UsageError("No photo is credited to anybody, so there is nothing to learn.", LABEL_HINT)
        if len(known) < LEAST_PHOTOGRAPHERS:
            raise UsageError(
                f"All photos that are credited are by {known[0].value}: there is nobody to tell them from.", LABEL_HINT
            )


def _sampled(photos: int, credited: int) -> tuple[str, ...]:
    if photos >= credited:
        return ()
    return (
        f"It was learnt on a stratified sample: {photos:,} of {credited:,} credited photos, an even share of each.",
    )
