"""Job task ``place_photographer``: fold a new photographer into the existing space."""

from __future__ import annotations

import shutil
from collections.abc import Callable

from ingest.jobs.kinds import FoldInOptions
from ingest.jobs.tasks import TaskRun
from ingest.photographers.training import train_on
from search.errors import UsageError
from search.photographers.aliases import Aliases, renamed_space
from search.photographers.model_registry import ModelKind, untrained, version_name
from search.photographers.photos.dataset import read_photos
from search.photographers.space import PhotographerSpace
from search.settings import Settings
from search.store.base import Store
from search.store.filters import Filter
from workers.storage.shared_place import TRAINING
from workers.training.request import Trainer, TrainingOrder
from workers.training.shared_models import SharedModels

NAMED = 3
"""So many similar photographers are named at the end."""


class FoldIn:
    """The task ``place_photographer``.

    Args:
        trainer: called when a job begins, for what folds in.
        aliases: former names of photographers, each with the present name.
    """

    def __init__(
        self, settings: Settings, store: Store, trainer: Callable[[], Trainer], aliases: Callable[[], Aliases] = dict
    ) -> None:
        self._settings, self._store, self._trainer, self._aliases = settings, store, trainer, aliases
        self._models = SharedModels(settings)

    def check(self, options: FoldInOptions) -> str:
        """Check that the photographer can be folded in; the job's title.

        Raises:
            NotFoundError: there is no photographer space yet.
            UsageError: the space was learnt from their photos.
        """
        name = options.photographer
        version = self._models.current(ModelKind.JOINT)
        if version is None:
            raise untrained(ModelKind.JOINT)
        space = renamed_space(PhotographerSpace.load(self._models.folder(ModelKind.JOINT, version)), self._aliases())
        if name in space.trained:
            raise UsageError(
                f"The photographer space was learnt from {name}, among others.",
                "`likewise photographers similar` says who works alike; `train --joint` takes new photos into account.",
            )
        return name

    def run(self, options: FoldInOptions, job: TaskRun) -> str:
        """Fold the photographer in, and publish the space.

        Raises:
            LikewiseError: it failed; the space in use stays.
        """
        name = options.photographer
        scratch = self._settings.home / TRAINING / job.id
        try:
            while job.goes_on():  # a run that a pause has stopped starts again
                photos = read_photos(self._store, Filter(photographers=(name,)))
                job.begin(len(photos))
                order = TrainingOrder(ModelKind.JOINT, place=name)
                trained = train_on(self._settings, self._trainer(), photos, order, scratch, job)
                if trained is not None:
                    message = _summary(renamed_space(PhotographerSpace.load(trained.folder), self._aliases()), name)
                    self._models.publish(ModelKind.JOINT, version_name(photos.digest), trained.folder)
                    job.count(done=len(photos))
                    return " ".join([message, *trained.notes])
            return "Nobody was placed."
        finally:
            shutil.rmtree(scratch, ignore_errors=True)


def _summary(space: PhotographerSpace, name: str) -> str:
    alike = ", ".join(f"{one.name} ({100 * one.similarity:.0f} %)" for one in space.similar(name, NAMED))
    return f"{name} has a place in the photographer space. Most alike: {alike}."
