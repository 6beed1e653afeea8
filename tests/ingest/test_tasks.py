"""Work other than ingest, run as a job: counted, paused, cancelled, taken up again, and alone."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from ingest.jobs.kinds import JobKind, MigrateOptions
from ingest.jobs.service import JobService, JobState
from ingest.jobs.tasks import TaskRun
from search.errors import NotFoundError, StoreUnavailableError, UsageError

PATIENCE = 60


class Counting:
    """Counts to ``to``, a step at a time, and remembers where it was as a real task finds out from what it has made."""

    def __init__(self) -> None:
        self.reached = 0
        self.at_step: Callable[[int], object] = lambda _step: None
        self.began = threading.Event()

    def check(self, options: MigrateOptions) -> str:
        return f"up to {options.to}"

    def run(self, options: MigrateOptions, job: TaskRun) -> str:
        job.begin(int(options.to), done=self.reached)
        self.began.set()
        while self.reached < int(options.to):
            if not job.goes_on():
                return "It will go on from there."
            self.at_step(self.reached)
            self.reached += 1
            job.count(done=1)
        return f"Counted to {options.to}."


@pytest.fixture
def counting() -> Counting:
    return Counting()


@pytest.fixture
def ingest(desk: Any, counting: Counting) -> JobService:
    desk.ingest.halt()
    desk.ingest = JobService(
        desk.settings, desk.store, desk.ledger, desk.runner, tasks={JobKind.MIGRATE: counting}, retry_delays=(0.0, 0.0)
    )
    return desk.ingest  # type: ignore[no-any-return]


def in_background(ingest: JobService, job: str) -> threading.Thread:
    thread = threading.Thread(target=ingest.run, args=(job,))
    thread.start()
    return thread


def wait_until(reached: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not reached():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_task_is_a_job_like_any_other(ingest: JobService) -> None:
    job = ingest.start_task(JobKind.MIGRATE, {"to": "5"})
    assert ingest.progress(job).state is JobState.QUEUED
    done = ingest.run(job)
    assert (done.state, done.total, done.embedded, done.task) == (JobState.DONE, 5, 5, JobKind.MIGRATE)
    assert (done.library, done.message) == ("up to 5", "Counted to 5.")
    assert ingest.jobs() == [done]


def test_what_cannot_be_makes_no_job(ingest: JobService) -> None:
    with pytest.raises(UsageError, match="needs the option 'to'"):
        ingest.start_task(JobKind.MIGRATE, {})
    with pytest.raises(NotFoundError, match="no task 'dance'"):
        ingest.start_task("dance")
    assert ingest.jobs() == []


def test_trouble_that_passes_is_waited_for_and_other_trouble_ends_it(ingest: JobService, counting: Counting) -> None:
    left = [StoreUnavailableError("The store is away."), StoreUnavailableError("The store is away.")]

    def trouble(step: int) -> None:
        if step == 2 and left:
            raise left.pop()

    counting.at_step = trouble
    done = ingest.run(ingest.start_task(JobKind.MIGRATE, {"to": "4"}))
    assert (done.state, done.embedded) == (JobState.DONE, 4)
    counting.reached = 0
    left.extend([StoreUnavailableError("The store is away.")] * 9)
    failed = ingest.run(ingest.start_task(JobKind.MIGRATE, {"to": "4"}))
    assert (failed.state, failed.embedded) == (JobState.FAILED, 2)
    assert "The store is away." in failed.message


def test_failed_units_are_told(ingest: JobService, counting: Counting, monkeypatch: pytest.MonkeyPatch) -> None:
    def run(_options: MigrateOptions, job: TaskRun) -> str:
        job.count(total=3, done=2, failed=1)
        return "One is left out."

    monkeypatch.setattr(counting, "run", run)
    ended = ingest.run(ingest.start_task(JobKind.MIGRATE, {"to": "3"}))
    assert (ended.state, ended.failed) == (JobState.DONE_WITH_FAILURES, 1)
    assert ended.message == "One is left out."


def test_pause_resume_and_cancel(ingest: JobService, counting: Counting) -> None:
    pausing = threading.Event()

    def wait_at_two(step: int) -> None:
        if step == 2:
            assert pausing.wait(PATIENCE)

    counting.at_step = wait_at_two
    job = ingest.start_task(JobKind.MIGRATE, {"to": "1000000"})
    thread = in_background(ingest, job)
    assert counting.began.wait(PATIENCE)
    ingest.pause(job)
    pausing.set()
    wait_until(lambda: counting.reached == 3)
    assert ingest.progress(job).state is JobState.PAUSED
    time.sleep(0.05)
    assert counting.reached == 3
    ingest.resume(job)
    wait_until(lambda: counting.reached > 3)
    ingest.cancel(job)
    thread.join(PATIENCE)
    ended = ingest.progress(job)
    assert (ended.state, ended.message) == (JobState.CANCELLED, "It will go on from there.")


class Killed(BaseException):
    """What a kill looks like from inside: nothing catches it, nothing is tidied up."""


def test_taken_up_where_it_was_and_counted_once(ingest: JobService, counting: Counting) -> None:
    def killed(step: int) -> None:
        if step == 3:
            raise Killed

    counting.at_step = killed
    job = ingest.start_task(JobKind.MIGRATE, {"to": "5"})
    with pytest.raises(Killed):
        ingest.run(job)
    assert ingest.waiting() == [job]
    counting.at_step = lambda _step: None
    done = ingest.run(job)
    assert (done.state, done.total, done.embedded) == (JobState.DONE, 5, 5)


def test_a_task_that_is_queued_behind_another_says_so(
    desk: Any, ingest: JobService, counting: Counting, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the process that runs both, to whoever looks from there or from elsewhere."""
    monkeypatch.setattr("ingest.jobs.service.SLOT_SECONDS", 0.02)
    opened = threading.Event()
    counting.at_step = lambda _step: opened.wait(PATIENCE)
    first, second = (ingest.start_task(JobKind.MIGRATE, {"to": to}) for to in ("1", "2"))
    running = in_background(ingest, first)
    assert counting.began.wait(PATIENCE)
    waiting = in_background(ingest, second)
    elsewhere = JobService(desk.settings, desk.store, desk.ledger, desk.runner)
    reason = f"It waits for job {first} ('up to 1') to end"
    for looking in (ingest, elsewhere):
        wait_until(lambda looking=looking: looking.progress(second).message == f"{reason}.")
        assert looking.progress(second).state is JobState.QUEUED
    ingest.pause(first)
    wait_until(lambda: ingest.progress(second).message == f"{reason}, and that is paused.")
    ingest.resume(first)
    opened.set()
    running.join(PATIENCE)
    waiting.join(PATIENCE)
    done = elsewhere.progress(second)
    assert (done.state, done.message) == (JobState.DONE, "Counted to 2.")
    elsewhere.halt()


def test_nothing_runs_beside_a_task(desk: Any, ingest: JobService, counting: Counting) -> None:
    opened = threading.Event()
    counting.at_step = lambda _step: opened.wait(PATIENCE)
    task = ingest.start_task(JobKind.MIGRATE, {"to": "1"})
    running = in_background(ingest, task)
    assert counting.began.wait(PATIENCE)
    desk.fill(3)
    elsewhere = JobService(desk.settings, desk.store, desk.ledger, desk.runner)
    job = elsewhere.start([desk.media])
    waiting = in_background(elsewhere, job)
    wait_until(lambda: "waits for job" in elsewhere.progress(job).message)
    assert desk.runner.seen == []
    opened.set()
    running.join(PATIENCE)
    waiting.join(PATIENCE)
    assert elsewhere.progress(job).embedded == 3
    assert elsewhere.progress(job).message == ""
    elsewhere.halt()
