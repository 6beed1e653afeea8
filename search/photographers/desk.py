"""The photographers' desk: what pages, API and command line ask about photographers, answered from one place.

A process has one. It holds what would take too long to read for every question: the photos of the library as a
:class:`~search.photographers.dataset.PhotoSet`, read anew when a job has changed something, and the trained models.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from search.errors import NotFoundError
from search.photographers.answers import (
    Alike,
    PhotographerListed,
    PhotographerMap,
    PhotographerShown,
    Prediction,
)
from search.photographers.models import ModelKind, Shelf, untrained
from search.questions import Probe
from search.store.base import Store

if TYPE_CHECKING:
    from search.photographers.dataset import PhotoSet


@dataclass(frozen=True, slots=True)
class LibraryState:
    """What tells whether the library may have changed; both parts need only compare.

    Attributes:
        settled: of jobs that have ended. What they did is to be seen at once.
        moving: of jobs in work, which change something every second; that is looked at now and then.
    """

    settled: object
    moving: object


class Desk:
    """Answers about photographers. Safe to use from several threads.

    Args:
        shelf: where trained models are.
        as_of: asked for every question.
    """

    def __init__(self, store: Store, shelf: Shelf, as_of: Callable[[], LibraryState]) -> None:
        self._store, self._shelf, self._as_of = store, shelf, as_of
        self._reading = threading.Lock()
        self._read: tuple[LibraryState, PhotoSet] | None = None

    def list(self) -> tuple[PhotographerListed, ...]:
        """Everyone, those with most photos first; empty while no photo has a photographer."""
        raise NotFoundError("No photographer is known yet.", LABEL_HINT)

    def show(self, who: str) -> PhotographerShown:
        """Everything about one photographer.

        Args:
            who: id or name.

        Raises:
            NotFoundError: there is no such photographer.
        """
        raise NotFoundError(f"There is no photographer '{who}'.", LIST_HINT)

    def alike(self, who: str) -> tuple[Alike, ...]:
        """Who works alike, most alike first, by each of ``style``, ``subject`` and, once trained, ``joint``.

        Raises:
            NotFoundError: there is no such photographer.
        """
        raise NotFoundError(f"There is no photographer '{who}'.", LIST_HINT)

    def predict(self, probe: Probe) -> Prediction:
        """Whose photo is this?

        Raises:
            NotFoundError: no classifier has been trained.
            SpaceMismatchError: it was trained on vectors of another model than those in the store now.
            UsageError: the probe is no picture.
        """
        raise untrained(ModelKind.CLASSIFIER)

    def report(self) -> Mapping[str, object]:
        """What the classifier in use is worth: its ``report.json``.

        Raises:
            NotFoundError: none has been trained.
        """
        raise untrained(ModelKind.CLASSIFIER)

    def map(self) -> PhotographerMap:
        """Photographers in two dimensions: by the joint model, once that is trained, and by their profiles."""
        raise NotFoundError("No photographer is known yet.", LABEL_HINT)


LABEL_HINT = "Say who took what: `likewise photographers label --from exif` (or folder, csv, kmeans)."
LIST_HINT = "`likewise photographers list` shows those there are."
