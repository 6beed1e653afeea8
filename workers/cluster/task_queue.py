"""What a coordinator and the broker say to each other about batches."""

from __future__ import annotations

import hashlib
import socket
import uuid
from collections.abc import Collection
from dataclasses import dataclass

from celery import Celery, states

from search.media import Kind
from search.settings import Settings
from workers.batch.report import BatchReport
from workers.cluster.app import EMBED_BATCH, EMBED_QUEUE, PRIORITY
from workers.cluster.broker import Broker
from workers.cluster.serialization import Order, order_to_json, report_from_json
from workers.cluster.task_lookup import BROKER_ERRORS, broker_errors, find_tasks, unavailable, withdraw_tasks

PUBLISHING = {"max_retries": 1, "interval_start": 0, "interval_step": 0.1, "interval_max": 0.1}
"""One more try for a connection that had died unnoticed; the coordinator does the waiting."""


@dataclass(frozen=True, slots=True)
class Ending:
    """How a task ended: with a report, with an error, or, with neither, because somebody revoked it."""

    task: str
    report: BatchReport | None = None
    error: BaseException | None = None


class Post:
    """Tasks of one ledger's jobs.

    A task's id says which ledger and job it is for, so that a coordinator finds what its predecessor left behind.

    Raises:
        BrokerUnavailableError: the broker does not answer (any method).
    """

    def __init__(self, settings: Settings, app: Celery) -> None:
        self._app = app
        self._origin = origin_of(settings)

    def new_task(self, job: str) -> str:
        return f"{self._origin}:{job}:{uuid.uuid4().hex}"

    def send(self, task: str, order: Order, *, deaths: int) -> None:
        """
        Args:
            deaths: processes that have died with it; ``workers.cluster.app`` says after how many Celery gives it up.
        """
        batch = order.batch
        # Not by send_task, which subscribes to the result: whoever polls never reads what the subscription brings.
        message = self._app.amqp.create_task_message(
            task, EMBED_BATCH, (order_to_json(order),), {}, argsrepr=batch.id, retries=deaths
        )
        with broker_errors(), self._app.producer_or_acquire() as producer:
            self._app.amqp.send_task_message(
                producer,
                EMBED_BATCH,
                message,
                queue=EMBED_QUEUE[batch.kind],
                priority=PRIORITY[batch.priority],
                retry_policy=PUBLISHING,
            )

    def endings(self, tasks: Collection[str]) -> list[Ending]:
        """Those of the tasks that have ended, in no order; they are told again until :meth:`forget`."""
        with broker_errors():
            metas = list(self._app.backend.get_many(list(tasks), interval=0, max_iterations=1)) if tasks else []
        ended = []
        for task, meta in metas:
            if meta["status"] == states.SUCCESS:
                ended.append(Ending(task, report=report_from_json(meta["result"])))
            elif meta["status"] == states.FAILURE:
                error = meta["result"]
                # The worker began while the broker went away, and could not say so.
                ended.append(Ending(task, error=unavailable(error) if isinstance(error, BROKER_ERRORS) else error))
            else:
                ended.append(Ending(task))
        return ended

    def was_begun(self, task: str) -> bool:
        """Whether some worker said that it had begun; forgotten when the broker came back empty."""
        with broker_errors():
            return bool(self._app.backend.get_state(task) != states.PENDING)

    def unheard(self, kinds: Collection[Kind]) -> list[str]:
        """Queues of these kinds that no worker listens to just now."""
        heard = {queue for listener in Broker(self._app).listeners() for queue in listener.queues}
        return [EMBED_QUEUE[kind] for kind in kinds if EMBED_QUEUE[kind] not in heard]

    def find(self, tasks: Collection[str]) -> set[str]:
        """Which of these are in a queue or with a worker that answers."""
        return find_tasks(self._app, tasks)

    def withdraw(self, tasks: Collection[str]) -> set[str]:
        """Take those that no worker has taken yet back out of the queues; their ids."""
        return withdraw_tasks(self._app, tasks.__contains__)

    def forget(self, tasks: Collection[str]) -> None:
        """Delete what the broker holds of results."""
        with broker_errors():
            for task in tasks:
                self._app.backend.forget(task)

    def withdraw_orphans(self, job: str, own: Collection[str]) -> set[str]:
        """Take back what an earlier coordinator of the job has left in the queues."""
        prefix = f"{self._origin}:{job}:"
        return withdraw_tasks(self._app, lambda task: task.startswith(prefix) and task not in own)


def origin_of(settings: Settings) -> str:
    """A short name of the ledger whose jobs tasks are for. One that is a file is this machine's alone."""
    place = settings.ledger_url
    if place.startswith("sqlite"):
        place = f"{socket.gethostname()}:{place}"
    return hashlib.sha256(place.encode()).hexdigest()[:12]
