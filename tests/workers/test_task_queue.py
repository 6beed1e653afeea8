"""What a coordinator and a real broker say to each other about batches."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from search.errors import BrokerUnavailableError
from search.media import Kind
from search.model_descriptions.model_choice import ModelChoice
from search.settings import Settings
from workers.batch.report import Batch, FileRef
from workers.cluster import app as application
from workers.cluster.app import make_app
from workers.cluster.serialization import BatchOrder
from workers.cluster.task_queue import TaskQueue

ORDER = BatchOrder(
    Batch("1-1", "1", Kind.IMAGE, (FileRef("/m/a.jpg", "m", 1, 1.0, "00" * 32),)),
    ModelChoice("quick", "frames_quick", "quick"),
    "store",
)


@pytest.fixture
def queue(broker: Any, make_settings: Callable[..., Settings], monkeypatch: pytest.MonkeyPatch) -> Iterator[TaskQueue]:
    monkeypatch.setattr(application, "SILENT_SECONDS", 0.5)
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
