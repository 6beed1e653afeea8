"""Which jobs may run at the same time, and which of those that wait comes first.

Ingest jobs of several coordinators run side by side when no root of one is, or lies below, a root of another: then no
file belongs to both, and all they share are records of equal contents, which writers of the ledger see to one after the
other. Jobs over the same folders, and tries at failed files anywhere, wait for each other; a task runs all alone.
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
    """The turn to be done in this process, where one job runs at a time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._holder: LiveJob | None = None

    @contextmanager
    def of(self, live: LiveJob, seconds: float) -> Iterator[bool]:
        """Whether the turn is this job's within the block. One that has waited so long for it says for what."""
        if not self._lock.acquire(timeout=seconds):
            holder = self._holder
            if holder is not None and (job := holder.snapshot()).state is not JobState.QUEUED:
                live.waits(_until_it_ends(job))
            yield False
            return
        self._holder = live
        try:
            yield True
        finally:
            self._holder = None
            self._lock.release()


def blocking_reason(connection: Connection, job: JobRow, now: float, here: Collection[str] = ()) -> str:
    """Why a job has to wait, in words; empty when its turn has come.

    It waits for one that cannot run beside it and either runs or comes before it, as long as that one's coordinator
    is alive.

    Args:
        here: jobs that wait in the same process, where none runs beside another. Some may be nobody's yet: they were
            left behind, whatever their state says, and this process is to take them up.
    """
    for other in _unfinished(connection):
        is_here, left_behind = str(other.id) in here, is_free(other, "", now)
        if other.id == job.id or not (is_here or (_excludes(job, other) and not left_behind)):
            continue
        if other.state != JobState.QUEUED and not left_behind:
            return _until_it_ends(progress_of(other))
        if other.wanted != JobCommand.PAUSE and _place_in_line(other) < _place_in_line(job):
            return f"It waits for {_called(progress_of(other))}, which comes first."
    return ""


def runnable_jobs(connection: Connection, name: str, now: float) -> list[str]:
    """Jobs that the coordinator ``name`` may run, best first; those with another one in their way come last."""
    free = [row for row in _unfinished(connection) if row.wanted != JobCommand.PAUSE and is_free(row, name, now)]
    ordered = sorted(free, key=lambda row: (bool(blocking_reason(connection, row, now)), *_place_in_line(row)))
    return [str(row.id) for row in ordered]


def _until_it_ends(job: JobProgress) -> str:
    return f"It waits for {_called(job)} to end{', and that is paused' if job.state is JobState.PAUSED else ''}."


def _called(job: JobProgress) -> str:
    return f"job {job.id} ('{job.library}')" if job.library else f"job {job.id}"


def _unfinished(connection: Connection) -> Sequence[JobRow]:
    query = select(jobs).where(jobs.c.state.in_([state.value for state in UNFINISHED]))
    return connection.execute(query.order_by(jobs.c.id)).all()


def _place_in_line(job: JobRow) -> tuple[int, int]:
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
