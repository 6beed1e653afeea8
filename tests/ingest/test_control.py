"""Pausing, resuming and cancelling a job from another thread; jobs that queue; jobs that a kill left behind."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest

from ingest.jobs.service import JobProgress, JobService, JobState
from workers.batch.report import Batch, BatchReport

Counts = Callable[[JobProgress], dict[str, int]]
PATIENCE = 60


class Gate:
    """Holds the runner before a given batch until it is opened."""

    def __init__(self, at: int) -> None:
        self.at = at
        self.reached = threading.Event()
        self.opened = threading.Event()
        self._batches = 0

    def __call__(self, _batch: object) -> None:
        self._batches += 1
        if self._batches == self.at:
            self.reached.set()
            assert self.opened.wait(PATIENCE)


def start(desk: Any, gate: Gate) -> tuple[str, threading.Thread]:
    desk.runner.before = gate
    job = desk.ingest.start([desk.media])
    thread = threading.Thread(target=desk.ingest.run, args=(job,))
    thread.start()
    assert gate.reached.wait(PATIENCE)
    return job, thread


def wait_until(reached: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not reached():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_pause_and_resume(desk: Any, counts: Counts) -> None:
    desk.fill(300)
    gate = Gate(at=2)
    job, thread = start(desk, gate)
    desk.ingest.pause(job)
    assert desk.ingest.progress(job).state is JobState.PAUSED
    gate.opened.set()
    wait_until(lambda: desk.ingest.progress(job).embedded == 128)
    assert desk.ingest.progress(job).state is JobState.PAUSED
    assert len(desk.runner.batches) == 2, "the next batch waits"
    assert desk.ingest.unfinished() == [job]
    desk.ingest.resume(job)
    thread.join(PATIENCE)
    done = desk.ingest.progress(job)
    assert done.state is JobState.DONE
    assert counts(done) == {"embedded": 300}


class ReadAhead:
    """A runner that takes a batch more than it works on, as the real one does."""

    def __init__(self, runner: Any) -> None:
        self._runner = runner

    def run(self, batches: Iterable[Batch]) -> Iterator[BatchReport]:
        taken: list[Batch] = []
        for batch in batches:
            taken.append(batch)
            if len(taken) == 2:
                yield from self._runner.run([taken.pop(0)])
        yield from self._runner.run(taken)


def test_batches_in_work_are_reported_while_the_job_is_paused(desk: Any, counts: Counts) -> None:
    desk.fill(300)
    desk.ingest = JobService(desk.settings, desk.store, desk.ledger, ReadAhead(desk.runner))
    gate = Gate(at=1)
    job, thread = start(desk, gate)
    desk.ingest.pause(job)
    gate.opened.set()
    wait_until(lambda: desk.ingest.progress(job).embedded == 128)
    assert desk.ingest.progress(job).state is JobState.PAUSED
    desk.ingest.resume(job)
    thread.join(PATIENCE)
    assert counts(desk.ingest.progress(job)) == {"embedded": 300}


def test_looking_at_a_job_does_not_wait_for_the_store(desk: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.fill(3)
    desk.write("copy.jpg", "picture . 0")
    gate = Gate(at=1)
    refresh = desk.ingest._records.refresh

    def slow(*arguments: Any) -> set[str]:
        gate(None)
        return refresh(*arguments)

    monkeypatch.setattr(desk.ingest._records, "refresh", slow)
    job = desk.ingest.start([desk.media])
    thread = threading.Thread(target=desk.ingest.run, args=(job,))
    thread.start()
    assert gate.reached.wait(PATIENCE)
    looked: list[JobProgress] = []
    looking = threading.Thread(target=lambda: looked.append(desk.ingest.progress(job)), daemon=True)
    looking.start()
    looking.join(PATIENCE / 10)
    totals = [seen.total for seen in looked]
    gate.opened.set()
    thread.join(PATIENCE)
    assert totals == [4]


@pytest.mark.parametrize("paused", [False, True])
def test_cancel_finishes_the_batch_at_hand(desk: Any, counts: Counts, paused: bool) -> None:
    desk.fill(300)
    gate = Gate(at=2)
    job, thread = start(desk, gate)
    if paused:
        desk.ingest.pause(job)
    desk.ingest.cancel(job)
    gate.opened.set()
    thread.join(PATIENCE)
    cancelled = desk.ingest.progress(job)
    assert cancelled.state is JobState.CANCELLED
    assert counts(cancelled) == {"embedded": 128}
    assert len(desk.records()) == 128
    assert desk.ingest.unfinished() == []
    assert desk.ingest.run(job) == cancelled, "a job that has ended does not start again"
    assert counts(desk.run()) == {"unchanged": 128, "embedded": 172}


def test_second_job_waits_for_the_first(desk: Any, counts: Counts) -> None:
    desk.fill(100)
    gate = Gate(at=1)
    first, thread = start(desk, gate)
    second = desk.ingest.start([desk.media])
    other = threading.Thread(target=desk.ingest.run, args=(second,))
    other.start()
    assert desk.ingest.progress(second).state is JobState.QUEUED
    gate.opened.set()
    thread.join(PATIENCE)
    other.join(PATIENCE)
    assert counts(desk.ingest.progress(first)) == {"embedded": 100}
    assert counts(desk.ingest.progress(second)) == {"unchanged": 100}


def test_queued_job_can_be_cancelled(desk: Any) -> None:
    desk.fill(3)
    job = desk.ingest.start([desk.media])
    assert desk.ingest.unfinished() == [job]
    desk.ingest.cancel(job)
    assert desk.ingest.progress(job).state is JobState.CANCELLED
    assert desk.ingest.run(job).embedded == 0


class Killed(BaseException):
    """What a kill looks like from inside: nothing catches it, nothing is tidied up."""


def test_job_that_was_cut_off_is_taken_up_with_its_counts(desk: Any, counts: Counts) -> None:
    desk.fill(300)
    desk.write("copy.jpg", "picture . 0")
    desk.write("broken.jpg", "broken")
    desk.runner.before = lambda _batch: None
    job = desk.ingest.start([desk.media])

    def after_two(_batch: object) -> None:
        if len(desk.runner.batches) == 3:
            raise Killed

    desk.runner.before = after_two
    with pytest.raises(Killed):
        desk.ingest.run(job)
    assert desk.ingest.progress(job).state is JobState.RUNNING
    assert desk.ingest.progress(job).embedded == 128
    assert desk.ingest.unfinished() == [job]
    desk.runner.before = None
    desk.write("00299.jpg", "changed meanwhile")
    (desk.media / "00150.jpg").unlink()
    final = desk.ingest.run(job)
    assert final.state is JobState.DONE_WITH_FAILURES
    assert counts(final) == {"embedded": 299, "duplicate": 1, "failed": 1}
    assert final.total == final.done == 301
    assert len(desk.records(missing=True)) == 300


def test_record_written_by_a_killed_job_for_a_file_that_is_gone_since(desk: Any) -> None:
    desk.fill(10)

    def stored_but_not_reported(batch: Any) -> None:
        for file in batch.files:
            desk.runner._outcome(batch, file)
        raise Killed

    desk.runner.before = stored_but_not_reported
    job = desk.ingest.start([desk.media])
    with pytest.raises(Killed):
        desk.ingest.run(job)
    assert len(desk.records()) == 10
    (desk.media / "00004.jpg").unlink()
    desk.runner.before = None
    final = desk.ingest.run(job)
    assert (final.state, final.embedded, final.duplicate) == (JobState.DONE, 9, 0)
    assert len(desk.records(missing=True)) == 9, "no record without a file stays behind"


def test_error_of_our_own_is_recorded_and_raised(desk: Any) -> None:
    desk.fill(3)

    def stumble(_batch: object) -> None:
        raise ZeroDivisionError("a bug")

    desk.runner.before = stumble
    job = desk.ingest.start([desk.media])
    with pytest.raises(ZeroDivisionError):
        desk.ingest.run(job)
    assert desk.ingest.progress(job).state is JobState.FAILED
    assert "ZeroDivisionError: a bug" in desk.ingest.progress(job).message


def test_job_that_two_threads_run_is_run_once(desk: Any, counts: Counts, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.fill(100)
    scans: list[object] = []
    found = desk.ingest._sources.found
    monkeypatch.setattr(desk.ingest._sources, "found", lambda *order: scans.append(order) or found(*order))
    gate = Gate(at=1)
    job, thread = start(desk, gate)
    answers: list[JobProgress] = []
    other = threading.Thread(target=lambda: answers.append(desk.ingest.run(job)))
    other.start()
    other.join(0.2)  # by now it most likely waits for its turn; a later start is answered as well
    gate.opened.set()
    thread.join(PATIENCE)
    other.join(PATIENCE)
    assert answers == [desk.ingest.progress(job)]
    assert counts(answers[0]) == {"embedded": 100}
    assert len(scans) == 1


def test_job_that_was_cancelled_stays_so_when_the_process_ends(desk: Any) -> None:
    desk.fill(300)
    gate = Gate(at=2)
    job, thread = start(desk, gate)
    desk.ingest.cancel(job)
    desk.ingest.halt()
    gate.opened.set()
    thread.join(PATIENCE)
    assert desk.ingest.progress(job).state is JobState.CANCELLED
    assert desk.ingest.unfinished() == []


def test_halt_leaves_the_job_for_the_next_process(desk: Any, counts: Counts, make_desk: Any) -> None:
    desk.fill(300)
    gate = Gate(at=2)
    job, thread = start(desk, gate)
    desk.ingest.halt()
    gate.opened.set()
    thread.join(PATIENCE)
    assert desk.ingest.unfinished() == [job]
    assert len(desk.records()) == 128
    later = make_desk(store=desk.store)
    assert counts(later.ingest.run(job)) == {"embedded": 300}
