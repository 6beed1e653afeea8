"""Long-running work other than taking in files: embedding anew, backing up, moving to another store.

Each is a job like any other: it has a row in the ledger, shows in lists and pages, can be paused and cancelled from any
machine, and is taken up after a crash. It runs alone, with no other job beside it.
"""

from __future__ import annotations

import time
from typing import Any, Protocol, TypeVar

from ingest.jobs.progress import JobProgress, JobState
from ingest.jobs.rows import LiveJob
from workers.batch.report import Priority

SAVE_SECONDS = 1.0
"""Counters are written down so often: a task that is killed counts anew anyway."""


Options = TypeVar("Options", contravariant=True)


class JobTask(Protocol[Options]):
    """One kind of such work. It is made once a process and may be run again and again."""

    def check(self, options: Options) -> str:
        """What to call a job with these options, for people: ``/mnt/backup`` say, where others have their library.

        Raises:
            UsageError: the options make no sense; no job is made.
        """
        ...

    def run(self, options: Options, job: TaskRun) -> str:
        """Do the work, or the rest of it when an earlier run of the same job was cut off.

        Between any two steps it asks ``job.goes_on()`` and returns when that says no. When it raises an error that is
        ``retryable`` it is run again after a while.

        Returns:
            What to tell people at the end; may be empty.
        """
        ...


class TaskRun:
    """A task's job, as the task sees it. Safe to use from several threads."""

    def __init__(self, live: LiveJob) -> None:
        self._live = live
        self._saved = 0.0

    @property
    def id(self) -> str:
        return str(self._live.number)

    @property
    def priority(self) -> Priority:
        return self._live.priority

    def goes_on(self) -> bool:
        """Blocks while the job is paused; False once it is cancelled or to be left to another process."""
        return self._live.wait_while_paused()

    @property
    def stopped(self) -> bool:
        """Whether it is paused, cancelled or to be left to another process just now."""
        return self._live.paused or self._live.cancelled

    def begin(self, total: int, *, done: int = 0) -> None:
        """Count from here: so many units of work in all, so many of them done by an earlier run."""
        self._live.recount_task(total, done)
        self._save()

    def count(self, *, done: int = 0, failed: int = 0, skipped: int = 0, total: int = 0) -> None:
        """Add to the counters; ``total`` when there turns out to be more to do.

        Raises:
            LeaseLostError: the job is another process's now; let it through.
        """
        self._live.add({"embedded": done, "failed": failed, "skipped": skipped, "total": total})
        if time.monotonic() - self._saved > SAVE_SECONDS:
            self._save()

    def say(self, message: str) -> None:
        """One sentence on what is being done just now."""
        self._live.say(message)

    def _save(self) -> None:
        with self._live.write():
            self._saved = time.monotonic()


def run_task(task: JobTask[Any], live: LiveJob, options: object) -> JobProgress:
    """Do a job's task, from its beginning or from where it was cut off, and write down how it ended.

    Raises:
        LikewiseError: it could not go on; what is done stays done.
    """
    if live.cancelled:
        return live.enter(live.cut_off)
    live.enter(JobState.RUNNING)
    message = task.run(options, TaskRun(live))
    if live.cancelled:
        return live.enter(live.cut_off, "" if live.halted else message)
    return live.enter(JobState.DONE_WITH_FAILURES if live.snapshot().failed else JobState.DONE, message)
