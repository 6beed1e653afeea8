"""Look tasks up: in a queue, with a worker that answers, or nowhere.

A task is nowhere when the machine of its worker died, or when the broker restarted without its data. Redis stores a
queue as one list per priority, of messages as kombu writes them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator
from typing import Any

from celery import Celery, states

from workers.cluster.app import EMBED_QUEUE, PRIORITY, QUERY_QUEUE, TRAIN_QUEUE
from workers.cluster.broker import QUERY_TASK, ask_workers, broker_errors
from workers.cluster.results import read_states

ANSWER_SECONDS = 2.0
"""How long workers have to name their tasks; they answer while they work."""

SEPARATOR = "\x06\x16"
"""Separator of kombu's Redis transport between queue and priority in the name of a list."""


def find_tasks(app: Celery, tasks: Collection[str], seconds: float = ANSWER_SECONDS) -> set[str]:
    """Which of these are in a queue, or with a worker that answers within ``seconds``.

    The call takes that long only when some tasks are not found.

    Raises:
        BrokerUnavailableError: the broker does not answer.
    """
    # Queues first: a task that a worker takes meanwhile is found at the worker.
    found = {task for _, _, task in _queued(app)}.intersection(tasks)
    if absent := set(tasks) - found:
        with broker_errors(app):
            if workers := _started_by(app, absent):
                found |= _asked(app, absent, seconds, destination=sorted(workers), limit=len(workers))
            if absent := absent - found:
                found |= _asked(app, absent, seconds)
    return found


def _started_by(app: Celery, tasks: Collection[str]) -> set[str]:
    """Workers that have reported the start of some of these."""
    return {found.worker for found in read_states(app, tasks).values() if found.state == states.STARTED} - {""}


def _asked(app: Celery, tasks: Collection[str], seconds: float, **whom: Any) -> set[str]:
    """Which of these tasks the workers report as theirs."""
    answers = ask_workers(app, QUERY_TASK, seconds, arguments={"ids": list(tasks)}, **whom)
    return {task for answer in answers.values() if isinstance(answer, dict) for task in answer}.intersection(tasks)


def withdraw_tasks(app: Celery, wanted: Callable[[str], bool]) -> set[str]:
    """Remove tasks from their queues; ids of those that no worker will get any more.

    Args:
        wanted: whether to remove the task of this id.

    Raises:
        BrokerUnavailableError: the broker does not answer.
    """
    taken = set()
    for name, message, task in _queued(app):
        if wanted(task):
            with broker_errors(app):
                if app.backend.client.lrem(name, 1, message):
                    taken.add(task)
    return taken


def _queued(app: Celery) -> Iterator[tuple[str, bytes, str]]:
    """Every queued question, batch and training: its list, its message, the id of its task."""
    worked = (*EMBED_QUEUE.values(), TRAIN_QUEUE)
    batches = [f"{queue}{SEPARATOR}{step}" for queue in worked for step in PRIORITY.values()]
    names = [QUERY_QUEUE, *batches]  # the list of the first priority has its queue's name alone
    with broker_errors(app):
        pipeline = app.backend.client.pipeline(transaction=False)
        for name in names:
            pipeline.lrange(name, 0, -1)
        lists = pipeline.execute()
    for name, messages in zip(names, lists, strict=True):
        for message in messages:
            if task := _task_of(message):
                yield name, message, task


def _task_of(message: bytes) -> str:
    """Id of the task that a queued message says it is; empty if it is none. A worker checks it when it takes it."""
    try:
        task = json.loads(message)["headers"]["id"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return ""
    return task if isinstance(task, str) else ""
