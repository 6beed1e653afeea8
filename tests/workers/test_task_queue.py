"""What a coordinator and a real broker say to each other about batches."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest
from celery import Celery

from search.deadlines import deadline
from search.errors import BrokerUnavailableError
from search.media import Kind
from search.model_descriptions.model_choice import ModelChoice
from search.settings import Settings
from workers.batch.report import Batch, FileRef
from workers.cluster import app as application
from workers.cluster.app import make_app
from workers.cluster.broker import Broker
from workers.cluster.serialization import BatchOrder
from workers.cluster.task_queue import TaskQueue

ORDER = BatchOrder(
    Batch("1-1", "1", Kind.IMAGE, (FileRef("/m/a.jpg", "m", 1, 1.0, "00" * 32),)),
    ModelChoice("quick", "frames_quick", "quick"),
    "store",
)


@pytest.fixture
def queue(broker: Any, make_settings: Callable[..., Settings], monkeypatch: pytest.MonkeyPatch) -> Iterator[TaskQueue]:
    monkeypatch.setattr(application, "QUESTION_SILENT_SECONDS", 0.5)
    settings = make_settings(broker_url=broker.url)
    celery = make_app(settings)
    yield TaskQueue(settings, celery)
    celery.close()


def test_a_broker_that_falls_silent_is_away(broker: Any, queue: TaskQueue) -> None:
    """A machine that is gone ends no connection: whoever waits for its word would wait for ever."""
    queue.send("sent", ORDER, deaths=0)
    os.kill(broker.pid, signal.SIGSTOP)
    try:
        with pytest.raises(BrokerUnavailableError):
            queue.send("unsent", ORDER, deaths=0)
        with pytest.raises(BrokerUnavailableError):
            queue.results(["sent"])
    finally:
        os.kill(broker.pid, signal.SIGCONT)
    assert "sent" in queue.withdraw(["sent", "unsent"])


def test_requests_do_not_queue_for_a_frozen_broker(broker: Any, app: Celery) -> None:
    """The first waits as long as the broker may be silent; while it, or one after it, waits, the others do not."""
    state = Broker(app)
    os.kill(broker.pid, signal.SIGSTOP)
    try:
        with deadline(10), pytest.raises(BrokerUnavailableError):
            state.check()
        calling = threading.Thread(target=ask_in_a_request, args=(state,))
        calling.start()
        while app.breaker._caller is None and calling.is_alive():
            time.sleep(0.001)
        began = time.monotonic()
        for _ in range(20):
            with deadline(10), pytest.raises(BrokerUnavailableError, match="does not answer"):
                state.check()
        assert calling.is_alive(), f"{time.monotonic() - began:.1f} s"
    finally:
        os.kill(broker.pid, signal.SIGCONT)
    calling.join()
    with deadline(10):
        state.check()
    assert not app.breaker.is_open


def ask_in_a_request(state: Broker) -> None:
    with deadline(10), suppress(BrokerUnavailableError):
        state.check()
