"""State of the broker: whether it answers, the depth of its queues, and which workers listen."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from celery import Celery
from kombu.exceptions import ChannelError

from workers.cluster.task_lookup import broker_errors

TIMEOUTS = {"socket_connect_timeout": 2.0, "socket_timeout": 3.0}
"""Timeouts of a question about the state of the broker, seconds."""

ANSWER_SECONDS = 1.0
"""How long workers have to name themselves; a busy one answers as fast, from another thread."""

KEPT_PREFIX = "likewise-kept-"
KEPT_SECONDS = 3600


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
            inspect = self._app.control.inspect(timeout=seconds, connection=channel.connection.client)
            replies = inspect.active_queues() or {}
        return tuple(
            Listener(name, tuple(queue["name"] for queue in queues)) for name, queues in sorted(replies.items())
        )

    def put(self, name: str, content: bytes) -> None:
        """Store a small value for an hour, for every process that uses this broker."""
        with broker_errors():
            self._app.backend.client.set(KEPT_PREFIX + name, content, ex=KEPT_SECONDS)

    def get(self, name: str) -> bytes | None:
        """The value of :meth:`put`; None when it has expired, or the broker has restarted without its data."""
        with broker_errors():
            content: bytes | None = self._app.backend.client.get(KEPT_PREFIX + name)
        return content

    @contextmanager
    def _connected(self) -> Iterator[Any]:
        """A channel that is known to reach the broker."""
        with broker_errors(), self._app.connection_for_read(transport_options=TIMEOUTS) as connection:
            connection.ensure_connection(max_retries=1, interval_start=0)
            with connection.channel() as channel:
                yield channel


def _depth(channel: Any, queue: str) -> int:
    try:
        return int(channel.queue_declare(queue, passive=True).message_count)
    except ChannelError:  # with Redis a queue exists while something is in it
        return 0
