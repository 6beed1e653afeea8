"""Training by a worker: photos go to it by way of the shared place, and its model comes back by it.

Which task a job wants is noted with the broker, so that a task that was sent twice, was delivered twice, or is wanted
no more ends by itself, on whatever machine.
"""

from __future__ import annotations

import shutil
import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from celery import Celery, states
from celery.exceptions import SoftTimeLimitExceeded, TimeLimitExceeded, WorkerLostError

from search.errors import (
    BrokerUnavailableError,
    LikewiseError,
    StoreError,
    TrainingError,
    WorkerUnavailableError,
    error_of,
)
from search.settings import Settings
from workers.batch.report import Priority
from workers.cluster.app import PRIORITY, TRAIN, TRAIN_QUEUE
from workers.cluster.broker import Broker
from workers.cluster.serialization import Json
from workers.cluster.task_lookup import BROKER_ERRORS, broker_errors, find_tasks, unavailable, withdraw_tasks
from workers.cluster.task_queue import PUBLISHING, origin_of
from workers.storage.shared_place import TRAINING, shared_place
from workers.training.child import MEMORY_HINT
from workers.training.request import MODEL, PHOTOS, Trained, TrainingOrder
from workers.training.worker_side import ANSWER_FILES, said_name, wanted_name

REST_SECONDS = 0.5
LOOK_SECONDS = 20.0
"""How often a task that has not ended is looked for, and what is wanted is noted anew."""

LOOKS = 2
"""So many times in a row a task is nowhere to be found before it is taken to be lost."""

Say = Callable[[str], object]


class RemoteTrainer:
    """A ``workers.training.request.Trainer``. Each call has a task of its own."""

    def __init__(self, settings: Settings, app: Celery) -> None:
        self._app, self._broker = app, Broker(app)
        self._place = shared_place(settings)
        self._origin = origin_of(settings)

    def train(self, folder: Path, order: TrainingOrder, say: Say, goes_on: Callable[[], bool]) -> Trained | None:
        job = f"{self._origin}:{folder.name}:"
        there = f"{TRAINING}/{self._origin}-{folder.name}"
        task = job + uuid.uuid4().hex
        self._place.clear(there)  # of an earlier run that was killed
        withdraw_tasks(self._app, lambda other: other.startswith(job))
        self._place.add(folder / PHOTOS, f"{there}/{PHOTOS}")
        try:
            self._want(there, task)
            self._broker.put(said_name(there), b"")
            self._send(task, {"task": task, "there": there, "order": order.to_json()})
            meta = self._wait(task, there, say, goes_on)
            return None if meta is None else self._taken(meta, folder)
        finally:
            with suppress(BrokerUnavailableError):  # what is left there does no harm
                self._want(there, "")
                withdraw_tasks(self._app, task.__eq__)
                with broker_errors():
                    self._app.backend.forget(task)
            with suppress(StoreError):  # nor does this, and the model may be here by now
                self._place.clear(there)

    def _want(self, there: str, task: str) -> None:
        self._broker.put(wanted_name(there), task.encode())

    def _send(self, task: str, question: Json) -> None:
        # Not by send_task, which subscribes to the result: whoever polls never reads what the subscription brings.
        message = self._app.amqp.create_task_message(task, TRAIN, (question,), {}, argsrepr=task)
        with broker_errors(), self._app.producer_or_acquire() as producer:
            self._app.amqp.send_task_message(
                producer,
                TRAIN,
                message,
                queue=TRAIN_QUEUE,
                priority=PRIORITY[Priority.NORMAL],
                retry_policy=PUBLISHING,
            )

    def _wait(self, task: str, there: str, say: Say, goes_on: Callable[[], bool]) -> Json | None:
        """What the broker holds of the task once it has ended; None when ``goes_on`` said no.

        Raises:
            WorkerUnavailableError: it is nowhere any more.
        """
        told, looked, unseen = b"", time.monotonic(), 0
        heard = False
        while True:
            with broker_errors():
                meta: Json = self._app.backend.get_task_meta(task, cache=False)
            if meta["status"] in states.READY_STATES:
                return meta
            if not goes_on():
                return None
            if meta["status"] == states.PENDING and not heard:
                heard = self._is_heard(say)
            said = self._broker.get(said_name(there)) or b""
            if said != told:
                told = said
                say(said.decode("utf-8", "replace"))
            if time.monotonic() - looked > LOOK_SECONDS:
                looked = time.monotonic()
                self._want(there, task)
                unseen = 0 if task in find_tasks(self._app, [task]) else unseen + 1
                heard = False
            if unseen >= LOOKS:
                raise WorkerUnavailableError("The worker that trained is gone.", "It begins anew with another one.")
            time.sleep(REST_SECONDS)

    def _is_heard(self, say: Say) -> bool:
        """Whether a worker listens, which is asked once until the task is looked for again; told when none does."""
        if not any(TRAIN_QUEUE in listener.queues for listener in self._broker.listeners()):
            say(f"No worker is listening to {TRAIN_QUEUE}. It goes on when `likewise worker` runs.")
        return True

    def _taken(self, meta: Json, folder: Path) -> Trained:
        """The model that a task has made, brought here.

        Raises:
            LikewiseError: how it ended otherwise.
        """
        answer = meta["result"]
        if meta["status"] != states.SUCCESS:
            raise _failure(answer)
        if "error" in answer:
            raise error_of(**answer["error"])
        if "stopped" in answer:
            raise WorkerUnavailableError("The training was ended elsewhere.", "It begins anew.")
        model = folder / MODEL
        shutil.rmtree(model, ignore_errors=True)
        for name in answer[ANSWER_FILES]:
            self._place.fetch(f"{answer['at']}/{name}", model / name)
        return Trained(model, tuple(answer["notes"]))


def _failure(error: Any) -> LikewiseError:
    if isinstance(error, LikewiseError):
        return error
    if isinstance(error, WorkerLostError):
        return TrainingError("The worker's process that trained died, maybe out of memory.", MEMORY_HINT)
    if isinstance(error, (SoftTimeLimitExceeded, TimeLimitExceeded)):
        return TrainingError(
            "The training took longer than a worker may take.", "LIKEWISE_TRAIN_SECONDS says how long."
        )
    if isinstance(error, BROKER_ERRORS):
        return unavailable(error)
    return TrainingError(f"The training failed: {error!r}.")
