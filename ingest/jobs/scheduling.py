"""Which jobs may run at the same time, and which waiting job runs first.

Ingest jobs of several processes run at the same time when no root of one is, or lies below, a root of another: then no
file belongs to both. They share only records of equal contents, and transactions of the ledger keep those consistent.
Jobs over the same folders, and retries of failed files, wait for each other; a job of any other kind runs alone.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeAlias

from sqlalchemy import Connection, Row, select

from ingest.jobs.kinds import JobKind
from ingest.jobs.leases import JobCommand, is_free
from ingest.jobs.progress import RANK, UNFINISHED, JobProgress, JobState
from ingest.jobs.rows import LiveJob, progress_of
from ingest.ledger.tables import jobs
from workers.batch.report import Priority

JobRow: TypeAlias = Row[tuple[Any, ...]]


class RunSlot:
    """The one place for a running job in this process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._holder: LiveJob | None = None

    @contextmanager
    def acquire(self, live: LiveJob, seconds: float) -> Iterator[bool]:
        """Hold the slot within the block. Yields False when it is not free within ``seconds``; the message of the
        waiting job then names the job that holds it."""
        if not self._lock.acquire(timeout=seconds):
            holder = self._holder
            if holder is not None and (job := holder.snapshot()).state is not JobState.QUEUED:
                live.waits(_waits_for_end(job))
            yield False
            return
        self._holder = live
        try:
            yield True
        finally:
            self._holder = None
            self._lock.release()


def blocking_reason(connection: Connection, job: JobRow, now: float, same_process: Collection[str] = ()) -> str:
    """Why a job has to wait, as a sentence; empty when it may run.

    It waits for another job that may not run beside it and that either runs or comes first, as long as the coordinator
    of the other is alive.

    Args:
        now: time of the ledger, in seconds since the epoch.
        same_process: ids of jobs that wait in the same process, which runs one job at a time. Some of them may have no
            living coordinator, whatever their state says: a killed process left them, and this process resumes them.
    """
    for other in _unfinished(connection):
        is_here, left_behind = str(other.id) in same_process, is_free(other, "", now)
        if other.id == job.id or not (is_here or (_excludes(job, other) and not left_behind)):
            continue
        if other.state != JobState.QUEUED and not left_behind:
            return _waits_for_end(progress_of(other))
        if other.wanted != JobCommand.PAUSE and _sort_key(other) < _sort_key(job):
            return f"It waits for {_named(progress_of(other))}, which comes first."
    return ""


def runnable_jobs(connection: Connection, name: str, now: float) -> list[str]:
    """Ids of jobs that the coordinator ``name`` may run, first to run first; jobs that another one blocks come last."""
    free = [row for row in _unfinished(connection) if row.wanted != JobCommand.PAUSE and is_free(row, name, now)]
    ordered = sorted(free, key=lambda row: (bool(blocking_reason(connection, row, now)), *_sort_key(row)))
    return [str(row.id) for row in ordered]


def _waits_for_end(job: JobProgress) -> str:
    return f"It waits for {_named(job)} to end{', and that is paused' if job.state is JobState.PAUSED else ''}."


def _named(job: JobProgress) -> str:
    return f"job {job.id} ('{job.library}')" if job.library else f"job {job.id}"


def _unfinished(connection: Connection) -> Sequence[JobRow]:
    query = select(jobs).where(jobs.c.state.in_([state.value for state in UNFINISHED]))
    return connection.execute(query.order_by(jobs.c.id)).all()


def _sort_key(job: JobRow) -> tuple[int, int]:
    return RANK[Priority(job.priority)], job.id


def _excludes(one: JobRow, other: JobRow) -> bool:
    """Whether two jobs may not run at the same time."""
    if {one.task, other.task} != {JobKind.INGEST}:
        return True
    ours, theirs = json.loads(one.roots), json.loads(other.roots)
    if not ours or not theirs:
        return True
    return any(_inside(a, b) or _inside(b, a) for a in ours for b in theirs)


def _inside(path: str, folder: str) -> bool:
    return f"{path}/".startswith(f"{folder.rstrip('/')}/")
