"""Job rows of the ledger, and :class:`LiveJob`, a job while it runs in this process."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace

from sqlalchemy import Connection, Row, insert, select, update

from ingest.jobs.kinds import JobKind, kind_of
from ingest.jobs.leases import JobCommand, is_free
from ingest.jobs.options import OPTIONS_VERSION, VERSION_KEY
from ingest.jobs.progress import UNFINISHED, JobProgress, JobState
from ingest.jobs.workload import Workload
from ingest.ledger.database import Ledger
from ingest.ledger.request_keys import note_job
from ingest.ledger.tables import COUNTERS, jobs
from search.bounds import storable
from search.errors import LeaseLostError, LedgerUnavailableError, NotFoundError
from workers.batch.report import Priority

SHOW_EVERY = 0.2
"""Seconds between two calls of ``on_progress`` while nothing important happens."""

ABANDONED = "The process that ran it has ended, or is not heard of. Another Likewise of this library goes on with it."

MOST_DIGITS = 18
"""Most digits of a job's number; longer ones do not fit into a database integer."""


@dataclass(frozen=True, slots=True)
class JobRequest:
    """What a job was started with.

    Attributes:
        roots: files and folders to ingest; when it is empty, only the failed files are tried again.
        library: names of the libraries concerned, or a title of another kind of job, for people.
        task: kind of job; a text that is none of them comes from a newer version of Likewise.
        options: as they are stored; :meth:`ingest.jobs.kinds.JobKind.parse` reads them.
    """

    roots: tuple[str, ...] = ()
    library: str = ""
    confirm_missing: bool = False
    retry_failed: bool = False
    priority: Priority = Priority.NORMAL
    task: JobKind | str = JobKind.INGEST
    options: Mapping[str, str] = field(default_factory=dict)


def create_job(connection: Connection, request: JobRequest, *, owner: str, now: float) -> str:
    """Insert a queued job with its lease, and note it with the idempotency key of the request in work; the job's id.

    Raises:
        KeyInUseError: as :func:`ingest.ledger.request_keys.note_job`.
    """
    result = connection.execute(
        insert(jobs).values(
            state=JobState.QUEUED.value,
            library=request.library,
            roots=json.dumps(request.roots),
            confirm_missing=request.confirm_missing,
            retry_failed=request.retry_failed,
            created=time.time(),
            task=str(request.task),
            options=json.dumps({VERSION_KEY: str(OPTIONS_VERSION), **request.options}),
            priority=request.priority.value,
            owner=owner,
            heartbeat=now,
        )
    )
    key = result.inserted_primary_key
    assert key is not None
    note_job(connection, str(key[0]))
    return str(key[0])


def request_of(row: Row[tuple[object, ...]]) -> JobRequest:
    """What the job of this row was started with."""
    values = row._mapping
    return JobRequest(
        roots=tuple(json.loads(values["roots"])),
        library=values["library"],
        confirm_missing=values["confirm_missing"],
        retry_failed=values["retry_failed"],
        priority=Priority(values["priority"]),
        task=kind_of(values["task"]),
        options=json.loads(values["options"]),
    )


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


def latest_rows(connection: Connection, limit: int, before: int | None) -> Sequence[Row[tuple[object, ...]]]:
    """Rows of the latest jobs, newest first; of those made before the job of this number, where it is given."""
    query = select(jobs).order_by(jobs.c.id.desc()).limit(limit)
    return connection.execute(query if before is None else query.where(jobs.c.id < before)).all()


def progress_of(row: Row[tuple[object, ...]]) -> JobProgress:
    """The stored progress of the job of this row."""
    values = row._mapping
    state = JobState(values["state"])
    if values["wanted"] == JobCommand.PAUSE and state in UNFINISHED:
        state = JobState.PAUSED
    return JobProgress(
        id=str(values["id"]),
        state=state,
        library=values["library"],
        roots=tuple(json.loads(values["roots"])),
        seconds=values["seconds"],
        rate=values["rate"],
        eta_seconds=values["eta_seconds"],
        message=values["message"],
        created=values["created"],
        task=kind_of(values["task"]),
        priority=Priority(values["priority"]),
        **{name: values[name] for name in COUNTERS},
    )


def seen_by(row: Row[tuple[object, ...]], now: float) -> JobProgress:
    """The stored progress of a job that this process does not run. One that has begun and whose coordinator has ended,
    or is not heard of any more, is said to be abandoned.

    Args:
        now: time of the ledger, in seconds since the epoch.
    """
    stored = progress_of(row)
    begun = stored.state in (JobState.SCANNING, JobState.RUNNING)
    left = row._mapping["owner"] != "" or begun  # a queued job that nobody holds waits for a process to be started
    if stored.finished or stored.state is JobState.PAUSED or not left or not is_free(row, "", now):
        return stored
    return replace(stored, abandoned=True, message=stored.message or ABANDONED)


class LiveJob:
    """A job that runs in this process: its counters, and the switches that pause, resume and cancel it.

    Counters change only through :meth:`add` and :meth:`write`, from whichever thread does the work.
    """

    def __init__(
        self,
        ledger: Ledger,
        stored: JobProgress,
        owner: str,
        on_progress: Callable[[JobProgress], None] | None = None,
    ) -> None:
        self.number = int(stored.id)
        self.priority = stored.priority
        self._ledger = ledger
        self._owner = owner
        self._lock = threading.RLock()
        self._writing = threading.Lock()
        # each scan counts total and unchanged again; the other counters add up over all runs
        self._progress = replace(
            stored, state=JobState.QUEUED, total=0, unchanged=0, message="", rate=0.0, eta_seconds=None
        )
        self._seconds_before = stored.seconds
        self._since = time.monotonic()
        self.work = Workload()
        self._on_progress = on_progress
        self._shown = 0.0
        self._go = threading.Event()
        self._go.set()
        self._cancelled = threading.Event()
        self._halted = False
        self._lost = False
        self._command = JobCommand.NOTHING
        if stored.state is JobState.PAUSED:
            self.obey(JobCommand.PAUSE)

    def snapshot(self) -> JobProgress:
        """The progress at this moment."""
        with self._lock:
            now = self._progress
            seconds = self._seconds_before + time.monotonic() - self._since
            if now.finished:
                return now
            rate, eta = 0.0, None
            if now.state is JobState.RUNNING:
                rate, eta = self.work.speed(now.done - now.unchanged, now.total - now.unchanged)
            state = JobState.PAUSED if self.paused else now.state
            return replace(now, state=state, seconds=seconds, rate=rate, eta_seconds=eta)

    def add(self, counts: Mapping[str, int]) -> None:
        """Add to the counters; the next transaction stores them."""
        with self._lock:
            self._progress = _plus(self._progress, counts)
        self.show()

    @contextmanager
    def write(self) -> Iterator[tuple[Connection, Counter[str]]]:
        """A transaction, and the counts that it adds: they are stored with it and take effect once it is committed.

        :meth:`snapshot` does not wait for it, however slow the store is that the block calls.

        Raises:
            LeaseLostError: another coordinator runs the job now. The block has not run, or is rolled back.
        """
        counts: Counter[str] = Counter()
        with self._writing:
            with self._ledger.write() as connection:
                self._check_lease(connection)
                yield connection, counts
                self._save(connection, _plus(self.snapshot(), counts))
            with self._lock:
                self._progress = _plus(self._progress, counts)
        self.show()

    def enter(self, state: JobState, message: str = "") -> JobProgress:
        """Change the state and store it. A state that ends the job also ends its lease.

        Raises:
            LeaseLostError: another coordinator runs the job now.
        """
        self.show_state(state, message)
        with self._writing, self._ledger.write() as connection:
            self._check_lease(connection)
            self._save(connection, self._progress)
        return self._progress

    def show_state(self, state: JobState, message: str = "") -> JobProgress:
        """Change the state in this process alone."""
        with self._lock:
            last = self.snapshot()
            if state not in UNFINISHED:
                last = replace(last, eta_seconds=None)
            self._progress = replace(last, state=state, message=storable(message))
        self.show(at_once=True)
        return self._progress

    def renew(self, connection: Connection, now: float) -> None:
        """Renew the lease, read the job's command, and store progress that only this process knows so far."""
        try:
            self._check_lease(connection)
        except LeaseLostError:
            return
        seen = self.snapshot()
        # Counters that are stored together with the rows they count are left alone.
        values = {name: getattr(seen, name) for name in ("total", "unchanged", "seconds", "rate", "eta_seconds")}
        connection.execute(update(jobs).where(jobs.c.id == self.number).values(heartbeat=now, **values))

    def _check_lease(self, connection: Connection) -> None:
        row = connection.execute(select(jobs.c.owner, jobs.c.wanted).where(jobs.c.id == self.number)).one()
        if row.owner != self._owner:
            self._lost = True
            self._stop()
            raise LeaseLostError(f"Job {self.number} has been taken over by another process, {row.owner}.")
        self.obey(JobCommand(row.wanted))

    def obey(self, command: JobCommand) -> None:
        """Do what the ledger says people have asked of the job."""
        if command is self._command:
            return  # a command to this process may be on its way to the ledger
        self._command = command
        if command is JobCommand.CANCEL:
            self.cancel()
        elif command is JobCommand.PAUSE:
            self.pause()
        else:
            self.resume()

    def _save(self, connection: Connection, now: JobProgress) -> None:
        values = {name: getattr(now, name) for name in (*COUNTERS, "seconds", "rate", "eta_seconds", "message")}
        if now.finished:
            values |= {"owner": "", "heartbeat": None, "wanted": "", "bulk": False}
        else:
            values["heartbeat"] = self._ledger.now(connection)
        connection.execute(update(jobs).where(jobs.c.id == self.number).values(state=now.state.value, **values))

    def recount(self) -> None:
        """Set the counters that each scan counts from the start to 0."""
        with self._lock:
            self._progress = replace(self._progress, total=0, unchanged=0)

    def recount_task(self, total: int, done: int) -> None:
        """Set all counters, for work whose units are not files."""
        with self._lock:
            counted = {name: -getattr(self._progress, name) for name in COUNTERS}
            counted["total"] += total
            counted["embedded"] += done
            self._progress = _plus(self._progress, counted)

    def say(self, message: str) -> None:
        """Set the message; the next transaction stores it."""
        with self._lock:
            self._progress = replace(self._progress, message=storable(message))
        self.show()

    def waits(self, reason: str) -> None:
        """Set and store the message of a job that has not started and holds no lease: what it waits for."""
        with self._lock:
            if self.paused or self.cancelled or self._progress.message == reason:
                return
        self.say(reason)
        unfinished = (jobs.c.id == self.number) & jobs.c.state.in_([state.value for state in UNFINISHED])
        with suppress(LedgerUnavailableError), self._ledger.write() as connection:
            connection.execute(update(jobs).where(unfinished).values(message=reason))

    def show(self, *, at_once: bool = False) -> None:
        """Call ``on_progress``, at most every ``SHOW_EVERY`` seconds unless ``at_once``."""
        if self._on_progress is None or not (at_once or time.monotonic() - self._shown > SHOW_EVERY):
            return
        self._shown = time.monotonic()
        self._on_progress(self.snapshot())

    @property
    def cancelled(self) -> bool:
        """Whether it stops in this process, cancelled or left to another."""
        return self._cancelled.is_set()

    @property
    def lost(self) -> bool:
        """Whether another coordinator runs the job now, so that nothing may be written for it."""
        return self._lost

    @property
    def halted(self) -> bool:
        """Whether it stops in this process and is left to another."""
        return self._halted

    @property
    def paused(self) -> bool:
        """Whether it is paused."""
        return not self._go.is_set()

    def pause(self) -> None:
        """Let :meth:`wait_while_paused` block."""
        self._go.clear()

    def resume(self) -> None:
        """Undo :meth:`pause`."""
        self._go.set()

    def cancel(self) -> None:
        """Stop after the running batches, for good."""
        self._halted = False
        self._stop()

    def halt(self) -> None:
        """Stop as :meth:`cancel` does, but leave the job to another process, unless it has been cancelled."""
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
