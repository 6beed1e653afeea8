"""The broker goes away and comes back empty; the store goes away; a coordinator is killed; people stop a job."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import pytest

from ingest.jobs.progress import JobState

AWAY = 10.0
"""Seconds of an backoff: longer than any connection is tried for at once."""


@pytest.mark.parametrize(("kind", "seconds"), [("edge", AWAY), ("server", 3.0)])
def test_the_broker_is_away_and_comes_back_empty(
    request: pytest.FixtureRequest,
    kind: str,
    seconds: float,
    cluster_settings: Any,
    make_cluster: Any,
    start_worker: Any,
    broker: Any,
    paint: Any,
    check: Any,
    wait_for: Any,
) -> None:
    media = paint()
    settings = cluster_settings(request.getfixturevalue("qdrant") if kind == "server" else None)
    for _ in range(2):
        start_worker(settings, "--seconds", "0.3")
    cluster = make_cluster(settings)
    cluster.begin(media)
    wait_for(lambda: cluster.done >= 16)
    broker.stop()
    time.sleep(seconds)
    assert cluster.done < 64
    broker.start()
    check(cluster, cluster.finish(), media)


def test_the_store_is_away(
    cluster_settings: Any,
    make_cluster: Any,
    start_worker: Any,
    qdrant: Any,
    paint: Any,
    check: Any,
    wait_for: Any,
) -> None:
    media = paint()
    settings = cluster_settings(qdrant)
    start_worker(settings, "--seconds", "0.3")
    cluster = make_cluster(settings)
    cluster.begin(media)
    wait_for(lambda: cluster.done >= 16)
    qdrant.stop()
    time.sleep(AWAY)
    assert cluster.done < 64
    qdrant.start()
    check(cluster, cluster.finish(), media)


@pytest.mark.parametrize("kind", ["edge", "server"])
def test_the_coordinator_is_killed(
    request: pytest.FixtureRequest,
    kind: str,
    cluster_settings: Any,
    make_cluster: Any,
    start_worker: Any,
    environment_of: Callable[..., dict[str, str]],
    parts: Any,
    paint: Any,
    check: Any,
    wait_for: Any,
) -> None:
    media = paint()
    settings = cluster_settings(request.getfixturevalue("qdrant") if kind == "server" else None)
    worker = start_worker(settings, "--seconds", "0.3")
    command = [sys.executable, str(parts.__file__), str(media)]
    with subprocess.Popen(command, env=environment_of(settings), stdout=subprocess.PIPE, text=True) as coordinator:
        assert coordinator.stdout is not None
        while int(coordinator.stdout.readline()) < 16:
            pass
        os.kill(worker.child, signal.SIGSTOP)  # so that what has been sent still waits when the next one comes
        wait_for(lambda: parts.waiting(settings))
        coordinator.kill()
        assert coordinator.wait() == -signal.SIGKILL
    cluster = make_cluster(settings)
    orphans = cluster.waiting()
    assert orphans
    assert cluster.ingest.waiting() == ["1"]
    assert 16 <= cluster.ingest.progress("1").done < 64
    cluster.begin(media, "1")
    wait_for(lambda: not set(orphans).intersection(cluster.waiting()))
    os.kill(worker.child, signal.SIGCONT)
    check(cluster, cluster.finish(), media)


def test_a_paused_job_leaves_nothing_in_the_queues_and_goes_on(
    cluster_settings: Any, make_cluster: Any, start_worker: Any, paint: Any, check: Any, wait_for: Any
) -> None:
    media = paint()
    settings = cluster_settings()
    start_worker(settings, "--seconds", "0.3")
    cluster = make_cluster(settings)
    job = cluster.begin(media)
    wait_for(lambda: cluster.done >= 16)
    cluster.ingest.pause(job)
    wait_for(lambda: cluster.waiting() == [])
    wait_for(lambda: cluster.ingest.progress(job).state is JobState.PAUSED)
    time.sleep(1.0)  # what a worker had begun ends
    done = cluster.done
    time.sleep(2.0)
    assert cluster.done == done < 64
    cluster.ingest.resume(job)
    check(cluster, cluster.finish(), media)


def test_a_job_that_no_worker_takes_up_can_be_cancelled(
    cluster_settings: Any, make_cluster: Any, paint: Any, wait_for: Any
) -> None:
    media = paint()
    cluster = make_cluster(cluster_settings())
    job = cluster.begin(media)
    wait_for(lambda: len(cluster.waiting()) == 4)
    cluster.ingest.cancel(job)
    ended = cluster.finish()
    assert ended.state is JobState.CANCELLED
    assert cluster.waiting() == []
    assert cluster.stored() == {}


def test_a_cancelled_job_ends_after_what_workers_have_begun(
    cluster_settings: Any, make_cluster: Any, start_worker: Any, paint: Any, wait_for: Any
) -> None:
    media = paint()
    settings = cluster_settings()
    start_worker(settings, "--seconds", "1.0")
    cluster = make_cluster(settings)
    job = cluster.begin(media)
    wait_for(lambda: cluster.done >= 8)
    cluster.ingest.cancel(job)
    ended = cluster.finish()
    assert ended.state is JobState.CANCELLED
    assert ended.done < 64
    assert cluster.waiting() == []
    assert len(cluster.stored()) == ended.embedded
