"""Training by a worker for another process; ``workers.training.remote`` is the other side."""

from __future__ import annotations

import logging
import tempfile
import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from search.errors import BrokerUnavailableError, LikewiseError, StoreError
from search.logs import at_work
from search.settings import Settings
from workers.cluster.broker import Broker
from workers.cluster.serialization import Json, check_version, error_to_json
from workers.storage.shared_place import SharedPlace, shared_place
from workers.training.local import ChildTrainer
from workers.training.request import PHOTOS, Trainer, TrainingOrder

log = logging.getLogger(__name__)

ANSWER_FILES = "files"
ASK_SECONDS = 2.0
"""Interval at which the broker is asked whether the training is still wanted."""


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
    task, prefix = question["task"], question["there"]
    wanted = TrainingWanted(broker, prefix, task)
    place = shared_place(settings)
    with at_work(job=task.split(":")[1]), tempfile.TemporaryDirectory(prefix="likewise-training-") as made:
        folder = Path(made)
        try:
            check_version(question)
            if not wanted():
                return {"stopped": True}
            place.fetch(f"{prefix}/{PHOTOS}", folder / PHOTOS)
            order = TrainingOrder.from_json(question["order"])
            trained = make(settings).train(folder, order, _progress(broker, prefix), wanted)
            if trained is None:
                return {"stopped": True}
            at = f"{prefix}/{uuid.uuid4().hex}"
            return {"at": at, ANSWER_FILES: _upload(place, trained.folder, at), "notes": list(trained.notes)}
        except FileNotFoundError:  # the ordering process has deleted the photos
            return {"stopped": True}
        except LikewiseError as error:
            log.warning("The training ended: %s", error)
            return {"error": error_to_json(error)["error"]}
        except OSError as error:
            return error_to_json(StoreError(f"The worker's disk refused: {error}."))


class TrainingWanted:
    """Whether the training is still wanted. An unreachable broker, or one without the key, does not end it."""

    def __init__(self, broker: Broker, prefix: str, task: str) -> None:
        self._broker, self._name, self._task = broker, wanted_name(prefix), task.encode()
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
            broker.put(progress_name(prefix), text.encode())

    return say


def _upload(place: SharedPlace, folder: Path, at: str) -> list[str]:
    """Names of the files, once all are there."""
    names = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    for name in names:
        place.add(folder / name, f"{at}/{name}")
    return names
