"""Progress of a job, as the command line, pages and the API show it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from ingest.jobs.kinds import JobKind
from ingest.ledger.tables import COUNTERS
from workers.batch.report import Priority


class JobState(StrEnum):
    """State of a job; those after ``paused`` end it."""

    QUEUED = "queued"
    SCANNING = "scanning"
    RUNNING = "running"
    PAUSED = "paused"
    CANCELLED = "cancelled"
    DONE = "done"
    DONE_WITH_FAILURES = "done_with_failures"
    FAILED = "failed"
    NEEDS_CONFIRMATION = "needs_confirmation"


UNFINISHED = (JobState.QUEUED, JobState.SCANNING, JobState.RUNNING, JobState.PAUSED)

RANK = {Priority.HIGH: 0, Priority.NORMAL: 1, Priority.LOW: 2}
"""Order of priorities; the smallest runs first."""


@dataclass(frozen=True, slots=True)
class JobProgress:
    """A job at one moment.

    Attributes:
        total: files found so far; final once ``state`` is past ``scanning``.
        embedded: new in the store.  duplicate: bytes that the store already had, at a further path.
        unchanged: as the ledger knew them.  moved: known bytes found at a new path, or again at their old one.
        missing: paths that no longer exist (not part of ``total``).  skipped: not media.
        seconds: running time, over all runs of the job.
        rate: files per second lately, counting those that needed work.
        eta_seconds: time left at the speed so far, by kinds and bytes of the files that are left (see
            ``ingest.jobs.workload``); None while it is unknown.
        message: one or two sentences for people; may be empty.
        created: seconds since the epoch, UTC.
        task: kind of job; a text that is none of them comes from a newer version of Likewise. Of other kinds than
            ``ingest``, ``total`` counts the work's own units and ``embedded`` those of them that are done.
        priority: which of several jobs comes first.
        abandoned: no living process runs it, although it has not ended; one that watches jobs goes on with it.
    """

    id: str
    state: JobState
    library: str
    roots: tuple[str, ...]
    total: int = 0
    embedded: int = 0
    duplicate: int = 0
    unchanged: int = 0
    moved: int = 0
    missing: int = 0
    skipped: int = 0
    failed: int = 0
    seconds: float = 0.0
    rate: float = 0.0
    eta_seconds: float | None = None
    message: str = ""
    created: float = 0.0
    task: JobKind | str = JobKind.INGEST
    priority: Priority = Priority.NORMAL
    abandoned: bool = False

    @property
    def done(self) -> int:
        """Files that have an outcome; equals ``total`` at the end."""
        return self.embedded + self.duplicate + self.unchanged + self.moved + self.skipped + self.failed

    @property
    def finished(self) -> bool:
        """Whether the job has ended, successfully or not."""
        return self.state not in UNFINISHED

    def to_json(self) -> dict[str, object]:
        """The object that ``likewise ingest --json`` ends with."""
        return {
            "job": self.id,
            "state": self.state.value,
            **{name: getattr(self, name) for name in COUNTERS},
            "seconds": round(self.seconds, 3),
            "library": self.library,
            "roots": list(self.roots),
            "done": self.done,
            "rate": round(self.rate, 2),
            "eta_seconds": None if self.eta_seconds is None else round(self.eta_seconds, 1),
            "message": self.message,
            "created": self.created,
            "task": str(self.task),
            "priority": self.priority.value,
        }


@dataclass(frozen=True, slots=True)
class Failure:
    """A file that failed, or a folder that could not be read, with the reason."""

    path: str
    code: str
    detail: str
    attempts: int
    library: str
    job: str
