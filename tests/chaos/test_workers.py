"""Workers die, hang, or are handed their work twice."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from workers.cluster.task_queue import TaskQueue


@pytest.fixture(params=["edge", "server"])
def settings(request: pytest.FixtureRequest, cluster_settings: Callable[..., Any]) -> Any:
    """For either kind of store: one whose owner alone writes, one that workers write into themselves."""
    return cluster_settings(request.getfixturevalue("qdrant") if request.param == "server" else None)


def test_a_child_is_killed_in_mid_batch(
    settings: Any, make_cluster: Any, start_worker: Any, paint: Any, check: Any, wait_for: Any
) -> None:
    media = paint()
    worker = start_worker(settings, "--seconds", "0.3")
    cluster = make_cluster(settings)
    cluster.begin(media)
    wait_for(lambda: cluster.done >= 16)
    os.kill(worker.child, signal.SIGKILL)
    assert cluster.done < 64
    check(cluster, cluster.finish(), media)
    assert "SIGKILL" in worker.log.read_text()


def test_a_whole_worker_is_killed(
    settings: Any, make_cluster: Any, start_worker: Any, paint: Any, check: Any, wait_for: Any
) -> None:
    media = paint()
    first, _ = start_worker(settings, "--seconds", "0.3"), start_worker(settings, "--seconds", "0.3")
    cluster = make_cluster(settings)
    cluster.begin(media)
    wait_for(lambda: cluster.done >= 16)
    first.kill()
    assert cluster.done < 64
    check(cluster, cluster.finish(), media)


def test_every_task_is_delivered_twice(
    settings: Any, make_cluster: Any, start_worker: Any, paint: Any, check: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    media = paint()
    for _ in range(2):
        start_worker(settings)
    sent = []
    send = TaskQueue.send

    def send_twice(queue: TaskQueue, task: str, order: Any, *, deaths: int) -> None:
        sent.append(task)
        send(queue, task, order, deaths=deaths)
        send(queue, task, order, deaths=deaths)

    monkeypatch.setattr(TaskQueue, "send", send_twice)
    cluster = make_cluster(settings)
    cluster.begin(media)
    check(cluster, cluster.finish(), media)
    assert len(sent) == 8


def test_a_file_that_kills_the_worker_process(
    cluster_settings: Any, make_cluster: Any, start_worker: Any, paint: Any, check: Any
) -> None:
    media = paint(32, deadly="magenta")
    settings = cluster_settings()
    start_worker(settings)
    cluster = make_cluster(settings)
    cluster.begin(media)
    check(cluster, cluster.finish(), media, {"deadly.png": "decoder_crash"})


@pytest.mark.parametrize("colour", ["cyan", "yellow"], ids=["listening", "deaf"])
def test_a_file_that_hangs_the_worker_process(
    cluster_settings: Any, make_cluster: Any, start_worker: Any, paint: Any, check: Any, colour: str
) -> None:
    media = paint(3, hanging=colour)
    settings = cluster_settings(task_seconds=5.0)
    start_worker(settings)
    cluster = make_cluster(settings)
    cluster.begin(media)
    check(cluster, cluster.finish(), media, {"hanging.png": "timeout"})


def test_files_that_kill_and_hang_their_decoder(
    cluster_settings: Any, make_cluster: Any, start_worker: Any, paint: Any, check: Any
) -> None:
    media = paint(16, kills_decoder="maroon", hangs_decoder="navy")
    settings = cluster_settings(decode_timeout=3.0)
    start_worker(settings, "--decoder", str(Path(__file__).with_name("wild_decoder.py")))
    cluster = make_cluster(settings)
    cluster.begin(media)
    failures = {"kills-decoder.png": "decoder_crash", "hangs-decoder.png": "timeout"}
    check(cluster, cluster.finish(), media, failures)
