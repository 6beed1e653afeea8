"""Orders to workers: published signed, and checked by a worker before Celery looks at them.

An order is a task of Celery with one argument, its sealed content. It is sealed for the name of the task, its id and
its queue, and holds for a time, so that nobody can have it done as another task or much later.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Any

from celery import Celery

from workers.cluster.app import TASKS
from workers.cluster.broker import broker_errors
from workers.cluster.checks import as_integer, as_list, as_name, as_object, as_text, loads, refuse
from workers.cluster.signing import Json

ORDER = "order"
"""Kind of these messages."""

ORDER_SECONDS = 7 * 86400.0
"""How long a batch or a training may wait for a worker; its coordinator sends it again after that."""

MOST_ORDER_BYTES = 64 * 2**20
"""Largest order: 512 files, of which each has 20 paths of the greatest length."""

PUBLISHING = {"max_retries": 1, "interval_start": 0, "interval_step": 0.1, "interval_max": 0.1}
"""One retry for a connection that had died unnoticed; longer waits are the coordinator's."""

_PARTS = ("version", "until", "content", "signature", "queue")
_NOTHING_FURTHER = {"callbacks": None, "errbacks": None, "chain": None, "chord": None}
_MOST_RETRIES = 10
_LOWEST_PRIORITY = 9


def publish_order(
    app: Celery,
    name: str,
    task: str,
    content: Json,
    *,
    queue: str,
    priority: int,
    seconds: float = ORDER_SECONDS,
    retries: int = 0,
) -> None:
    """Publish an order as the task of this id.

    Args:
        name: one of ``workers.cluster.app.TASKS``.
        seconds: within which a worker has to begin.
        retries: processes that have died with it; ``workers.cluster.app`` says after how many Celery gives up.

    Raises:
        BrokerUnavailableError: the broker does not answer.
    """
    sealed = app.seals.seal(json.dumps(content), ORDER, name, task, queue, seconds=seconds) | {"queue": queue}
    # Not by send_task, which subscribes to the result: a poller never reads what the subscription delivers.
    message = app.amqp.create_task_message(task, name, (sealed,), {}, argsrepr=task, retries=retries)
    with broker_errors(app), app.producer_or_acquire() as producer:
        app.amqp.send_task_message(producer, name, message, queue=queue, priority=priority, retry_policy=PUBLISHING)


def check_message(app: Celery, message: Any, queues: Collection[str]) -> None:
    """Check a message as a worker gets it, and leave nothing in it that is not checked: not Celery's headers either,
    nor what it is to call when the task has ended.

    Args:
        message: of kombu; its content is not decoded by anything but JSON.
        queues: that the worker takes orders from.

    Raises:
        MessageExpiredError: its time is over.
        MessageRefusedError: it is no order, is not signed, or was not meant for this task, id or queue.
    """
    headers = as_object(message.headers, "set of headers")
    name, task = headers.get("task"), as_name(headers.get("id"), "id of a task")
    if name not in TASKS:
        refuse("task", name)
    if message.errors or message.content_type != "application/json":
        refuse("type", message.content_type)
    if len(message.body) > MOST_ORDER_BYTES:
        refuse("size", len(message.body))
    arguments, keywords, further = _parts(_decoded(message.body))
    if len(arguments) != 1 or keywords or any(further.values()):
        refuse("set of arguments", f"{len(arguments)}, {sorted(keywords)}, {sorted(further)}")
    sealed = arguments[0]
    queue = as_text(sealed["queue"], "queue") if isinstance(sealed, dict) and "queue" in sealed else ""
    app.seals.open(sealed, ORDER, name, task, queue)
    if queue not in queues:
        refuse("queue", queue)
    retries = as_integer(headers.get("retries") or 0, "number of retries", 0, _MOST_RETRIES)
    priority = as_integer(message.properties.get("priority") or 0, "priority", 0, _LOWEST_PRIORITY)
    message.body = json.dumps([[{part: sealed[part] for part in _PARTS}], {}, _NOTHING_FURTHER]).encode()
    message.content_encoding = "utf-8"
    message.headers = {"lang": "py", "task": name, "id": task, "root_id": task, "argsrepr": task, "retries": retries}
    message.properties = {"correlation_id": task, "priority": priority}
    message.delivery_info.update(exchange="", routing_key=queue)


def content_of(sealed: Json) -> Json:
    """The content of an order whose message has been checked.

    Raises:
        MessageRefusedError: it is no JSON object.
    """
    return as_object(loads(sealed["content"]), "order")


def _decoded(body: bytes | str) -> object:
    try:
        return loads(body if isinstance(body, str) else body.decode())
    except UnicodeDecodeError:
        refuse("body", "no text")


def _parts(payload: object) -> tuple[list[Any], Json, Json]:
    """Arguments, keywords, and what Celery is to do besides: callbacks, chains."""
    arguments, keywords, further = (
        payload if isinstance(payload, list) and len(payload) == 3 else refuse("body", payload)
    )
    return (
        as_list(arguments, "list of arguments", 1),
        as_object(keywords, "set of keywords"),
        as_object(further, "set of callbacks"),
    )
