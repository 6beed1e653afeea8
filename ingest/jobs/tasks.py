"""The protocol of job kinds other than ``ingest``, and how such a task runs as a job.

Such a job has a row in the ledger like every other, is listed, can be paused and cancelled from any machine, and is
resumed after a crash. It runs alone, with no other job beside it.
"""

from __future__ import annotations

import time
from typing import Any, Protocol, TypeVar

from ingest.jobs.progress import JobProgress, JobState
from ingest.jobs.rows import LiveJob
from workers.batch.report import Priority

SAVE_SECONDS = 1.0
"""How often counters are stored; a task that was killed counts from the start anyway."""


Options = TypeVar("Options", contravariant=True)


class JobTask(Protocol[Options]):
    """What does jobs of one kind. It is made once per process and may run many times.

    ``Options`` is the type that ``ingest.jobs.kinds`` names for the kind.
    """

    def check(self, options: Options) -> str:
        """A title for a job with these options, stored as its library: ``/mnt/backup``, for example.

        Raises:
            UsageError: the job cannot be done with these options; no job is created.
        """
        ...

    def run(self, options: Options, job: TaskRun) -> str:
        """Do the work, or the rest of it when an earlier run of the same job was cut off.

        Between steps it calls ``job.goes_on()`` and returns when that is False.

        Returns:
            A message for people; may be empty.

        Raises:
            LikewiseError: it could not continue. An error that is ``retryable`` makes it run again later.
        """
        ...


class TaskRun:
    """A task's running job, as the task sees it. Thread-safe."""

    def __init__(self, live: LiveJob) -> None:
        self._live = live
        self._saved = 0.0

    @property
    def id(self) -> str:
        """Id of the job."""
        return str(self._live.number)

    @property
    def priority(self) -> Priority:
        """Priority of the job."""
        return self._live.priority

    def goes_on(self) -> bool:
        """Blocks while the job is paused; False once it is cancelled, or left to another process."""
        return self._live.wait_while_paused()

    @property
    def stopped(self) -> bool:
        """Whether it is paused, cancelled, or left to another process, at this moment."""
        return self._live.paused or self._live.cancelled

    def begin(self, total: int, *, done: int = 0) -> None:
        """Set the counters: ``total`` units of work, ``done`` of them by an earlier run."""
        self._live.recount_task(total, done)
        self._save()

    def count(self, *, done: int = 0, failed: int = 0, skipped: int = 0, total: int = 0) -> None:
        """Add to the counters; to ``total`` when there is more to do than :meth:`begin` said.

        Raises:
            LeaseLostError: another process runs the job now; the task lets this error through.
        """
        self._live.add({"embedded": done, "failed": failed, "skipped": skipped, "total": total})
        if time.monotonic() - self._saved > SAVE_SECONDS:
            self._save()

    def say(self, message: str) -> None:
        """Show one sentence on what is being done."""
        self._live.say(message)

    def _save(self) -> None:
        with self._live.write():
            self._saved = time.monotonic()


def run_task(task: JobTask[Any], live: LiveJob, options: object) -> JobProgress:
    """Run a job's task and store how it ended.

    Args:
        options: of the type that the task takes.

    Raises:
        LikewiseError: the task could not continue; what is done stays done.
    """
    if live.cancelled:
        return live.enter(live.cut_off)
    live.enter(JobState.RUNNING)
    message = task.run(options, TaskRun(live))
    if live.cancelled:
        return live.enter(live.cut_off, "" if live.halted else message)
    return live.enter(JobState.DONE_WITH_FAILURES if live.snapshot().failed else JobState.DONE, message)
