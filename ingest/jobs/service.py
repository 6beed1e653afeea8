"""Jobs: start, run, pause, resume, cancel, look at, from any process that shares the ledger.

Everything a job has done is in the ledger at every moment: killed anywhere, :meth:`JobService.run` takes it up, here or on
another machine, and finds only the rest to do.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, select, update

from ingest.jobs.bulk_indexing import BulkIndexing, release_indexing
from ingest.jobs.ingest_run import IngestRun
from ingest.jobs.kinds import JobKind, kind_of
from ingest.jobs.leases import JobCommand, LeaseKeeper, is_free, new_coordinator_name, take
from ingest.jobs.progress import UNFINISHED, Failure, JobProgress, JobState
from ingest.jobs.rows import JobRequest, LiveJob, create_job, load_job, progress_of, request_of
from ingest.jobs.scheduling import RunSlot, blocking_reason, runnable_jobs
from ingest.jobs.tasks import JobTask, run_task
from ingest.ledger.credits import Credits
from ingest.ledger.database import Ledger
from ingest.ledger.entries import forget_plan
from ingest.ledger.libraries import register
from ingest.ledger.tables import FileState, files, jobs, libraries
from ingest.plan.store_records import Records
from ingest.scan.sources import Sources
from search.errors import (
    LeaseLostError,
    LedgerUnavailableError,
    LikewiseError,
    NotFoundError,
    StoreError,
    UsageError,
    WorkerUnavailableError,
)
from search.settings import Settings
from search.store.base import Store
from workers.batch.report import BatchRunner, Priority
from workers.storage.previews import Previews

__all__ = ["Failure", "JobProgress", "JobService", "JobState"]

RETRY_DELAYS = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, *[60.0] * 10)
"""Seconds before each new try when store, ledger or broker cannot be reached, give or take a fifth, so that all who
wait do not come back at once. The count starts over with every batch that works."""

WORKER_SECONDS = 60.0
"""Between two tries, from then on and for ever, when it is workers that are waited for."""

TURN_SECONDS = 0.5
"""A job that must wait for another one looks so often whether its turn has come."""


class JobService:
    """The jobs of one data directory, or of one cluster, as one process sees them.

    Here they run one after another. Other processes may run jobs on the same ledger at the same time, but never two
    over the same folders, nor any beside a task (:mod:`ingest.jobs.scheduling`). All methods may be called from any
    thread.

    Args:
        tasks: what does jobs of each kind other than ``ingest``.
    """

    def __init__(
        self,
        settings: Settings,
        store: Store,
        ledger: Ledger,
        runner: BatchRunner,
        *,
        tasks: Mapping[JobKind, JobTask[Any]] | None = None,
        retry_delays: Sequence[float] = RETRY_DELAYS,
    ) -> None:
        self._settings = settings
        self._store = store
        self._ledger = ledger
        self._runner = runner
        self._tasks = tasks or {}
        self._records, self._credits = Records(store, Previews(settings)), Credits(ledger, store)
        self._sources = Sources(settings, ledger)
        self._retry_delays = tuple(retry_delays)
        self._keeper = LeaseKeeper(ledger, new_coordinator_name())
        self._turn = RunSlot()
        self._roll = threading.Lock()  # held while a job becomes live, or is found not to be
        self._live: dict[str, LiveJob] = {}
        self._halting = False
        self._listening = 0.0  # when to listen next, on the monotonic clock

    @property
    def kinds(self) -> frozenset[JobKind]:
        """Kinds of job that this process can run."""
        return frozenset({JobKind.INGEST, *self._tasks})

    def start(
        self,
        paths: Sequence[Path | str],
        *,
        library: str | None = None,
        confirm_missing: bool = False,
        retry_failed: bool = False,
        priority: Priority = Priority.NORMAL,
    ) -> str:
        """Register a job over files and folders; :meth:`run` does it. It is this process's to run, until that ends.

        Args:
            library: put everything below the paths into this library; by default what is known keeps its library and
                the rest gets one named after its folder.
            confirm_missing: yes, mark missing files missing, however many.
            retry_failed: read files again that failed before and have not changed.

        Returns:
            The job's id.

        Raises:
            NotFoundError: a path that does not exist and that the ledger does not know either.
            UnreadableFileError: a folder that may not be listed.
            UsageError: no path, or one that cannot be ingested.
        """
        if not paths:
            raise UsageError("No path was given.", "Name a folder or files to ingest.")
        real = list(dict.fromkeys(self._sources.checked(path) for path in paths))
        with self._ledger.write() as connection:
            order = JobRequest(
                tuple(real), register(connection, real, library), confirm_missing, retry_failed, priority
            )
            job = self._create(connection, order)
        return self._keep(job)

    def retry_failures(self) -> str | None:
        """Register a job that reads every failed file again and nothing else; None when nothing has failed."""
        with self._ledger.write() as connection:
            query = select(libraries.c.name).join(files).where(files.c.state == FileState.FAILED.value).distinct()
            names = sorted(connection.execute(query).scalars())
            if not names:
                return None
            job = self._create(connection, JobRequest(library=", ".join(names), retry_failed=True))
        return self._keep(job)

    def start_task(
        self, name: str, options: Mapping[str, str] | None = None, *, priority: Priority = Priority.NORMAL
    ) -> str:
        """Register a job of another kind of work; :meth:`run` does it. It waits until no other job runs.

        Raises:
            NotFoundError: there is no such work.
            UsageError: it cannot be done with these options.
        """
        kind = kind_of(name)
        if not isinstance(kind, JobKind) or kind not in self._tasks:
            known = ", ".join(sorted(self._tasks)) or "none here"
            raise NotFoundError(f"There is no task '{name}'.", f"Tasks are: {known}.")
        given = dict(options or {})
        library = self._tasks[kind].check(kind.parse(given))
        order = JobRequest(library=library, priority=priority, task=kind, options=given)
        with self._ledger.write() as connection:
            job = self._create(connection, order)
        return self._keep(job)

    def run(self, job_id: str, on_progress: Callable[[JobProgress], None] | None = None) -> JobProgress:
        """Run a job to its end in this thread, when its turn has come.

        Also takes up a job that a killed process left behind. Returns at once when the job has ended already, or when
        another process runs it.

        Raises:
            NotFoundError: there is no such job.
        """
        with self._roll:
            stored = self._stored(job_id)
            if stored.finished:
                return stored
            live = self._live.setdefault(job_id, LiveJob(self._ledger, stored, self._keeper.name, on_progress))
        if self._halting:
            live.halt()
        try:
            return self._run(live)
        except LeaseLostError:
            return self._stored(job_id)
        finally:
            self._live.pop(job_id, None)
            self._keeper.drop(live.number)

    def pause(self, job_id: str) -> None:
        """Stop after the batches in work, wherever it runs; one that waits does not begin."""
        if live := self._live.get(job_id):
            live.pause()
        self._want(job_id, JobCommand.PAUSE)

    def resume(self, job_id: str) -> None:
        """Undo :meth:`pause`."""
        if live := self._live.get(job_id):
            live.resume()
        self._want(job_id, JobCommand.NOTHING)

    def cancel(self, job_id: str) -> None:
        """End the job after the batches it is working on, wherever it runs; what is stored stays stored."""
        with self._roll:
            live = self._live.get(job_id)
            if live is not None:
                live.cancel()
            self._want(job_id, JobCommand.CANCEL, here=live is not None)
        if live is None:
            with suppress(StoreError):  # the next job, or the next start, does it
                self.tidy()

    def tidy(self) -> None:
        """Undo what a job that has ended left in the store; for a start after a crash.

        Raises:
            StoreError, LedgerError: just now that cannot be done; the next job does it.
        """
        release_indexing(self._ledger, self._store)

    def halt(self) -> None:
        """Stop whatever runs here after the batches in work and leave it queued: this process is about to end, and
        the next one, or another, goes on with :meth:`unfinished`."""
        self._halting = True
        for live in list(self._live.values()):
            live.halt()
        self._keeper.drop_waiting()

    def progress(self, job_id: str) -> JobProgress:
        """How a job stands: to the file when it runs in this process, to the last batch or few seconds otherwise."""
        live = self._live.get(job_id)
        return live.snapshot() if live else self._stored(job_id)

    def jobs(self, limit: int = 50) -> list[JobProgress]:
        """The latest jobs, newest first."""
        with self._ledger.read() as connection:
            rows = connection.execute(select(jobs).order_by(jobs.c.id.desc()).limit(limit)).all()
        stored = [progress_of(row) for row in rows]
        return [live.snapshot() if (live := self._live.get(job.id)) else job for job in stored]

    def unfinished(self) -> list[str]:
        """Jobs that no process has brought to an end, oldest first: queued, running somewhere, or cut off by a kill."""
        with self._ledger.read() as connection:
            query = select(jobs.c.id).where(jobs.c.state.in_([state.value for state in UNFINISHED]))
            return [str(number) for number in connection.execute(query.order_by(jobs.c.id)).scalars()]

    def waiting(self) -> list[str]:
        """Unfinished jobs that this process may run: nobody else who is alive has them, and they are not paused. In the
        order in which they are to be run."""
        with self._ledger.read() as connection:
            return runnable_jobs(connection, self._keeper.name, self._ledger.now(connection))

    def failures(
        self,
        *,
        job: str | None = None,
        library: str | None = None,
        code: str | None = None,
        limit: int | None = None,
        after: str = "",
    ) -> list[Failure]:
        """Files that have no record and why, by path.

        Args:
            job: only those that this job tried last.
            after: only paths behind this one, to page through many.
        """
        columns = (files.c.path, files.c.code, files.c.detail, files.c.attempts, libraries.c.name, files.c.job)
        query = select(*columns).join(libraries).where(files.c.state == FileState.FAILED.value, files.c.path > after)
        if job is not None:
            query = query.where(files.c.job == self._number(job))
        if library is not None:
            query = query.where(libraries.c.name == library)
        if code is not None:
            query = query.where(files.c.code == code)
        with self._ledger.read() as connection:
            rows = connection.execute(query.order_by(files.c.path).limit(limit)).all()
        return [Failure(*row[:5], job=str(row[5])) for row in rows]

    def _number(self, job_id: str) -> int:
        return int(self._stored(job_id).id)

    def _stored(self, job_id: str) -> JobProgress:
        with self._ledger.read() as connection:
            return progress_of(load_job(connection, job_id))

    def _create(self, connection: Connection, order: JobRequest) -> str:
        return create_job(connection, order, owner=self._keeper.name, now=self._ledger.now(connection))

    def _keep(self, job_id: str) -> str:
        self._keeper.keep(int(job_id))
        return job_id

    def _want(self, job_id: str, wanted: JobCommand, *, here: bool = False) -> None:
        """Write down what is asked of a job; a cancelled one that nobody runs has ended with that.

        Args:
            here: it runs in this process, which knows already.
        """
        with self._ledger.write() as connection:
            row = load_job(connection, job_id)
            if progress_of(row).finished or (row.wanted == JobCommand.CANCEL and wanted is not JobCommand.CANCEL):
                return
            values: dict[str, object] = {"wanted": wanted.value}
            if (
                wanted is JobCommand.CANCEL
                and not here
                and is_free(row, self._keeper.name, self._ledger.now(connection))
            ):
                forget_plan(connection, row.id)
                values = {"wanted": "", "owner": "", "bulk": False, "state": JobState.CANCELLED.value}
            connection.execute(update(jobs).where(jobs.c.id == row.id).values(values))

    def _run(self, live: LiveJob) -> JobProgress:
        while True:
            with self._turn.of(live, TURN_SECONDS) as has_turn:
                self._listen()
                if live.cancelled or (has_turn and not live.paused):
                    begun = self._begin(live)
                    if isinstance(begun, JobProgress):
                        return begun
                    if begun is not None:
                        return self._run_begun(live, begun)
            if has_turn:
                live.sleep(TURN_SECONDS)

    def _listen(self) -> None:
        """Hear now and then what is asked elsewhere of jobs that wait here: no heart beats for them yet."""
        if time.monotonic() < self._listening:
            return
        self._listening = time.monotonic() + TURN_SECONDS
        waiting = {live.number: live for live in list(self._live.values())}
        with suppress(LedgerUnavailableError), self._ledger.read() as connection:
            query = select(jobs.c.id, jobs.c.wanted).where(jobs.c.id.in_(waiting))
            for number, wanted in connection.execute(query):
                waiting[number].hear(JobCommand(wanted))

    def _begin(self, live: LiveJob) -> JobProgress | JobRequest | None:
        """Take the job's lease: what to do then. None while another job is in its way; its progress when there is
        nothing to be done for it here."""
        with self._ledger.write() as connection:
            row = load_job(connection, str(live.number))
            now = self._ledger.now(connection)
            stored = progress_of(row)
            if stored.finished or not is_free(row, self._keeper.name, now):
                return stored
            reason = "" if live.cancelled else blocking_reason(connection, row, now, list(self._live))
            if reason:
                live.say(reason)
                if row.message != reason:
                    connection.execute(update(jobs).where(jobs.c.id == row.id).values(message=reason))
                return None
            take(connection, row.id, self._keeper.name, now)
            order = request_of(row)
            state = JobState.SCANNING if order.task == JobKind.INGEST else JobState.RUNNING
            connection.execute(update(jobs).where(jobs.c.id == row.id).values(state=state.value))
        self._keeper.keep(live.number, live)
        return order

    def _run_begun(self, live: LiveJob, order: JobRequest) -> JobProgress:
        try:
            return self._run_with_retries(live, self._work(live, order))
        except LeaseLostError:
            raise
        except LikewiseError as error:
            return self._give_up(live, str(error), again=not isinstance(error, UsageError))
        except Exception as error:
            # The boundary of a job: recorded, then raised for whoever mends. An interrupt leaves it to be resumed.
            self._give_up(live, f"It ended in an error of its own, {type(error).__name__}: {error}.")
            raise

    def _work(self, live: LiveJob, order: JobRequest) -> Callable[[], JobProgress]:
        """What has to be done until it succeeds, or fails for good."""
        if order.task == JobKind.INGEST:
            parts = (self._settings, self._ledger, self._records, self._credits, self._sources, self._runner)
            return IngestRun(*parts, live, order, BulkIndexing(self._ledger, self._store, live)).run
        if not isinstance(order.task, JobKind) or order.task not in self._tasks:
            raise UsageError(
                f"This version of Likewise knows no task '{order.task}'.",
                "Go on with the version that started the job, or cancel it.",
            )
        task, options = self._tasks[order.task], order.task.parse(order.options)
        return lambda: run_task(task, live, options)

    def _give_up(self, live: LiveJob, reason: str, *, again: bool = True) -> JobProgress:
        message = f"{reason} What is stored stays; run it again to go on." if again else reason
        try:
            with live.write() as (connection, _):
                forget_plan(connection, live.number)
            with suppress(StoreError):  # it may be what failed; the next job, or the next start, lets go then
                release_indexing(self._ledger, self._store, ending=live.number)
            return live.enter(JobState.FAILED, message)
        except LikewiseError:
            return live.snapshot()  # the ledger itself is what failed: the caller still learns why

    def _run_with_retries(self, live: LiveJob, work: Callable[[], JobProgress]) -> JobProgress:
        delays = iter(self._retry_delays)
        while True:
            done_before = live.snapshot().done
            try:
                return work()
            except LikewiseError as error:
                if not error.retryable:
                    raise
                if live.snapshot().done > done_before:
                    delays = iter(self._retry_delays)
                # Workers may take long to come, where they are started by need; whoever waits can see what for.
                delay = next(delays, WORKER_SECONDS if isinstance(error, WorkerUnavailableError) else None)
                if delay is None:
                    raise
                delay *= random.uniform(0.8, 1.2)
                with suppress(LedgerUnavailableError):  # it may be the ledger that is away
                    live.enter(JobState.RUNNING, f"{error} Trying again in {delay:.0f} s.")
                live.sleep(delay)
