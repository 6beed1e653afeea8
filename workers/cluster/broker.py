"""State of the broker: whether it answers, the depth of its queues, and which workers listen."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from celery import Celery
from celery.exceptions import BackendError
from kombu.exceptions import ChannelError, KombuError, OperationalError
from redis.exceptions import RedisError

from search.deadlines import CircuitBreaker, within_deadline
from search.errors import BrokerUnavailableError, MessageRefusedError
from workers.cluster.checks import as_list, as_object, as_text, loads

log = logging.getLogger(__name__)

TIMEOUTS = {"socket_connect_timeout": 2.0, "socket_timeout": 3.0}
"""Timeouts of a question about the state of the broker, seconds."""

ANSWER_SECONDS = 1.0
"""How long workers have to name themselves; a busy one answers as fast, from another thread."""

ACTIVE_QUEUES, QUERY_TASK = ANSWERED_COMMANDS = ("active_queues", "query_task")
"""Celery's remote commands that workers answer; they know no others (``shutdown``, ``pool_restart``, …)."""

_HINT = "Start Redis at LIKEWISE_BROKER_URL, or correct the address."

KEPT = "kept"
KEPT_PREFIX = "likewise-kept-"
KEPT_SECONDS = 3600
MOST_KEPT_BYTES = 16 * 2**20
"""Largest value: a film of 256 key frames takes 4 MiB."""

MOST_QUEUES = 100

BROKER_ERRORS = (OperationalError, BackendError, RedisError, OSError)
"""Exceptions of Celery, kombu and redis when the broker cannot be reached."""


def make_breaker() -> CircuitBreaker:
    """The circuit breaker of an application, which has it as ``breaker``."""
    return CircuitBreaker(lambda: BrokerUnavailableError("The broker does not answer.", _HINT))


@contextmanager
def broker_errors(app: Celery) -> Iterator[None]:
    """Call the broker within the block, and translate ``BROKER_ERRORS``.

    Raises:
        BrokerUnavailableError: in place of one of them; or it does not answer, and another request is calling it.
    """
    with app.breaker.call():
        try:
            yield
        except BROKER_ERRORS as error:
            app.breaker.unanswered()
            raise unavailable(error) from error
        app.breaker.answered()


def unavailable(error: BaseException) -> BrokerUnavailableError:
    """One of ``BROKER_ERRORS``, raised here or on a worker, as an error of Likewise."""
    return BrokerUnavailableError(f"The broker cannot be reached: {str(error).rstrip('.')}.", _HINT)


@dataclass(frozen=True, slots=True)
class Listener:
    """A worker process that listens at present, and the queues it takes tasks from."""

    name: str
    queues: tuple[str, ...]


class Broker:
    """The broker of an application. Every method connects anew, so that its answer is current.

    Raises:
        BrokerUnavailableError: it does not answer (any method).
    """

    def __init__(self, app: Celery) -> None:
        self._app = app

    def check(self) -> None:
        with self._connected():
            pass

    def depths(self) -> Mapping[str, int]:
        """Tasks of all priorities that wait in each queue, without those that a worker has taken."""
        with self._connected() as channel:
            return {queue.name: _depth(channel, queue.name) for queue in self._app.conf.task_queues}

    def listeners(self, seconds: float = ANSWER_SECONDS) -> tuple[Listener, ...]:
        """Workers that answer within ``seconds``, in order of name. The call always takes that long."""
        with self._connected() as channel:
            replies = ask_workers(self._app, ACTIVE_QUEUES, seconds, connection=channel.connection.client)
        return tuple(listener for one in sorted(replies.items()) if (listener := _listener(*one)))

    def put(self, name: str, content: str) -> None:
        """Store a small value for an hour, for every process that uses this broker."""
        sealed = self._app.seals.seal(content, KEPT, name, seconds=KEPT_SECONDS)
        with broker_errors(self._app):
            self._app.backend.client.set(KEPT_PREFIX + name, json.dumps(sealed), ex=KEPT_SECONDS)

    def get(self, name: str) -> str | None:
        """The value of :meth:`put`; None when it has expired, when the broker has restarted without its data, and of a
        value that somebody else has put there, which is logged."""
        with broker_errors(self._app):
            stored: bytes = self._app.backend.client.getrange(KEPT_PREFIX + name, 0, MOST_KEPT_BYTES)
        if not stored:
            return None
        try:
            if len(stored) > MOST_KEPT_BYTES:
                raise MessageRefusedError(f"A message ({KEPT}) is too large.")
            content: str = self._app.seals.open(loads(stored), KEPT, name)
        except MessageRefusedError as error:
            log.error("What the broker keeps as %s is ignored: %s", name, error)
            return None
        return content

    @contextmanager
    def _connected(self) -> Iterator[Any]:
        """A channel that is known to reach the broker."""
        timeouts = {name: within_deadline(seconds) for name, seconds in TIMEOUTS.items()}
        with broker_errors(self._app), self._app.connection_for_read(transport_options=timeouts) as connection:
            connection.ensure_connection(max_retries=1, interval_start=0)
            with connection.channel() as channel:
                yield channel


def ask_workers(app: Celery, command: str, seconds: float, **options: Any) -> dict[str, Any]:
    """What workers reply to one of ``ANSWERED_COMMANDS`` within ``seconds``, by name of the worker.

    Replies are not signed: whoever writes into Redis can make believe that a worker listens or has a task, which makes
    somebody wait, as deleting messages does.

    Args:
        options: of Celery's ``broadcast``: ``arguments``, ``destination``, ``limit``, ``connection``.
    """
    try:
        replies = app.control.broadcast(command, reply=True, timeout=seconds, **options) or ()
    except BROKER_ERRORS:
        raise
    except (KombuError, ValueError, KeyError, TypeError, AttributeError) as error:  # of kombu, at what is no message
        log.error("What came as the reply of a worker is ignored: %r", error)
        replies = ()
    return {name: said for reply in replies if isinstance(reply, dict) for name, said in reply.items()}


def _listener(name: str, queues: object) -> Listener | None:
    """A worker that names its queues; None for a reply that no worker gives."""
    try:
        named = [as_object(queue, "queue").get("name") for queue in as_list(queues, "list of queues", MOST_QUEUES)]
        return Listener(as_text(name, "worker"), tuple(as_text(queue, "queue") for queue in named))
    except MessageRefusedError as error:
        log.error("The reply of a worker is ignored: %s", error)
        return None


def _depth(channel: Any, queue: str) -> int:
    try:
        return int(channel.queue_declare(queue, passive=True).message_count)
    except ChannelError:  # with Redis a queue exists while something is in it
        return 0
