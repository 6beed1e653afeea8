"""Training by a worker for another process; ``workers.training.remote`` is the other side."""

from __future__ import annotations

import logging
import re
import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from search.bounds import storable
from search.errors import BrokerUnavailableError, LikewiseError, StoreError
from search.logs import at_work
from search.settings import Settings
from search.store.temporary_folders import temporary_folder
from workers.cluster.broker import Broker
from workers.cluster.checks import as_name, as_text, refuse
from workers.cluster.serialization import check_version, error_to_json
from workers.cluster.signing import Json
from workers.storage.shared_place import TRAINING, SharedPlace, shared_place
from workers.training.local import ChildTrainer
from workers.training.request import PHOTOS, Trainer, TrainingOrder

log = logging.getLogger(__name__)

ANSWER_FILES = "files"
MOST_NOTES = 100
ASK_SECONDS = 2.0
"""Interval at which the broker is asked whether the training is still wanted."""


_PREFIX = re.compile(rf"{TRAINING}/[0-9a-f]{{12}}-[A-Za-z0-9]{{1,40}}")
"""Prefix of a training's files: the origin of its ledger, and its job."""

_FOLDER = re.compile(r"[0-9a-f]{32}")


def folder_of_model(value: object, prefix: str) -> str:
    """Prefix of a model's files that an answer names: a folder with a random name in that of its training.

    Raises:
        MessageRefusedError: it is elsewhere.
    """
    at = as_text(value, "folder of a model")
    return at if at.startswith(f"{prefix}/") and _FOLDER.fullmatch(at[len(prefix) + 1 :]) else refuse("folder", at)


def wanted_name(prefix: str) -> str:
    """Broker key of the task that is wanted of a training; its value is empty when none is any more."""
    return f"wanted-{prefix}"


def progress_name(prefix: str) -> str:
    """Broker key of a training's last progress message."""
    return f"said-{prefix}"


def serve_training(
    settings: Settings, broker: Broker, question: Json, make: Callable[[Settings], Trainer] = ChildTrainer
) -> Json:
    """Train as ``RemoteTrainer`` asks.

    Args:
        question: ``{"version", "task", "there", "order"}``: version of the message, the task's id, prefix of the
            photos in the shared place, and a ``TrainingOrder``.

    Returns:
        ``{"at", "files", "notes"}``: prefix of the model's files in the shared place; or ``{"stopped": true}``; or
        ``{"error"}``.
    """
    try:
        check_version(question)
        task, prefix = as_name(question.get("task"), "task"), as_text(question.get("there"), "folder")
        if not _PREFIX.fullmatch(prefix):
            refuse("folder", prefix)
        order = TrainingOrder.from_message(question.get("order"))
    except LikewiseError as error:
        log.error("A training is refused: %s", error)
        return error_to_json(error)
    wanted = TrainingWanted(broker, prefix, task)
    place = shared_place(settings)
    with at_work(job=prefix.rpartition("-")[2]), temporary_folder("likewise-training-") as folder:
        try:
            if not wanted():
                return {"stopped": True}
            place.fetch(f"{prefix}/{PHOTOS}", folder / PHOTOS)
            trained = make(settings).train(folder, order, _progress(broker, prefix), wanted)
            if trained is None:
                return {"stopped": True}
            at = f"{prefix}/{uuid.uuid4().hex}"
            notes = [storable(note) for note in trained.notes[:MOST_NOTES]]
            return {"at": at, ANSWER_FILES: _upload(place, trained.folder, at), "notes": notes}
        except FileNotFoundError:  # the ordering process has deleted the photos
            return {"stopped": True}
        except LikewiseError as error:
            log.warning("The training ended: %s", error)
            return error_to_json(error)
        except OSError as error:
            return error_to_json(StoreError(f"The worker's disk refused: {error}."))


class TrainingWanted:
    """Whether the training is still wanted. An unreachable broker, or one without the key, does not end it."""

    def __init__(self, broker: Broker, prefix: str, task: str) -> None:
        self._broker, self._name, self._task = broker, wanted_name(prefix), task
        self._asked = -ASK_SECONDS
        self._answer = True

    def __call__(self) -> bool:
        if self._answer and time.monotonic() - self._asked > ASK_SECONDS:
            self._asked = time.monotonic()
            with suppress(BrokerUnavailableError):
                self._answer = self._broker.get(self._name) in (None, self._task)
        return self._answer


def _progress(broker: Broker, prefix: str) -> Callable[[str], None]:
    def say(text: str) -> None:
        log.info("%s", text)
        with suppress(BrokerUnavailableError):
            broker.put(progress_name(prefix), storable(text))

    return say


def _upload(place: SharedPlace, folder: Path, at: str) -> list[str]:
    """Names of the files, once all are there."""
    names = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    for name in names:
        place.add(folder / name, f"{at}/{name}")
    return names
