"""How a worker, or what it works on, comes to an end: nothing is lost, and nothing is left behind."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Collection
from typing import Any

import psutil
import pytest
from billiard.exceptions import SoftTimeLimitExceeded, TimeLimitExceeded, WorkerLostError
from celery import states

Eventually = Callable[[Callable[[], object]], None]
Start = Callable[..., Any]


def family(worker: Any) -> list[psutil.Process]:
    """The worker's child and its decoders."""
    return list(psutil.Process(worker.pid).children(recursive=True))


def ended(processes: Collection[psutil.Process]) -> bool:
    return not any(process.is_running() and process.status() != psutil.STATUS_ZOMBIE for process in processes)


def test_all_its_processes_end_with_a_killed_parent(
    make_desk: Any, start_worker: Start, eventually: Eventually
) -> None:
    desk = make_desk(decode_workers=2)
    worker = start_worker(desk.settings, "--seconds", "600")
    desk.order("b1", "red", "green", "blue")
    eventually(lambda: len(family(worker)) == 3)
    processes = family(worker)
    worker.kill()
    eventually(lambda: ended(processes))


def test_a_killed_child_is_replaced_and_the_batch_done_again(
    make_desk: Any, start_worker: Start, eventually: Eventually
) -> None:
    desk = make_desk()
    worker = start_worker(desk.settings, "--seconds", "2")
    desk.order("b1", "red")
    desk.wait("b1", states.STARTED)
    eventually(lambda: len(family(worker)) == 2)
    processes = family(worker)
    os.kill(worker.child, signal.SIGKILL)
    assert desk.wait("b1")["status"] == states.SUCCESS
    eventually(lambda: ended(processes))


def test_a_batch_that_kills_twice_fails_and_the_worker_goes_on(make_desk: Any, start_worker: Start) -> None:
    desk = make_desk()
    worker = start_worker(desk.settings)
    meta = desk.wait(desk.order("deadly", "red", "magenta"))
    assert meta["status"] == states.FAILURE
    assert isinstance(meta["result"], WorkerLostError)
    assert desk.wait(desk.order("harmless", "red"))["status"] == states.SUCCESS
    assert worker.log.read_text().count("exited with 'signal 9") == 2


def test_a_batch_past_its_soft_limit_fails_in_the_same_child(make_desk: Any, start_worker: Start) -> None:
    """It hangs where whatever is raised counts as a file's fault, which running out of time is not."""
    desk = make_desk(task_seconds=5.0)
    worker = start_worker(desk.settings)
    child = worker.child
    meta = desk.wait(desk.order("hanging", "red", "cyan"))
    assert isinstance(meta["result"], SoftTimeLimitExceeded)
    assert desk.wait(desk.order("harmless", "red"))["status"] == states.SUCCESS
    assert worker.child == child


def test_a_child_that_does_not_listen_is_killed_at_the_hard_limit(make_desk: Any, start_worker: Start) -> None:
    desk = make_desk(task_seconds=3.0)
    worker = start_worker(desk.settings)
    child = worker.child
    meta = desk.wait(desk.order("deaf", "yellow"))
    assert isinstance(meta["result"], TimeLimitExceeded)
    assert desk.wait(desk.order("harmless", "red"))["status"] == states.SUCCESS
    assert worker.child != child


def test_a_signal_lets_the_batch_in_work_come_to_its_end(make_desk: Any, start_worker: Start) -> None:
    desk = make_desk()
    worker = start_worker(desk.settings, "--seconds", "2")
    desk.wait(desk.order("begun", "red"), states.STARTED)
    desk.order("waiting", "red")
    worker.stop()
    assert worker.wait() == 0
    assert list(worker.temporary.iterdir()) == []
    assert desk.meta("begun")["status"] == states.SUCCESS
    assert desk.meta("waiting")["status"] == states.PENDING
    start_worker(desk.settings)
    assert desk.wait("waiting")["status"] == states.SUCCESS


def test_a_second_signal_gives_the_batch_back_at_once(
    make_desk: Any, start_worker: Start, eventually: Eventually
) -> None:
    desk = make_desk()
    worker = start_worker(desk.settings, "--seconds", "600")
    desk.wait(desk.order("begun", "red"), states.STARTED)
    worker.stop()
    eventually(lambda: "Ending" in worker.log.read_text())
    worker.stop()
    worker.wait()
    assert desk.queued() == 1
    start_worker(desk.settings)
    assert desk.wait("begun")["status"] == states.SUCCESS


def test_a_worker_that_cannot_work_leaves_its_batch_to_others(make_desk: Any, start_worker: Start) -> None:
    """One that is not told where the Qdrant server is, say, or whose device is not there."""
    desk = make_desk()
    worker = start_worker(desk.settings)
    desk.order("b1", "red", deliver="store")
    assert worker.wait() != 0
    assert desk.queued() == 1
    assert "LIKEWISE_QDRANT_URL" in worker.log.read_text()


@pytest.mark.parametrize("at_start", [True, False])
def test_a_broker_that_is_away_is_waited_for(
    make_desk: Any, start_worker: Start, broker: Any, eventually: Eventually, *, at_start: bool
) -> None:
    desk = make_desk()
    if at_start:
        broker.stop()
    worker = start_worker(desk.settings, wait=not at_start)
    if not at_start:
        assert desk.wait(desk.order("b1", "red"))["status"] == states.SUCCESS
        broker.stop()
    eventually(lambda: "Trying again" in worker.log.read_text())
    broker.start()
    assert desk.wait(desk.order("b2", "red"))["status"] == states.SUCCESS


def test_what_was_made_while_the_broker_was_away_is_handed_in_when_it_is_back(
    make_desk: Any, start_worker: Start, broker: Any, eventually: Eventually
) -> None:
    desk = make_desk()
    worker = start_worker(desk.settings, "--seconds", "2")
    desk.wait(desk.order("b1", "red"), states.STARTED)
    broker.stop()
    eventually(lambda: "Took in 1 files" in worker.log.read_text())
    broker.start()
    assert desk.wait("b1")["status"] == states.SUCCESS
