"""Orders that somebody else puts into Redis: a worker refuses and logs them, says so, and goes on."""

from __future__ import annotations

import json
import os
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

from celery import states
from pydantic import SecretStr

from search.errors import MessageRefusedError
from search.media import Kind
from workers.batch.report import Batch
from workers.cluster.app import CHOOSE_MODELS, EMBED_BATCH, EMBED_FILE
from workers.cluster.broker import Broker
from workers.cluster.results import read_state
from workers.cluster.serialization import BatchOrder, order_to_json
from workers.cluster.signing import Seals

QUEUE = "embed.images"

NO_MESSAGES = (
    "no json",
    "[]",
    "{}",
    "[" * 100_000,
    '{"body": "W10=", "properties": {"delivery_info": 1}}',
    '{"body": "W10=", "headers": ["task"], "properties": {"delivery_info": {}, "delivery_tag": "x"}}',
    '{"body": "W10=", "headers": {"task": []}, "properties": {"delivery_info": {}, "delivery_tag": "x"}}',
)
"""What Celery's own reader would end the worker at."""


class Bomb:
    """Makes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __reduce__(self) -> Any:
        return os.mkdir, (str(self._path),)


def test_a_worker_does_nothing_that_is_not_signed(
    make_desk: Any, start_worker: Callable[..., Any], eventually: Callable[..., None], tmp_path: Path
) -> None:
    desk = make_desk()
    app, seals = desk.app, desk.app.seals
    order = order_to_json(BatchOrder(Batch("b1", "job", Kind.IMAGE, (desk.picture("red"),)), desk.models, "report"))
    text = json.dumps(order)

    def push(task: str, argument: object, name: str = EMBED_BATCH, queue: str = QUEUE, **options: object) -> None:
        """What anybody can do who reaches Redis."""
        app.send_task(name, (argument,), task_id=task, queue=queue, **options)

    def sealed(task: str, name: str = EMBED_BATCH, queue: str = QUEUE, seconds: float = 60.0) -> dict[str, Any]:
        made: dict[str, Any] = seals.seal(text, "order", name, task, queue, seconds=seconds)
        return made | {"queue": queue}

    push("unsigned", order)
    push(
        "of-another-key", Seals(b"x" * 64).seal(text, "order", EMBED_BATCH, "of-another-key", QUEUE) | {"queue": QUEUE}
    )
    push("of-another-task", sealed("b0"))
    push("under-another-name", sealed("under-another-name"), name=EMBED_FILE)
    push("for-another-queue", sealed("for-another-queue") | {"queue": "query"})
    push("in-a-queue-it-does-not-take", sealed("in-a-queue-it-does-not-take", queue="train"))
    push("expired", sealed("expired", seconds=-1.0))
    push("with-a-callback", sealed("with-a-callback"), link=app.signature(CHOOSE_MODELS, ({},)))
    push("of-celery", [1], name="celery.backend_cleanup")
    push("pickled", Bomb(tmp_path / "exploded"), serializer="pickle")
    push("../../name", sealed("../../name"))
    refused = ["unsigned", "of-another-key", "of-another-task", "under-another-name", "for-another-queue"]
    refused += ["in-a-queue-it-does-not-take", "with-a-callback", "of-celery", "pickled"]

    worker = start_worker(desk.settings, "--queues", QUEUE)
    app.control.broadcast("shutdown")
    app.control.broadcast("add_consumer", {"queue": "query"})
    child = worker.child
    for garbage in NO_MESSAGES:
        app.backend.client.lpush(QUEUE, garbage)
        app.backend.client.publish("/0.celery.pidbox", garbage)
    assert desk.wait(desk.order("genuine", "red"))["status"] == states.SUCCESS
    for task in refused:
        meta = desk.wait(task)
        assert (task, meta["status"]) == (task, states.FAILURE)
        assert isinstance(meta["result"], MessageRefusedError), task
    assert desk.wait("expired")["status"] == states.REVOKED
    assert desk.meta("../../name")["status"] == states.PENDING
    log = worker.log.read_text()
    assert log.count("Refused a message from the broker: ") == len(refused) + 1
    assert "is not signed: an older version of Likewise wrote it" in log
    assert not (tmp_path / "exploded").exists()
    assert pickle.dumps(Bomb(tmp_path / "exploded")), "it would have"
    for command in ("shutdown", "add_consumer"):
        eventually(lambda command=command: f"command error: KeyError('{command}')" in worker.log.read_text())
    (listener,) = Broker(app).listeners()
    assert listener.queues == (QUEUE,)
    assert worker.child == child
    assert desk.queued() == 0


def test_a_worker_with_another_key_is_told_so(
    make_desk: Any, start_worker: Callable[..., Any], eventually: Callable[..., None]
) -> None:
    desk = make_desk()
    worker = start_worker(desk.settings.model_copy(update={"cluster_key": SecretStr("another key " * 4)}))
    desk.order("b1", "red")
    eventually(lambda: read_state(desk.app, "b1").state == states.FAILURE)
    assert "same LIKEWISE_CLUSTER_KEY" in str(read_state(desk.app, "b1").error)
    assert "same LIKEWISE_CLUSTER_KEY" in worker.log.read_text()
