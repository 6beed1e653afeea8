"""Results of tasks as the broker keeps them: workers store them signed, coordinators read and check them.

Celery makes an exception of whatever class a stored failure names. Coordinators read results without it, so that a
failure is an error of Likewise, or one of the few of Celery's that they act on.
"""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from celery import Celery, states
from celery.backends.redis import RedisBackend
from celery.exceptions import SoftTimeLimitExceeded, TimeLimitExceeded, WorkerLostError

from search import errors
from search.bounds import storable
from search.errors import LikewiseError, MessageRefusedError
from search.store.base import SpaceNotAddedError
from workers.cluster.broker import BROKER_ERRORS, broker_errors, unavailable
from workers.cluster.checks import as_object, as_text, loads, refuse
from workers.cluster.signing import Json, Seals

log = logging.getLogger(__name__)

RESULT = "result"
"""Kind of these messages."""

MIB = 2**20
MOST_BYTES = 128 * MIB
"""Largest result: a batch of 512 pictures with all their vectors takes 10 MiB, 32 films of 256 key frames 70 MiB."""

BACKEND = f"{__name__}:SignedResults"
"""Name of the backend, which Celery expects before the address, with a plus between them."""

_STATES = frozenset(states.ALL_STATES)
_ENDINGS = {one.__name__: one for one in (WorkerLostError, SoftTimeLimitExceeded, TimeLimitExceeded)}
_MODULES_OF_ENDINGS = ("billiard.exceptions", "celery.exceptions")
_MODULES_OF_ERRORS = (errors.__name__, SpaceNotAddedError.__module__)
_MODULES_OF_BROKER_ERRORS = ("redis.exceptions", "kombu.exceptions", "celery.exceptions", "builtins")

_READ_BY_OLDER: Json = {
    "status": states.FAILURE,
    "result": {
        "exc_module": "search.errors",
        "exc_type": "SettingsError",
        "exc_message": [
            "The answer of a worker is signed, which this version of Likewise knows nothing of.",
            "Update Likewise on this machine: coordinators and workers need the same version.",
        ],
    },
    "traceback": None,
    "children": [],
}
"""What version 0.1.0 reads beside the seal. It is not part of the message."""


class SignedResults(RedisBackend):  # type: ignore[misc]  # celery is untyped
    """Celery's backend, which seals what it stores and takes what is not sealed for absent."""

    def get(self, key: Any) -> str | None:
        task, stored = self._strip_prefix(key), self.client.getrange(key, 0, MOST_BYTES)
        try:
            return _opened(self.app.seals, stored, task) if stored else None
        except MessageRefusedError as error:
            log.error("A result of task %s is ignored: %s", task, error)
            return None

    def mget(self, keys: Collection[Any]) -> list[str | None]:
        return [self.get(key) for key in keys]

    def _set_with_state(self, key: Any, value: str, state: str) -> Any:
        task = self._strip_prefix(key)
        sealed = self.app.seals.seal(value, RESULT, task)
        return super()._set_with_state(key, json.dumps(_READ_BY_OLDER | {"task_id": task} | sealed), state)


@dataclass(frozen=True, slots=True)
class TaskState:
    """What is known of a task.

    Attributes:
        state: one of ``celery.states``.
        answer: of a task that succeeded, not checked but for its size and signature.
        error: of one that failed.
        worker: name of the worker that has it, once it has begun.
    """

    state: str
    answer: Any = None
    error: Exception | None = None
    worker: str = ""


def read_states(app: Celery, tasks: Collection[str]) -> dict[str, TaskState]:
    """The states of tasks; that of one whose result is refused is ``FAILURE``, with a ``MessageRefusedError``.

    Raises:
        BrokerUnavailableError: the broker does not answer.
    """
    if not tasks:
        return {}
    backend = app.backend
    with broker_errors(app):
        pipeline = backend.client.pipeline(transaction=False)
        for task in tasks:
            pipeline.getrange(backend.get_key_for_task(task), 0, MOST_BYTES)
        found = pipeline.execute()
    return {task: _state(app.seals, stored, task) for task, stored in zip(tasks, found, strict=True)}


def read_state(app: Celery, task: str) -> TaskState:
    """The state of a task, as :func:`read_states`."""
    return read_states(app, [task])[task]


def failure_of(stored: object) -> Exception:
    """The error that a failed task ended with, from what Celery stores of an exception."""
    raw = as_object(stored, "the failure of a task")
    name, module = as_text(raw.get("exc_type"), "class"), as_text(raw.get("exc_module"), "module")
    said = raw.get("exc_message")
    texts = [storable(str(part)) for part in (said if isinstance(said, list) else [said])]
    if found := _likewise_error(name, module):
        return found(*texts[:2])
    if name in _ENDINGS and module in _MODULES_OF_ENDINGS:
        ending: Exception = _ENDINGS[name](*texts[:1])
        return ending
    known = getattr(sys.modules.get(module), name, None) if module in _MODULES_OF_BROKER_ERRORS else None
    text = ", ".join(texts)
    if isinstance(known, type) and issubclass(known, BROKER_ERRORS):
        return unavailable(OSError(text))
    return LikewiseError(f"A worker failed: {name}({text}).")


def _likewise_error(name: str, module: str) -> type[LikewiseError] | None:
    if module not in _MODULES_OF_ERRORS:
        return None
    waiting: list[type[LikewiseError]] = [LikewiseError]
    for one in waiting:
        if (one.__name__, one.__module__) == (name, module):
            return one
        waiting.extend(one.__subclasses__())
    return None


def _state(seals: Seals, stored: bytes, task: str) -> TaskState:
    if not stored:
        return TaskState(states.PENDING)
    try:
        meta = as_object(loads(_opened(seals, stored, task)), "the state of a task")
        state, result = as_text(meta.get("status"), "state of a task"), meta.get("result")
        if state not in _STATES:
            refuse("state of a task", state)
        if state == states.FAILURE:
            return TaskState(state, error=failure_of(result))
        worker = result.get("hostname") if state == states.STARTED and isinstance(result, dict) else None
        return TaskState(state, answer=result, worker=as_text(worker, "worker") if worker else "")
    except MessageRefusedError as error:
        log.error("The result of task %s is refused: %s", task, error)
        return TaskState(states.FAILURE, error=error)


def _opened(seals: Seals, stored: bytes, task: str) -> str:
    """The text of a result, of which at most one byte too many was read.

    Raises:
        MessageRefusedError: it is too large, not sealed, or sealed for another task.
    """
    if len(stored) > MOST_BYTES:
        raise MessageRefusedError(
            f"A message ({RESULT}) has more than {MOST_BYTES / MIB:.0f} MiB.",
            "Lower LIKEWISE_BATCH_FILES, unless somebody else writes into Redis.",
        )
    return seals.open(loads(stored), RESULT, task)
