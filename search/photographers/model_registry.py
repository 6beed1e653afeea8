"""Registry of trained models: versions, the one in use, and its loading.

    models/photographers/<kind>/<version>/…      what one training wrote
    models/photographers/<kind>/current.json     names the version in use; changed only once that is complete

The place is the one that web and workers share (``Settings.shared_place``), so that every process uses the same model.
``workers.training.shared_models`` reads and writes it; this module holds what queries need.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Generic, Protocol, TypeVar

from search.errors import NotFoundError

FOLDER = "models/photographers"
CURRENT = "current.json"
LAYOUT = 1
"""Version of :data:`CURRENT`. A file without one, of version 0.1.0, has layout 1; a newer one is refused."""

KEPT_VERSIONS = 3
"""Versions kept of each kind, the one in use among them: a process may still be reading the one before."""

_VERSION = re.compile(r"\d{8}T\d{6}-[0-9a-f]{8}")

T = TypeVar("T")


class ModelKind(StrEnum):
    """``classifier`` predicts the photographer of a photo; ``joint`` is the model of the photographer space."""

    CLASSIFIER = "classifier"
    JOINT = "joint"

    @property
    def folder(self) -> str:
        """Below the shared place."""
        return f"{FOLDER}/{self.value}"


TRAIN_HINT = {
    ModelKind.CLASSIFIER: "Train one: `likewise photographers train`.",
    ModelKind.JOINT: "Train it: `likewise photographers train --joint`.",
}


@dataclass(frozen=True, slots=True)
class ModelVersion:
    """One trained model.

    Attributes:
        name: sorts by time; see :func:`version_name`.
        made: ISO 8601, UTC.
        files: its files, relative to its folder.
    """

    name: str
    made: str
    files: tuple[str, ...]


class ModelRegistry(Protocol):
    """Trained models as a process finds them."""

    def current(self, kind: ModelKind) -> ModelVersion | None:
        """The version in use; None before the first training. Cheap enough for every query.

        Raises:
            StoreError: the place cannot be read.
        """

    def folder(self, kind: ModelKind, version: ModelVersion) -> Path:
        """A folder of this machine with the version's files; they are fetched first, where the place is a bucket.

        Raises:
            NotFoundError: another version is in use by now and this one has been deleted.
            StoreError: the place cannot be read.
        """


class CurrentModel(Generic[T]):
    """The model in use: loaded on first use and again once another version is in use. Thread-safe."""

    def __init__(self, models: ModelRegistry, kind: ModelKind) -> None:
        self._models, self._kind = models, kind
        self._lock = threading.Lock()
        self._loaded: tuple[object, T] | None = None

    def get(self, load: Callable[[Path], T], against: object = None) -> T:
        """The model, loaded where that has not been done.

        Args:
            load: reads a version's folder.
            against: what the model is checked against as it is loaded; a change has it loaded again.

        Raises:
            NotFoundError: nothing has been trained yet.
            SpaceMismatchError: from ``load``, of a model that was trained on other vectors.
        """
        with self._lock:
            version = self._models.current(self._kind)
            if version is None:
                self._loaded = None
                raise untrained(self._kind)
            if self._loaded is None or self._loaded[0] != (version.name, against):
                self._loaded = None  # two at once need not fit into memory
                self._loaded = (version.name, against), load(self._models.folder(self._kind, version))
            return self._loaded[1]

    @property
    def version(self) -> str:
        """Name of the version in use; empty before the first training."""
        version = self._models.current(self._kind)
        return version.name if version else ""


def untrained(kind: ModelKind) -> NotFoundError:
    """The error of a query before the first training."""
    what = "No classifier has been trained" if kind is ModelKind.CLASSIFIER else "No photographer space has been made"
    return NotFoundError(f"{what} yet.", TRAIN_HINT[kind])


def version_name(digest: str, now: datetime | None = None) -> str:
    """Name of a version trained now on data of this digest (hex): ``20260131T115900-0f1e2d3c``."""
    return f"{now or datetime.now(UTC):%Y%m%dT%H%M%S}-{digest[:8]}"


def is_version(name: str) -> bool:
    """Whether a name is one of :func:`version_name`."""
    return _VERSION.fullmatch(name) is not None
