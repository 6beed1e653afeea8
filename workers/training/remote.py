"""Training by a worker: sends photos through the shared place and fetches the model from it.

The broker holds which task a job wants, so that a task that was sent twice, was delivered twice, or is no longer wanted
ends by itself, on whatever machine.
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
from workers.cluster.serialization import MESSAGE_VERSION, Json
from workers.cluster.task_lookup import BROKER_ERRORS, broker_errors, find_tasks, unavailable, withdraw_tasks
from workers.cluster.task_queue import PUBLISHING, origin_of
from workers.storage.shared_place import TRAINING, shared_place
from workers.training.child import MEMORY_HINT
from workers.training.request import MODEL, PHOTOS, Trained, TrainingOrder
from workers.training.worker_side import ANSWER_FILES, progress_name, wanted_name

POLL_SECONDS = 0.5
SEARCH_SECONDS = 20.0
"""Interval at which an unfinished task is searched for and the wanted task is written again."""

MOST_MISSES = 2
"""Searches in a row that do not find a task before it counts as lost."""

Say = Callable[[str], object]


class RemoteTrainer:
    """A ``workers.training.request.Trainer``. Each call has a task of its own."""

    def __init__(self, settings: Settings, app: Celery) -> None:
        self._app, self._broker = app, Broker(app)
        self._place = shared_place(settings)
        self._origin = origin_of(settings)

    def train(self, folder: Path, order: TrainingOrder, say: Say, goes_on: Callable[[], bool]) -> Trained | None:
        """See ``workers.training.request.Trainer``."""
        job = f"{self._origin}:{folder.name}:"
        prefix = f"{TRAINING}/{self._origin}-{folder.name}"
        task = job + uuid.uuid4().hex
        self._place.clear(prefix)  # of an earlier run that was killed
        withdraw_tasks(self._app, lambda other: other.startswith(job))
        self._place.add(folder / PHOTOS, f"{prefix}/{PHOTOS}")
        try:
            self._want(prefix, task)
            self._broker.put(progress_name(prefix), b"")
            self._send(task, {"version": MESSAGE_VERSION, "task": task, "there": prefix, "order": order.to_json()})
            meta = self._wait(task, prefix, say, goes_on)
            return None if meta is None else self._fetched(meta, folder)
        finally:
            with suppress(BrokerUnavailableError):  # keys that stay do no harm
                self._want(prefix, "")
                withdraw_tasks(self._app, task.__eq__)
                with broker_errors():
                    self._app.backend.forget(task)
            with suppress(StoreError):  # nor do files, and the model may be here by now
                self._place.clear(prefix)

    def _want(self, prefix: str, task: str) -> None:
        self._broker.put(wanted_name(prefix), task.encode())

    def _send(self, task: str, question: Json) -> None:
        # Not by send_task, which subscribes to the result: polling never reads what the subscription brings.
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

    def _wait(self, task: str, prefix: str, say: Say, goes_on: Callable[[], bool]) -> Json | None:
        """The task's metadata in the result backend once it has ended; None when ``goes_on`` returned False.

        Raises:
            WorkerUnavailableError: the task is lost.
        """
        last, searched, misses = b"", time.monotonic(), 0
        worker_checked = False
        while True:
            with broker_errors():
                meta: Json = self._app.backend.get_task_meta(task, cache=False)
            if meta["status"] in states.READY_STATES:
                return meta
            if not goes_on():
                return None
            if meta["status"] == states.PENDING and not worker_checked:
                worker_checked = self._check_worker(say)
            progress = self._broker.get(progress_name(prefix)) or b""
            if progress != last:
                last = progress
                say(progress.decode("utf-8", "replace"))
            if time.monotonic() - searched > SEARCH_SECONDS:
                searched = time.monotonic()
                self._want(prefix, task)
                misses = 0 if task in find_tasks(self._app, [task]) else misses + 1
                worker_checked = False
            if misses >= MOST_MISSES:
                raise WorkerUnavailableError("The worker that trained is gone.", "It begins anew with another one.")
            time.sleep(POLL_SECONDS)

    def _check_worker(self, say: Say) -> bool:
        """Say so where no worker listens; done once until the task is searched for again. Always True."""
        if not any(TRAIN_QUEUE in listener.queues for listener in self._broker.listeners()):
            say(f"No worker is listening to {TRAIN_QUEUE}. It goes on when `likewise worker` runs.")
        return True

    def _fetched(self, meta: Json, folder: Path) -> Trained:
        """The model of a finished task, fetched into ``folder``.

        Raises:
            LikewiseError: the task failed or was stopped.
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
