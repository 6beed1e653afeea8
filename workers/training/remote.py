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

from celery import Celery, states
from celery.exceptions import SoftTimeLimitExceeded, TimeLimitExceeded, WorkerLostError

from search.errors import (
    BrokerUnavailableError,
    LikewiseError,
    StoreError,
    TrainingError,
    WorkerUnavailableError,
)
from search.photographers.model_registry import ModelKind
from search.settings import Settings
from workers.batch.report import Priority
from workers.cluster.app import PRIORITY, TRAIN, TRAIN_QUEUE
from workers.cluster.broker import Broker, broker_errors
from workers.cluster.checks import as_list, as_object, as_text, as_tuple, refuse
from workers.cluster.orders import publish_order
from workers.cluster.results import TaskState, read_state
from workers.cluster.serialization import error_from_json
from workers.cluster.signing import MESSAGE_VERSION
from workers.cluster.task_lookup import find_tasks, withdraw_tasks
from workers.cluster.task_queue import origin_of
from workers.storage.shared_place import TRAINING, shared_place
from workers.training.child import MEMORY_HINT
from workers.training.model_files import MOST_BYTES, MOST_FILES, is_model_file
from workers.training.request import MODEL, PHOTOS, Trained, TrainingOrder
from workers.training.worker_side import ANSWER_FILES, MOST_NOTES, folder_of_model, progress_name, wanted_name

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
            self._broker.put(progress_name(prefix), "")
            content = {"version": MESSAGE_VERSION, "task": task, "there": prefix, "order": order.to_json()}
            queue, priority = TRAIN_QUEUE, PRIORITY[Priority.NORMAL]
            publish_order(self._app, TRAIN, task, content, queue=queue, priority=priority)
            ended = self._wait(task, prefix, say, goes_on)
            return None if ended is None else self._fetched(ended, prefix, order.kind, folder)
        finally:
            with suppress(BrokerUnavailableError):  # keys that stay do no harm
                self._want(prefix, "")
                withdraw_tasks(self._app, task.__eq__)
                with broker_errors(self._app):
                    self._app.backend.forget(task)
            with suppress(StoreError):  # nor do files, and the model may be here by now
                self._place.clear(prefix)

    def _want(self, prefix: str, task: str) -> None:
        self._broker.put(wanted_name(prefix), task)

    def _wait(self, task: str, prefix: str, say: Say, goes_on: Callable[[], bool]) -> TaskState | None:
        """How the task has ended; None when ``goes_on`` returned False.

        Raises:
            WorkerUnavailableError: the task is lost.
        """
        last, searched, misses = "", time.monotonic(), 0
        worker_checked = False
        while True:
            found = read_state(self._app, task)
            if found.state in states.READY_STATES:
                return found
            if not goes_on():
                return None
            if found.state == states.PENDING and not worker_checked:
                worker_checked = self._check_worker(say)
            progress = self._broker.get(progress_name(prefix)) or ""
            if progress != last:
                last = progress
                say(as_text(progress, "progress"))
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

    def _fetched(self, ended: TaskState, prefix: str, kind: ModelKind, folder: Path) -> Trained:
        """The model of a finished task, fetched into ``folder``.

        Raises:
            MessageRefusedError: the answer is none, or names files that are of no such model; nothing is fetched.
            LikewiseError: the task failed or was stopped.
        """
        if ended.error is not None:
            raise _failure(ended.error)
        if ended.state != states.SUCCESS:
            raise WorkerUnavailableError("The training had expired when a worker came to it.", "It begins anew.")
        answer = as_object(ended.answer, "answer")
        if "error" in answer:
            raise error_from_json(answer["error"])
        if "stopped" in answer:
            raise WorkerUnavailableError("The training was ended elsewhere.", "It begins anew.")
        at, notes = (
            folder_of_model(answer.get("at"), prefix),
            as_tuple(answer.get("notes"), "note", MOST_NOTES, as_text),
        )
        names = [as_text(name, "file") for name in as_list(answer.get(ANSWER_FILES), "list of files", MOST_FILES)]
        for name in names:
            if not is_model_file(kind, name) or self._is_link(at, name):
                refuse(f"file of a {kind} model", name)
        model = folder / MODEL
        shutil.rmtree(model, ignore_errors=True)
        for name in names:
            self._place.fetch(f"{at}/{name}", model / name, MOST_BYTES)
        return Trained(model, notes)

    def _is_link(self, at: str, name: str) -> bool:
        """Whether a file of the shared place is elsewhere, by a link."""
        above, path = self._place.path(TRAINING), self._place.path(f"{at}/{name}")
        if above is None or path is None:
            return False
        return path.resolve() != above.resolve() / path.relative_to(above)


def _failure(error: Exception) -> LikewiseError:
    if isinstance(error, LikewiseError):
        return error
    if isinstance(error, WorkerLostError):
        return TrainingError("The worker's process that trained died, maybe out of memory.", MEMORY_HINT)
    if isinstance(error, (SoftTimeLimitExceeded, TimeLimitExceeded)):
        return TrainingError(
            "The training took longer than a worker may take.", "LIKEWISE_TRAIN_SECONDS says how long."
        )
    return TrainingError(f"The training failed: {error!r}.")
