"""A worker's side of training for somebody else; see ``workers.training.remote``."""

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
from workers.cluster.serialization import Json, error_to_json
from workers.storage.shared_place import SharedPlace, shared_place
from workers.training.local import ChildTrainer
from workers.training.request import PHOTOS, Trainer, TrainingOrder

log = logging.getLogger(__name__)

ANSWER_FILES = "files"
ASK_SECONDS = 2.0
"""How often the broker is asked whether the training is still wanted."""


def wanted_name(there: str) -> str:
    """Under which it is noted with the broker which task is wanted of a training; empty when none is any more."""
    return f"wanted-{there}"


def said_name(there: str) -> str:
    """Under which a training's worker notes what it is doing."""
    return f"said-{there}"


def serve_training(
    settings: Settings, broker: Broker, question: Json, make: Callable[[Settings], Trainer] = ChildTrainer
) -> Json:
    """Train as ``RemoteTrainer`` asks.

    Args:
        question: ``{"task", "there", "order"}``: the task's id, where the photos are in the shared place, and a
            ``TrainingOrder``.

    Returns:
        ``{"at", "files", "notes"}``: where in the shared place the model's files are; or ``{"stopped": true}``; or
        ``{"error"}``.
    """
    task, there = question["task"], question["there"]
    wanted = TrainingWanted(broker, there, task)
    place = shared_place(settings)
    with at_work(job=task.split(":")[1]), tempfile.TemporaryDirectory(prefix="likewise-training-") as made:
        folder = Path(made)
        try:
            if not wanted():
                return {"stopped": True}
            place.fetch(f"{there}/{PHOTOS}", folder / PHOTOS)
            order = TrainingOrder.from_json(question["order"])
            trained = make(settings).train(folder, order, _teller(broker, there), wanted)
            if trained is None:
                return {"stopped": True}
            at = f"{there}/{uuid.uuid4().hex}"
            return {"at": at, ANSWER_FILES: _put(place, trained.folder, at), "notes": list(trained.notes)}
        except FileNotFoundError:  # whoever ordered it has cleared up
            return {"stopped": True}
        except LikewiseError as error:
            log.warning("The training ended: %s", error)
            return {"error": error_to_json(error)["error"]}
        except OSError as error:
            return error_to_json(StoreError(f"The worker's disk refused: {error}."))


class TrainingWanted:
    """Whether the training is still wanted. A broker that is away, or has forgotten, is no reason to end it."""

    def __init__(self, broker: Broker, there: str, task: str) -> None:
        self._broker, self._name, self._task = broker, wanted_name(there), task.encode()
        self._asked = -ASK_SECONDS
        self._answer = True

    def __call__(self) -> bool:
        if self._answer and time.monotonic() - self._asked > ASK_SECONDS:
            self._asked = time.monotonic()
            with suppress(BrokerUnavailableError):
                self._answer = self._broker.get(self._name) in (None, self._task)
        return self._answer


def _teller(broker: Broker, there: str) -> Callable[[str], None]:
    def say(text: str) -> None:
        log.info("%s", text)
        with suppress(BrokerUnavailableError):
            broker.put(said_name(there), text.encode())

    return say


def _put(place: SharedPlace, folder: Path, at: str) -> list[str]:
    names = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    for name in names:
        place.add(folder / name, f"{at}/{name}")
    return names
