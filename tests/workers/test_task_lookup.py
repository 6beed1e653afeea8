"""Tasks are found in the queues of a real broker and with real workers, and taken back from the queues alone."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from search.errors import BrokerUnavailableError
from search.media import Kind
from search.model_descriptions.model_choice import ModelChoice
from search.settings import Settings
from workers.batch.encode import sha256_of
from workers.batch.report import Batch, FileRef, Priority
from workers.cluster.serialization import BatchOrder
from workers.cluster.task_lookup import find_tasks
from workers.cluster.task_queue import TaskQueue

ENOUGH = 60.0
"""Seconds that workers are given to answer; a test that had to wait for all of them would run into its limit."""


@pytest.fixture
def queue(brokered: Settings, app: Any) -> TaskQueue:
    return TaskQueue(brokered, app)


def order(media: Path, kind: Kind = Kind.IMAGE, priority: Priority = Priority.NORMAL) -> BatchOrder:
    files = tuple(
        FileRef(str(path), "media", path.stat().st_size, path.stat().st_mtime, sha256_of(path), root=str(media))
        for path in sorted(media.rglob("*.png"))
    )
    return BatchOrder(Batch("1-1", "1", kind, files, priority), ModelChoice("quick", "frames_quick", "quick"), "report")


def test_tasks_are_found_wherever_they_are(
    brokered: Settings, app: Any, queue: TaskQueue, start_worker: Any, make_media: Callable[..., Path]
) -> None:
    media = make_media(each=1)
    worker = start_worker(brokered, "--seconds", "3600", "--queues", "embed.images")
    begun, waiting, lost = (queue.new_task("1") for _ in range(3))
    queue.send(begun, order(media), deaths=0)
    deadline = time.monotonic() + 60
    while not queue.has_started(begun):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    queue.send(waiting, order(media, Kind.AUDIO, Priority.LOW), deaths=0)
    assert find_tasks(app, [begun, waiting], ENOUGH) == {begun, waiting}
    assert find_tasks(app, [begun, waiting, lost]) == {begun, waiting}
    assert queue.withdraw([begun, waiting, lost]) == {waiting}
    assert find_tasks(app, [begun, waiting]) == {begun}
    worker.kill()
    assert find_tasks(app, [begun]) == set()


def test_only_the_orphans_of_the_same_job_and_ledger_are_taken_back(
    make_settings: Callable[..., Settings],
    brokered: Settings,
    app: Any,
    queue: TaskQueue,
    make_media: Any,
    tmp_path: Path,
) -> None:
    media = make_media(each=1)
    elsewhere = TaskQueue(make_settings(home=tmp_path / "elsewhere"), app)
    own, orphan, other_job = queue.new_task("1"), queue.new_task("1"), queue.new_task("12")
    other_ledger = elsewhere.new_task("1")
    for task in (own, orphan, other_job, other_ledger):
        queue.send(task, order(media), deaths=0)
    assert queue.withdraw_orphans("1", [own]) == {orphan}
    assert find_tasks(app, [own, other_job, other_ledger], ENOUGH) == {own, other_job, other_ledger}


def test_a_broker_that_is_away_is_said_to_be(queue: TaskQueue, broker: Any, make_media: Any) -> None:
    sent = order(make_media(each=1))
    broker.stop()
    for call in (
        lambda: queue.send("task", sent, deaths=0),
        lambda: queue.results(["task"]),
        lambda: queue.find(["task"]),
        lambda: queue.withdraw(["task"]),
        lambda: queue.forget(["task"]),
        lambda: queue.has_started("task"),
    ):
        with pytest.raises(BrokerUnavailableError, match="LIKEWISE_BROKER_URL"):
            call()
