"""What the broker knows: whether it answers, how much waits in its queues, which workers listen."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from celery import Celery
from kombu.exceptions import ChannelError

from workers.cluster.task_lookup import broker_errors

PATIENCE = {"socket_connect_timeout": 2.0, "socket_timeout": 3.0}
"""Seconds; who asks how the broker is waits no longer to learn that nothing can be learnt."""

ANSWER_SECONDS = 1.0
"""How long workers are given to name themselves; one that is at work answers at once, beside it."""

KEPT_PREFIX = "likewise-kept-"
KEPT_SECONDS = 3600


@dataclass(frozen=True, slots=True)
class Listener:
    """A worker process that listens just now, and the queues it takes tasks from."""

    name: str
    queues: tuple[str, ...]


class Broker:
    """The broker of an application. Every method connects anew, so that what it says holds now.

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
        """Workers that name themselves within ``seconds``, all of which this takes, in order of name."""
        with self._connected() as channel:
            inspect = self._app.control.inspect(timeout=seconds, connection=channel.connection.client)
            replies = inspect.active_queues() or {}
        return tuple(
            Listener(name, tuple(queue["name"] for queue in queues)) for name, queues in sorted(replies.items())
        )

    def keep(self, name: str, content: bytes) -> None:
        """Remember something small for an hour, for every process that has this broker."""
        with broker_errors():
            self._app.backend.client.set(KEPT_PREFIX + name, content, ex=KEPT_SECONDS)

    def kept(self, name: str) -> bytes | None:
        """What :meth:`keep` was given; None when that is longer ago, or the broker has started anew since."""
        with broker_errors():
            content: bytes | None = self._app.backend.client.get(KEPT_PREFIX + name)
        return content

    @contextmanager
    def _connected(self) -> Iterator[Any]:
        """A channel that is known to reach the broker."""
        with broker_errors(), self._app.connection_for_read(transport_options=PATIENCE) as connection:
            connection.ensure_connection(max_retries=1, interval_start=0)
            with connection.channel() as channel:
                yield channel


def _depth(channel: Any, queue: str) -> int:
    try:
        return int(channel.queue_declare(queue, passive=True).message_count)
    except ChannelError:  # with Redis a queue exists while something is in it
        return 0
