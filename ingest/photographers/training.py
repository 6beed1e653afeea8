"""The job tasks ``train_photographers`` and ``train_joint``: from the library's photos to a model in use.

Their options are texts: ``seconds``, for the part of a training that takes as long as it may, ``seed``, and ``report``,
which is ``no`` where a classifier is wanted soon and what it is worth need not be known. What a training makes replaces
the model in use only once it is whole; cut off anywhere, the job begins anew.
"""

from __future__ import annotations

import math
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

from ingest.jobs.tasks import TaskRun
from search.errors import StoreError, UsageError
from search.media import Kind
from search.photographers.model_registry import ModelKind, version_name
from search.photographers.photos.dataset import PhotoSet, read_photos
from search.photographers.service import LABEL_HINT
from search.photographers.training_summary import told
from search.settings import Settings
from search.store.base import Store
from search.store.durable import check_space
from search.store.filters import Filter
from workers.storage.shared_place import TRAINING
from workers.training.request import PHOTOS, Trained, Trainer, TrainingOrder
from workers.training.shared_models import SharedShelf

TASK_OF = {ModelKind.CLASSIFIER: "train_photographers", ModelKind.JOINT: "train_joint"}
"""Names of the tasks."""

LEAST_PHOTOGRAPHERS = 2


def train_on(
    settings: Settings, trainer: Trainer, photos: PhotoSet, order: TrainingOrder, scratch: Path, job: TaskRun
) -> Trained | None:
    """Train on these photos in ``scratch``, which is cleared first; None when the job was stopped.

    Raises:
        StoreError: the disk refuses.
        LikewiseError: as ``workers.training.request.Trainer``.
    """
    shutil.rmtree(scratch, ignore_errors=True)
    check_space(settings.home, photos.features.nbytes + photos.visual.nbytes + photos.style.nbytes)
    try:
        scratch.mkdir(parents=True)
        photos.save(scratch / PHOTOS)
    except OSError as error:
        raise StoreError(f"{scratch} cannot be written: {error.strerror or error}.") from error
    return trainer.train(scratch, order, job.say, lambda: not job.stopped)


class Train:
    """One of these tasks.

    Args:
        trainer: asked for what trains when a job begins.
    """

    def __init__(self, settings: Settings, store: Store, trainer: Callable[[], Trainer], kind: ModelKind) -> None:
        self._settings, self._store, self._trainer, self._kind = settings, store, trainer, kind
        self._shelf = SharedShelf(settings)

    def check(self, options: Mapping[str, str]) -> str:
        """
        Raises:
            UsageError: an option is no such number; or fewer than two photographers are known.
        """
        order = self._order(options)
        self._check_photographers()
        what = "classifier" if self._kind is ModelKind.CLASSIFIER else "photographer space"
        return what if order.seconds is None else f"{what}, {order.seconds:g} s"

    def run(self, options: Mapping[str, str], job: TaskRun) -> str:
        order = self._order(options)
        scratch = self._settings.home / TRAINING / job.id
        try:
            while job.goes_on():  # what was stopped by a pause begins anew
                job.say("Reading the photos.")
                photos = read_photos(self._store)
                job.begin(int(photos.labelled.sum()))
                trained = train_on(self._settings, self._trainer(), photos, order, scratch, job)
                if trained is not None:
                    job.say("Putting the model in place.")
                    message = told(self._kind, trained.folder, trained.notes)
                    self._shelf.publish(self._kind, version_name(photos.digest), trained.folder)
                    job.count(done=int(photos.labelled.sum()))
                    return message
            return "Nothing was changed; the model of before stays in use."
        finally:
            shutil.rmtree(scratch, ignore_errors=True)

    def _order(self, options: Mapping[str, str]) -> TrainingOrder:
        seconds, seed, report = (options.get(name, "") for name in ("seconds", "seed", "report"))
        if report not in ("", "no"):
            raise UsageError(f"'{report}' says nothing of a report.", "It takes 'no', or nothing.")
        if seed and not (seed.isdecimal() and len(seed) <= 9):
            raise UsageError(f"'{seed}' is no seed.", "It takes a whole number from 0 on.")
        allowed = self._seconds(seconds) if seconds else None
        return TrainingOrder(self._kind, allowed, int(seed or 0), report=report != "no")

    def _seconds(self, text: str) -> float:
        try:
            seconds = float(text)
        except ValueError:
            seconds = math.nan
        least = 0.0 if self._kind is ModelKind.CLASSIFIER else 1.0
        if not least <= seconds <= self._settings.train_seconds:
            raise UsageError(
                f"A training cannot be given {text} seconds.",
                f"From {least:g} to {self._settings.train_seconds:g} will do; LIKEWISE_TRAIN_SECONDS sets the most.",
            )
        return seconds

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
