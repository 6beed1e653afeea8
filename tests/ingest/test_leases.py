"""One coordinator a job: who may run it, what is taken over, and what a coordinator does that has lost its job."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select, update

from ingest.jobs import leases
from ingest.jobs.service import JobProgress, JobService, JobState
from ingest.ledger.entries import forget
from ingest.ledger.tables import jobs, planned, unsettled
from ingest.plan.dispatch import Dispatch
from workers.batch.report import Priority

Counts = Callable[[JobProgress], dict[str, int]]
PATIENCE = 60


class Gate:
    """Holds the runner before its first batch until it is opened."""

    def __init__(self) -> None:
        self.reached, self.opened = threading.Event(), threading.Event()

    def __call__(self, _batch: object) -> None:
        self.reached.set()
        assert self.opened.wait(PATIENCE)


@pytest.fixture
def elsewhere(desk: Any, fakes: Any) -> Any:
    """Another machine's coordinator on the same ledger and store, with a runner of its own."""
    desk.elsewhere_runner = fakes.FakeRunner(desk.store)
    other = JobService(desk.settings, desk.store, desk.ledger, desk.elsewhere_runner, retry_delays=(0.0,))
    yield other
    other.halt()


def in_background(ingest: JobService, job: str) -> threading.Thread:
    thread = threading.Thread(target=ingest.run, args=(job,))
    thread.start()
    return thread


def wait_until(reached: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not reached():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def row_of(desk: Any, job: str) -> Any:
    with desk.ledger.read() as connection:
        return connection.execute(select(jobs).where(jobs.c.id == int(job))).one()


def set_lease(desk: Any, job: str, **values: object) -> None:
    with desk.ledger.write() as connection:
        connection.execute(update(jobs).where(jobs.c.id == int(job)).values(**values))


def begun(desk: Any) -> tuple[str, Gate, threading.Thread]:
    gate = Gate()
    desk.runner.before = gate
    job = desk.ingest.start([desk.media])
    thread = in_background(desk.ingest, job)
    assert gate.reached.wait(PATIENCE)
    return job, gate, thread


def finish(gate: Gate, thread: threading.Thread) -> None:
    gate.opened.set()
    thread.join(PATIENCE)
    assert not thread.is_alive()


def test_nobody_else_runs_a_job_that_is_held(desk: Any, elsewhere: JobService, counts: Counts) -> None:
    desk.fill(3)
    job, gate, thread = begun(desk)
    assert elsewhere.waiting() == []
    seen = elsewhere.run(job)
    assert seen.state in (JobState.SCANNING, JobState.RUNNING)
    assert desk.elsewhere_runner.seen == []
    finish(gate, thread)
    assert counts(elsewhere.run(job)) == {"embedded": 3}
    assert row_of(desk, job).owner == ""


def test_a_job_belongs_to_whoever_registered_it_until_that_ends(desk: Any, elsewhere: JobService) -> None:
    desk.fill(3)
    job = desk.ingest.start([desk.media])
    assert elsewhere.waiting() == []
    assert elsewhere.run(job).state is JobState.QUEUED
    desk.ingest.halt()
    assert elsewhere.waiting() == [job]
    assert elsewhere.run(job).state is JobState.DONE


def test_pause_resume_and_cancel_from_another_machine(
    desk: Any, elsewhere: JobService, counts: Counts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leases, "HEARTBEAT_SECONDS", 0.05)
    desk.fill(300)
    job, gate, thread = begun(desk)
    elsewhere.pause(job)
    assert elsewhere.progress(job).state is JobState.PAUSED
    wait_until(lambda: desk.ingest.progress(job).state is JobState.PAUSED)
    gate.opened.set()
    wait_until(lambda: desk.ingest.progress(job).embedded == 64)
    assert elsewhere.progress(job).embedded == 64
    elsewhere.resume(job)
    wait_until(lambda: desk.ingest.progress(job).embedded > 64)
    thread.join(PATIENCE)
    assert counts(elsewhere.progress(job)) == {"embedded": 300}

    desk.write("00001.jpg", "changed")
    job, gate, thread = begun(desk)
    elsewhere.cancel(job)
    finish(gate, thread)
    assert elsewhere.progress(job).state is JobState.CANCELLED


def test_a_job_paused_while_it_waits_does_not_begin(desk: Any, elsewhere: JobService) -> None:
    desk.fill(3)
    job = desk.ingest.start([desk.media])
    elsewhere.pause(job)
    desk.ingest.halt()
    assert elsewhere.waiting() == []
    assert elsewhere.progress(job).state is JobState.PAUSED
    elsewhere.resume(job)
    assert elsewhere.waiting() == [job]
    elsewhere.cancel(job)
    assert elsewhere.progress(job).state is JobState.CANCELLED
    elsewhere.pause(job)
    assert elsewhere.progress(job).state is JobState.CANCELLED, "what has ended stays ended"


def test_a_cancel_outlives_the_process_that_was_to_hear_it(desk: Any, elsewhere: JobService) -> None:
    desk.fill(3)
    job = desk.ingest.start([desk.media])
    elsewhere.cancel(job)
    assert elsewhere.progress(job).state is JobState.QUEUED, "it is for its own coordinator to end it"
    elsewhere.resume(job)
    ended = desk.ingest.run(job)
    assert ended.state is JobState.CANCELLED
    assert desk.runner.seen == []


def test_a_job_that_waits_is_cancelled_from_another_machine_without_its_turn(
    desk: Any, elsewhere: JobService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ingest.jobs.service.SLOT_SECONDS", 0.02)
    desk.fill(3)
    first, gate, thread = begun(desk)
    waiting = desk.ingest.start([desk.media])
    background = in_background(desk.ingest, waiting)
    elsewhere.cancel(waiting)
    background.join(PATIENCE)
    ended, running = elsewhere.progress(waiting), elsewhere.progress(first)
    finish(gate, thread)
    assert ended.state is JobState.CANCELLED
    assert not running.finished


def test_a_job_paused_while_it_waits_keeps_no_other_waiting(desk: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ingest.jobs.service.SLOT_SECONDS", 0.02)
    desk.fill(3)
    _, gate, thread = begun(desk)
    paused, other = desk.ingest.start([desk.media]), desk.ingest.start([desk.media])
    desk.ingest.pause(paused)
    threads = [in_background(desk.ingest, job) for job in (paused, other)]
    finish(gate, thread)
    threads[1].join(PATIENCE)
    assert desk.ingest.progress(other).state is JobState.DONE
    assert desk.ingest.progress(paused).state is JobState.PAUSED
    desk.ingest.resume(paused)
    threads[0].join(PATIENCE)
    assert desk.ingest.progress(paused).state is JobState.DONE


def test_a_coordinator_that_slept_too_long_stops_without_harm(
    desk: Any, elsewhere: JobService, counts: Counts, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A paused machine: its heart stands still, its lease runs out, another goes on, and it wakes up in the middle."""
    desk.fill(100)
    monkeypatch.setattr(leases.LeaseKeeper, "_renew", lambda *_: None)
    job, gate, thread = begun(desk)
    set_lease(desk, job, heartbeat=time.time() - leases.LEASE_SECONDS - 5)
    assert elsewhere.waiting() == [job]
    held, runner = Gate(), desk.elsewhere_runner
    runner.before = held
    taking_over = in_background(elsewhere, job)
    assert held.reached.wait(PATIENCE)
    finish(gate, thread)
    mine = row_of(desk, job)
    assert (mine.owner, mine.state, mine.embedded) == (elsewhere._keeper.name, "running", 0)
    with desk.ledger.read() as connection:
        assert len(connection.execute(select(planned)).all()) == 100, "the plan of the one that goes on is untouched"
    finish(held, taking_over)
    assert counts(elsewhere.progress(job)) == {"embedded": 100}
    assert len(desk.records(missing=True)) == 100


def test_the_heart_hears_that_the_job_is_lost(desk: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leases, "HEARTBEAT_SECONDS", 0.05)
    desk.fill(3)
    job, gate, thread = begun(desk)
    live = desk.ingest._live[job]
    set_lease(desk, job, owner="somebody/else/1/x")
    wait_until(lambda: live.lost)
    assert live.cancelled
    finish(gate, thread)
    assert row_of(desk, job).owner == "somebody/else/1/x"
    assert row_of(desk, job).state == "running"


def test_leases_are_renewed_while_nothing_is_reported(desk: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leases, "HEARTBEAT_SECONDS", 0.05)
    desk.fill(3)
    waiting = desk.ingest.start([desk.media])
    job, gate, thread = begun_beside(desk)
    for number in (job, waiting):
        wait_for_beat(desk, number)
    finish(gate, thread)


def wait_for_beat(desk: Any, job: str) -> None:
    before = row_of(desk, job).heartbeat
    wait_until(lambda: row_of(desk, job).heartbeat > before)


def begun_beside(desk: Any) -> tuple[str, Gate, threading.Thread]:
    (desk.media.parent / "other").mkdir()
    (desk.media.parent / "other" / "a.jpg").write_text("another picture")
    gate = Gate()
    desk.runner.before = gate
    job = desk.ingest.start([desk.media.parent / "other"])
    thread = in_background(desk.ingest, job)
    assert gate.reached.wait(PATIENCE)
    return job, gate, thread


def test_who_is_dead_is_known_at_once_on_the_same_machine(desk: Any, elsewhere: JobService) -> None:
    desk.fill(3)
    job = desk.ingest.start([desk.media])
    place = leases.new_coordinator_name().rsplit("/", 2)[0]
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    for owner, free in (
        (f"{place}/{gone.pid}/abcd", True),
        (f"{place}/{os.getppid()}/abcd", False),
        (f"another/place/{gone.pid}/abcd", False),
        ("", True),
    ):
        set_lease(desk, job, owner=owner, heartbeat=time.time())
        assert (elsewhere.waiting() == [job]) is free, owner
    set_lease(desk, job, owner="another/place/1/abcd", heartbeat=time.time() - leases.LEASE_SECONDS - 1)
    assert elsewhere.waiting() == [job]


def test_jobs_over_the_same_folders_take_turns_anywhere(desk: Any, elsewhere: JobService, counts: Counts) -> None:
    desk.fill(3, "inner")
    job, gate, thread = begun(desk)
    inner = elsewhere.start([desk.media / "inner"])
    waiting = in_background(elsewhere, inner)
    wait_until(lambda: f"waits for job {job}" in desk.ingest.progress(inner).message)
    assert desk.elsewhere_runner.seen == []
    finish(gate, thread)
    waiting.join(PATIENCE)
    assert counts(elsewhere.progress(inner)) == {"unchanged": 3}


def test_equal_bytes_in_jobs_that_run_side_by_side(desk: Any, elsewhere: JobService, counts: Counts) -> None:
    """Both embed the same content, and one ends, sweeping, while the other's report is still on its way."""
    desk.write("here/a.jpg", "same")
    desk.write("there/b.jpg", "same")
    gate = Gate()
    desk.runner.before = gate
    first = desk.ingest.start([desk.media / "here"])
    thread = in_background(desk.ingest, first)
    assert gate.reached.wait(PATIENCE)
    second = elsewhere.run(elsewhere.start([desk.media / "there"]))
    assert counts(second) == {"embedded": 1}
    finish(gate, thread)
    ended = desk.ingest.progress(first)
    assert (ended.state, ended.total, ended.done) == (JobState.DONE, 1, 1)
    records = desk.records()
    assert set(records) == {"here/a.jpg", "there/b.jpg"}
    assert records["here/a.jpg"] == records["there/b.jpg"]


def test_whoever_writes_a_shared_record_last_does_not_hide_the_other_path(desk: Any, elsewhere: JobService) -> None:
    """Neither worker saw the other's record: the later one replaced it, with its own path only."""
    desk.write("here/a.jpg", "same")
    desk.write("there/b.jpg", "same")
    gate = Gate()
    desk.runner.before = gate
    first = desk.ingest.start([desk.media / "here"])
    thread = in_background(desk.ingest, first)
    assert gate.reached.wait(PATIENCE)
    elsewhere.run(elsewhere.start([desk.media / "there"]))
    desk.store.delete("images", [record.id for record in desk.records().values()])
    finish(gate, thread)
    assert set(desk.records()) == {"here/a.jpg", "there/b.jpg"}


def test_a_sweep_spares_what_another_job_is_writing(desk: Any, elsewhere: JobService) -> None:
    path = desk.write("here/a.jpg", "fresh")
    desk.write("there/b.jpg", "other")
    gate = Gate()
    runner = desk.runner

    def stored_already(batch: Any) -> None:
        runner.before = None
        for file in batch.files:
            runner._outcome(batch, file)  # the worker has stored it; its report is still on its way
        gate(batch)

    runner.before = stored_already
    first = desk.ingest.start([desk.media / "here"])
    thread = in_background(desk.ingest, first)
    assert gate.reached.wait(PATIENCE)
    assert elsewhere.run(elsewhere.start([desk.media / "there"])).state is JobState.DONE
    assert set(desk.records()) == {"here/a.jpg", "there/b.jpg"}
    finish(gate, thread)
    assert set(desk.records()) == {"here/a.jpg", "there/b.jpg"}
    with desk.ledger.read() as connection:
        assert connection.execute(select(unsettled)).all() == []
    path.unlink()


def test_a_missing_file_that_another_job_forgets_is_read_anew(
    desk: Any, counts: Counts, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is found again just when another job comes upon its content elsewhere, and takes it for a move."""
    path = desk.write("here/a.jpg", "wanderer")
    desk.run(desk.media / "here")
    path.rename(desk.media / "away.jpg")
    desk.run(desk.media / "here", confirm_missing=True)
    (desk.media / "away.jpg").rename(path)

    def forget_first(*arguments: Any, **options: Any) -> Dispatch:
        with desk.ledger.write() as connection:
            forget(connection, [str(path)])
        return Dispatch(*arguments, **options)

    monkeypatch.setattr("ingest.jobs.ingest_run.Dispatch", forget_first)
    done = desk.run(desk.media / "here")
    assert (done.state, done.total, done.done) == (JobState.DONE, 1, 1)
    assert set(desk.records()) == {"here/a.jpg"}


def test_waiting_jobs_run_in_the_order_of_their_priorities(desk: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ingest.jobs.service.SLOT_SECONDS", 0.02)
    for name in ("a", "b", "c", "d"):
        desk.write(f"{name}/{name}.jpg", name)
    gate = Gate()
    desk.runner.before = gate
    first = desk.ingest.start([desk.media / "a"])
    threads = [in_background(desk.ingest, first)]
    assert gate.reached.wait(PATIENCE)
    order = [
        desk.ingest.start([desk.media / name], priority=priority)
        for name, priority in (("b", Priority.LOW), ("c", Priority.NORMAL), ("d", Priority.HIGH))
    ]
    threads += [in_background(desk.ingest, job) for job in order]
    assert [job for job in desk.ingest.waiting() if job != first] == order[::-1]
    gate.opened.set()
    for thread in threads:
        thread.join(PATIENCE)
    assert desk.seen == ["a/a.jpg", "d/d.jpg", "c/c.jpg", "b/b.jpg"]
    assert {batch.job: batch.priority for batch in desk.runner.batches}[order[2]] is Priority.HIGH


def test_jobs_that_were_left_behind_keep_to_their_priorities(
    desk: Any, elsewhere: JobService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ingest.jobs.service.SLOT_SECONDS", 0.02)
    priorities = {"a": Priority.LOW, "b": Priority.NORMAL, "c": Priority.HIGH, "d": Priority.NORMAL}
    left = []
    for name, priority in priorities.items():
        desk.write(f"{name}/{name}.jpg", name)
        left.append(desk.ingest.start([desk.media / name], priority=priority))
    desk.ingest.halt()
    set_lease(desk, left[0], state=JobState.RUNNING.value)
    assert elsewhere._slot._lock.acquire(timeout=PATIENCE)  # until all of them are known to wait
    threads = [in_background(elsewhere, job) for job in left]
    wait_until(lambda: len(elsewhere._live) == len(left))
    elsewhere._slot._lock.release()
    for thread in threads:
        thread.join(PATIENCE)
    assert [batch.job for batch in desk.elsewhere_runner.batches] == [left[2], left[1], left[3], left[0]]
