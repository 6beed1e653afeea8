"""Tasks are found in the queues of a real broker and with real workers, and taken back from the queues alone."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from search.errors import BrokerUnavailableError
from search.media import Kind
from search.model_descriptions.registry import ModelChoice
from search.settings import Settings
from workers.batch.report import Batch, FileRef, Priority
from workers.cluster.serialization import Order
from workers.cluster.task_lookup import find_tasks
from workers.cluster.task_queue import Post

ENOUGH = 60.0
"""Seconds that workers are given to answer; a test that had to wait for all of them would run into its limit."""


@pytest.fixture
def post(brokered: Settings, app: Any) -> Post:
    return Post(brokered, app)


def order(media: Path, kind: Kind = Kind.IMAGE, priority: Priority = Priority.NORMAL) -> Order:
    files = tuple(
        FileRef(str(path), "media", path.stat().st_size, path.stat().st_mtime, f"{number:064x}", root=str(media))
        for number, path in enumerate(sorted(media.rglob("*.png")))
    )
    return Order(Batch("1-1", "1", kind, files, priority), ModelChoice("quick", "frames_quick", "quick"), "report")


def test_tasks_are_found_wherever_they_are(
    brokered: Settings, app: Any, post: Post, start_worker: Any, make_media: Callable[..., Path]
) -> None:
    media = make_media(each=1)
    worker = start_worker(brokered, "--seconds", "3600", "--queues", "embed.images")
    begun, waiting, lost = (post.new_task("1") for _ in range(3))
    post.send(begun, order(media), deaths=0)
    deadline = time.monotonic() + 60
    while not post.was_begun(begun):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    post.send(waiting, order(media, Kind.AUDIO, Priority.LOW), deaths=0)
    assert find_tasks(app, [begun, waiting], ENOUGH) == {begun, waiting}
    assert find_tasks(app, [begun, waiting, lost]) == {begun, waiting}
    assert post.withdraw([begun, waiting, lost]) == {waiting}
    assert find_tasks(app, [begun, waiting]) == {begun}
    worker.kill()
    assert find_tasks(app, [begun]) == set()


def test_only_the_orphans_of_the_same_job_and_ledger_are_taken_back(
    make_settings: Callable[..., Settings], brokered: Settings, app: Any, post: Post, make_media: Any, tmp_path: Path
) -> None:
    media = make_media(each=1)
    elsewhere = Post(make_settings(home=tmp_path / "elsewhere"), app)
    own, orphan, other_job = post.new_task("1"), post.new_task("1"), post.new_task("12")
    other_ledger = elsewhere.new_task("1")
    for task in (own, orphan, other_job, other_ledger):
        post.send(task, order(media), deaths=0)
    assert post.withdraw_orphans("1", [own]) == {orphan}
    assert find_tasks(app, [own, other_job, other_ledger], ENOUGH) == {own, other_job, other_ledger}


def test_a_broker_that_is_away_is_said_to_be(post: Post, broker: Any, make_media: Any) -> None:
    sent = order(make_media(each=1))
    broker.stop()
    for call in (
        lambda: post.send("task", sent, deaths=0),
        lambda: post.endings(["task"]),
        lambda: post.find(["task"]),
        lambda: post.withdraw(["task"]),
        lambda: post.forget(["task"]),
        lambda: post.was_begun("task"),
    ):
        with pytest.raises(BrokerUnavailableError, match="LIKEWISE_BROKER_URL"):
            call()
