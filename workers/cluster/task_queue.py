"""Queue of batch tasks: send, withdraw and look them up at the broker, and read their results."""

from __future__ import annotations

import hashlib
import socket
import uuid
from collections.abc import Collection
from dataclasses import dataclass

from celery import Celery, states

from search.errors import MessageRefusedError, SettingsError
from search.media import Kind
from search.settings import Settings
from workers.batch.report import BatchReport
from workers.cluster.app import EMBED_BATCH, EMBED_QUEUE, PRIORITY
from workers.cluster.broker import Broker, broker_errors
from workers.cluster.orders import publish_order
from workers.cluster.results import TaskState, read_state, read_states
from workers.cluster.serialization import BatchOrder, order_to_json, report_from_json
from workers.cluster.task_lookup import find_tasks, withdraw_tasks


@dataclass(frozen=True, slots=True)
class TaskResult:
    """Result of a task: a report, or an error, or neither when the task was revoked."""

    task: str
    report: BatchReport | None = None
    error: BaseException | None = None


class TaskQueue:
    """Tasks of one ledger's jobs.

    The id of a task names its ledger and job, so that a coordinator finds the tasks of its predecessor.

    Raises:
        BrokerUnavailableError: the broker does not answer (any method).
    """

    def __init__(self, settings: Settings, app: Celery) -> None:
        self._app = app
        self._origin = origin_of(settings)

    def new_task(self, job: str) -> str:
        return f"{self._origin}:{job}:{uuid.uuid4().hex}"

    def send(self, task: str, order: BatchOrder, *, deaths: int) -> None:
        """Publish a batch as the task of this id.

        Args:
            deaths: processes that have died with it; ``workers.cluster.app`` says after how many Celery gives up.
        """
        batch = order.batch
        publish_order(
            self._app,
            EMBED_BATCH,
            task,
            order_to_json(order),
            queue=EMBED_QUEUE[batch.kind],
            priority=PRIORITY[batch.priority],
            retries=deaths,
        )

    def results(self, tasks: Collection[str]) -> list[TaskResult]:
        """Results of those tasks that have ended, in no order; they are answered again until :meth:`forget`.

        One that is not signed, or is no report, is a ``MessageRefusedError``.
        """
        found = read_states(self._app, tasks)
        return [_result(task, state) for task, state in found.items() if state.state in states.READY_STATES]

    def has_started(self, task: str) -> bool:
        """Whether a worker has reported its start; unknown after a restart of the broker without its data."""
        return bool(read_state(self._app, task).state != states.PENDING)

    def without_listener(self, kinds: Collection[Kind]) -> list[str]:
        """Queues of these kinds that no worker listens to at present."""
        listened = {queue for listener in Broker(self._app).listeners() for queue in listener.queues}
        return [EMBED_QUEUE[kind] for kind in kinds if EMBED_QUEUE[kind] not in listened]

    def find(self, tasks: Collection[str]) -> set[str]:
        """Which of these are in a queue or with a worker that answers."""
        return find_tasks(self._app, tasks)

    def withdraw(self, tasks: Collection[str]) -> set[str]:
        """Remove the tasks that no worker has taken yet from the queues; their ids."""
        return withdraw_tasks(self._app, tasks.__contains__)

    def forget(self, tasks: Collection[str]) -> None:
        """Delete the stored results of tasks."""
        with broker_errors(self._app):
            for task in tasks:
                self._app.backend.forget(task)

    def withdraw_orphans(self, job: str, own: Collection[str]) -> set[str]:
        """Remove the tasks of an earlier coordinator of the job from the queues; their ids."""
        prefix = f"{self._origin}:{job}:"
        return withdraw_tasks(self._app, lambda task: task.startswith(prefix) and task not in own)


def _result(task: str, found: TaskState) -> TaskResult:
    if found.state != states.SUCCESS:
        return TaskResult(task, error=found.error)
    try:
        return TaskResult(task, report=report_from_json(found.answer))
    except (MessageRefusedError, SettingsError) as error:
        return TaskResult(task, error=error)


def origin_of(settings: Settings) -> str:
    """Short hash of the ledger address. The address of a file is prefixed with the name of this machine."""
    place = settings.ledger_url
    if place.startswith("sqlite"):
        place = f"{socket.gethostname()}:{place}"
    return hashlib.sha256(place.encode()).hexdigest()[:12]
