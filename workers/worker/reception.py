"""What a worker takes from the broker: signed orders, and questions about itself. All else is refused and logged.

It runs in the worker's parent, before Celery has looked at a message and before a child gets it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from queue import Empty
from typing import Any

from celery.worker.consumer import Consumer
from celery.worker.control import Panel
from kombu.transport.redis import Channel, Transport

from search.errors import MessageRefusedError
from workers.cluster.broker import ANSWERED_COMMANDS
from workers.cluster.checks import as_name
from workers.cluster.orders import check_message
from workers.cluster.signing import MessageExpiredError

log = logging.getLogger(__name__)


class OrderConsumer(Consumer):  # type: ignore[misc]  # celery is untyped
    """Celery's consumer, which gets only messages that ``check_message`` lets through.

    The task of another one fails with the reason, which a coordinator with the same key reads.
    """

    def create_task_handler(self, *args: Any, **options: Any) -> Callable[[Any], None]:
        handle: Callable[[Any], None] = super().create_task_handler(*args, **options)

        def receive(message: Any) -> None:
            try:
                check_message(self.app, message, self.app.amqp.queues.consume_from)
            except MessageExpiredError as error:
                log.warning("An order is not done: %s", error)
                self._end(message, lambda task: self.app.backend.mark_as_revoked(task, "expired"))
            except MessageRefusedError as error:
                log.error("Refused a message from the broker: %s", error)
                reason = error
                self._end(message, lambda task: self.app.backend.mark_as_failure(task, reason))
            else:
                handle(message)

        return receive

    def _end(self, message: Any, store: Callable[[str], object]) -> None:
        """Take a message from its queue, and store how its task has ended where it says which one it is."""
        message.ack_log_error(log, self.connection_errors)
        with suppress(MessageRefusedError):
            store(as_name(message.headers.get("id"), "id of a task"))


class OrderChannel(Channel):  # type: ignore[misc]  # kombu is untyped
    """Kombu's channel, which passes over what is no message of kombu at all; it would end the worker."""

    def _brpop_read(self, **options: Any) -> Any:
        with _passed_over():
            return super()._brpop_read(**options)

    def _receive_one(self, client: Any) -> Any:
        try:
            with _passed_over():
                return super()._receive_one(client)
        except Empty:  # kombu would leave the messages behind it unread until another one comes
            return None


def guard_this_process() -> None:
    """Have this process read messages by :class:`OrderChannel`, and leave it none of Celery's remote commands but those
    that say what it does: the others end or change it, and whoever writes into Redis can send them."""
    Transport.Channel = OrderChannel
    for name in Panel.data.keys() - set(ANSWERED_COMMANDS):
        del Panel.data[name]


@contextmanager
def _passed_over() -> Iterator[None]:
    """
    Raises:
        Empty: in place of an error about what is no message; kombu then waits for the next one.
    """
    try:
        yield
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        log.error("Refused a message from the broker, which is none: %r", error)
        log.debug("It was found to be none here.", exc_info=True)
        raise Empty from None
