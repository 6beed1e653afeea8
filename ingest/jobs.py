"""The ledger's job rows, and a job while it runs in this process."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace

from sqlalchemy import Connection, Row, insert, select, update

from ingest.ledger import Ledger
from ingest.progress import UNFINISHED, JobProgress, JobState, RateMeter
from ingest.tables import COUNTERS, jobs
from search.errors import NotFoundError

SHOW_EVERY = 0.2
"""Seconds between two calls of ``on_progress`` while nothing important happens."""

MOST_DIGITS = 18
"""Of a job's number; what is longer does not fit into a database's integers."""


def create_job(
    connection: Connection, *, roots: Sequence[str], library: str, confirm_missing: bool, retry_failed: bool
) -> str:
    """Register a job, queued. Without roots it retries the failed files and nothing else."""
    result = connection.execute(
        insert(jobs).values(
            state=JobState.QUEUED.value,
            library=library,
            roots=json.dumps(list(roots)),
            confirm_missing=confirm_missing,
            retry_failed=retry_failed,
            created=time.time(),
        )
    )
    key = result.inserted_primary_key
    assert key is not None
    return str(key[0])


def load_job(connection: Connection, job_id: str) -> Row[tuple[object, ...]]:
    """A job's row.

    Raises:
        NotFoundError: there is no such job.
    """
    number = int(job_id) if job_id.isdecimal() and len(job_id) <= MOST_DIGITS else 0
    row = connection.execute(select(jobs).where(jobs.c.id == number)).one_or_none()
    if row is None:
        raise NotFoundError(f"There is no job '{job_id}'.", "`likewise jobs` lists them.")
    return row


def progress_of(row: Row[tuple[object, ...]]) -> JobProgress:
    values = row._mapping
    return JobProgress(
        id=str(values["id"]),
        state=JobState(values["state"]),
        library=values["library"],
        roots=tuple(json.loads(values["roots"])),
        seconds=values["seconds"],
        rate=values["rate"],
        eta_seconds=values["eta_seconds"],
        message=values["message"],
        created=values["created"],
        **{name: values[name] for name in COUNTERS},
    )


class LiveJob:
    """A job that runs in this process: its counters, and the switches others may throw.

    Counters change only through :meth:`add` and :meth:`write`, from whichever thread does the work.
    """

    def __init__(self, stored: JobProgress, on_progress: Callable[[JobProgress], None] | None = None) -> None:
        self.number = int(stored.id)
        self._lock = threading.RLock()
        self._writing = threading.Lock()
        # total and unchanged are counted anew by each scan; the rest is in the ledger for good
        self._progress = replace(stored, total=0, unchanged=0, message="", eta_seconds=None)
        self._seconds_before = stored.seconds
        self._since = time.monotonic()
        self._meter = RateMeter()
        self._on_progress = on_progress
        self._shown = 0.0
        self._go = threading.Event()
        self._go.set()
        self._cancelled = threading.Event()
        self._halted = False

    def snapshot(self) -> JobProgress:
        with self._lock:
            now = self._progress
            seconds = self._seconds_before + time.monotonic() - self._since
            if now.finished:
                return now
            worked = now.done - now.unchanged
            rate = self._meter.rate(worked)
            steady = now.state is JobState.RUNNING and rate > 0
            eta = max(0, now.total - now.done) / rate if steady else None
            state = JobState.PAUSED if self.paused else now.state
            return replace(now, state=state, seconds=seconds, rate=rate, eta_seconds=eta)

    def add(self, counts: Mapping[str, int]) -> None:
        """Count without writing it down yet."""
        with self._lock:
            self._progress = _plus(self._progress, counts)
        self.show()

    @contextmanager
    def write(self, ledger: Ledger) -> Iterator[tuple[Connection, Counter[str]]]:
        """A transaction, and the counts it adds: they are written down with it and take effect once it is committed.

        Whoever looks at the job meanwhile does not wait, however slow the store is that the block asks.
        """
        counts: Counter[str] = Counter()
        with self._writing:
            with ledger.write() as connection:
                yield connection, counts
                _save(connection, _plus(self.snapshot(), counts))
            with self._lock:
                self._progress = _plus(self._progress, counts)
        self.show()

    def enter(self, state: JobState, ledger: Ledger, message: str = "") -> JobProgress:
        """Take on a state and write it down."""
        with self._lock:
            last = self.snapshot()
            if state not in UNFINISHED:
                last = replace(last, eta_seconds=None)
            self._progress = replace(last, state=state, message=message)
        self.show(at_once=True)
        with self._writing, ledger.write() as connection:
            _save(connection, self._progress)
        return self._progress

    def recount(self) -> None:
        """Begin a new scan: count files from nothing, keep what is settled."""
        with self._lock:
            self._progress = replace(self._progress, total=0, unchanged=0)

    def show(self, *, at_once: bool = False) -> None:
        if self._on_progress is None or not (at_once or time.monotonic() - self._shown > SHOW_EVERY):
            return
        self._shown = time.monotonic()
        self._on_progress(self.snapshot())

    @property
    def cancelled(self) -> bool:
        return self._cancelled.is_set()

    @property
    def paused(self) -> bool:
        return not self._go.is_set()

    def pause(self) -> None:
        self._go.clear()

    def resume(self) -> None:
        self._go.set()

    def cancel(self) -> None:
        self._halted = False
        self._stop()

    def halt(self) -> None:
        """As :meth:`cancel`, but the job is left for another process to resume, unless it has been cancelled."""
        if not self.cancelled:
            self._halted = True
        self._stop()

    def _stop(self) -> None:
        self._cancelled.set()
        self._go.set()

    @property
    def cut_off(self) -> JobState:
        """The state a cancelled or halted job ends in here."""
        return JobState.QUEUED if self._halted else JobState.CANCELLED

    def wait_while_paused(self) -> bool:
        """Blocks while paused; False once cancelled."""
        if self.paused:
            self.show(at_once=True)
            self._go.wait()
        return not self.cancelled

    def sleep(self, seconds: float) -> bool:
        """Sleeps, unless cancelled meanwhile; False once cancelled."""
        return not self._cancelled.wait(seconds)


def _plus(now: JobProgress, counts: Mapping[str, int]) -> JobProgress:
    return replace(now, **{name: getattr(now, name) + n for name, n in counts.items()})


def _save(connection: Connection, now: JobProgress) -> None:
    values = {name: getattr(now, name) for name in (*COUNTERS, "seconds", "rate", "eta_seconds", "message")}
    connection.execute(update(jobs).where(jobs.c.id == int(now.id)).values(state=now.state.value, **values))
