"""What the broker knows: whether it answers, how much waits in its queues, which workers listen."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from celery import Celery
from kombu.exceptions import ChannelError, OperationalError
from redis.exceptions import RedisError

from search.errors import BrokerUnavailableError

ANSWER_SECONDS = 1.0
"""How long workers are given to name themselves; one that is at work answers at once, beside it."""


@dataclass(frozen=True, slots=True)
class Listener:
    """A worker process that listens just now, and the queues it takes tasks from."""

    name: str
    queues: tuple[str, ...]


def check_broker(app: Celery) -> None:
    """
    Raises:
        BrokerUnavailableError: it does not answer.
    """
    with _connected(app):
        pass


def queue_depths(app: Celery) -> Mapping[str, int]:
    """Tasks of all priorities that wait in each queue, not counting those a worker has taken.

    Raises:
        BrokerUnavailableError: it does not answer.
    """
    with _connected(app) as channel:
        return {queue.name: _depth(channel, queue.name) for queue in app.conf.task_queues}


def listeners(app: Celery, seconds: float = ANSWER_SECONDS) -> tuple[Listener, ...]:
    """Workers that name themselves within ``seconds``, all of which this takes, in order of name.

    Raises:
        BrokerUnavailableError: it does not answer.
    """
    with _errors_told():
        replies = app.control.inspect(timeout=seconds).active_queues() or {}
    return tuple(Listener(name, tuple(queue["name"] for queue in queues)) for name, queues in sorted(replies.items()))


@contextmanager
def _connected(app: Celery) -> Iterator[Any]:
    """A channel that is known to reach the broker."""
    with _errors_told(), app.connection_for_read() as connection:
        connection.ensure_connection(max_retries=1, interval_start=0, timeout=ANSWER_SECONDS)
        with connection.channel() as channel:
            yield channel


@contextmanager
def _errors_told() -> Iterator[None]:
    try:
        yield
    except (OperationalError, RedisError, OSError) as error:
        raise BrokerUnavailableError(
            f"The broker does not answer: {error}.", "Start Redis at LIKEWISE_BROKER_URL, or correct the address."
        ) from None


def _depth(channel: Any, queue: str) -> int:
    try:
        return int(channel.queue_declare(queue, passive=True).message_count)
    except ChannelError:  # with Redis a queue exists while something is in it
        return 0
