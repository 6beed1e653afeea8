"""Start, run, pause, resume, cancel and list jobs, from any process that shares the ledger.

The ledger holds everything that a job has done at every moment. When the process is killed, :meth:`JobService.run`
resumes the job, in any process on any machine, and does only the rest.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, select, update

from ingest.jobs.bulk_indexing import BulkIndexing, release_indexing
from ingest.jobs.commands import read_commands, store_command
from ingest.jobs.failures import failed_files, libraries_with_failures
from ingest.jobs.ingest_run import IngestRun
from ingest.jobs.kinds import JobKind, kind_of
from ingest.jobs.leases import JobCommand, LeaseKeeper, is_free, new_coordinator_name, take
from ingest.jobs.progress import UNFINISHED, Failure, JobProgress, JobState
from ingest.jobs.retries import RETRY_DELAYS, run_with_retries
from ingest.jobs.rows import JobRequest, LiveJob, create_job, latest_rows, load_job, progress_of, request_of, seen_by
from ingest.jobs.scheduling import RunSlot, blocking_reason, runnable_jobs
from ingest.jobs.tasks import JobTask, run_task
from ingest.jobs.unstored import UnstoredEnds
from ingest.ledger.credits import Credits
from ingest.ledger.database import Ledger
from ingest.ledger.libraries import register
from ingest.ledger.tables import jobs
from ingest.plan.store_records import Records
from ingest.scan.sources import Sources
from search.errors import (
    LeaseLostError,
    LedgerError,
    LikewiseError,
    NotFoundError,
    StoreError,
    UsageError,
)
from search.settings import Settings
from search.store.base import Store
from search.store.durable import says_disk_full
from workers.batch.report import BatchRunner, Priority
from workers.storage.previews import Previews

__all__ = ["Failure", "JobProgress", "JobService", "JobState"]

SLOT_SECONDS = 0.5
"""How often a job that waits for another one checks whether it may start."""


class JobService:
    """The jobs of one data directory, or of one cluster, as one process sees them.

    One process runs one job at a time. Other processes may run jobs of the same ledger at the same time, but never two
    over the same folders, and no job beside a task (:mod:`ingest.jobs.scheduling`). All methods are thread-safe.

    Args:
        tasks: what runs jobs of each kind other than ``ingest``.
        retry_delays: seconds before each retry after an error that may pass.
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
        self._settings, self._store, self._ledger, self._runner = settings, store, ledger, runner
        self._tasks = tasks or {}
        self._records, self._credits = Records(store, Previews(settings)), Credits(ledger, store)
        self._sources = Sources(settings, ledger)
        self._retry_delays = tuple(retry_delays)
        self._keeper = LeaseKeeper(ledger, new_coordinator_name())
        self._unstored = UnstoredEnds(ledger, self._keeper.name)
        self._slot = RunSlot()
        self._live_lock = threading.Lock()  # held while a job becomes live, or is found not to be
        self._live: dict[str, LiveJob] = {}
        self._halting = False
        self._next_poll = 0.0  # when commands are polled next, on the monotonic clock

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
        reread: bool = False,
        priority: Priority = Priority.NORMAL,
        anywhere: bool = True,
    ) -> str:
        """Create a job over files and folders; :meth:`run` runs it. This process holds its lease until it ends.

        Args:
            library: name of the library for everything below the paths; by default known files keep their library and
                others get one named after their folder.
            confirm_missing: mark missing files as missing, however many they are.
            retry_failed: read files again that failed before and have not changed.
            reread: read the bytes of all others as well, to find edits that size and times do not tell of.
            priority: which of several waiting jobs runs first.
            anywhere: False where somebody names the paths who may name allowed folders alone (``ingest.scan.allowed``).

        Returns:
            The job's id.

        Raises:
            NotFoundError: a path does not exist, and the ledger does not know it either.
            UnreadableFileError: a folder may not be listed.
            NotAllowedError: a path is not in an allowed folder.
            UsageError: no path is given, or one that cannot be ingested.
        """
        if not paths:
            raise UsageError("No path was given.", "Name a folder or files to ingest.")
        real = list(dict.fromkeys(self._sources.checked(path, anywhere=anywhere) for path in paths))
        with self._ledger.write() as connection:
            names = register(connection, real, library)
            options = {"reread": "1"} if reread else {}
            request = JobRequest(tuple(real), names, confirm_missing, retry_failed, priority, options=options)
            job = self._create(connection, request)
        return self._keep(job)

    def retry_failures(self) -> str | None:
        """Create a job that reads every failed file again and nothing else; None when nothing has failed."""
        with self._ledger.write() as connection:
            names = libraries_with_failures(connection)
            if not names:
                return None
            job = self._create(connection, JobRequest(library=", ".join(names), retry_failed=True))
        return self._keep(job)

    def start_task(
        self, name: str, options: Mapping[str, str] | None = None, *, priority: Priority = Priority.NORMAL
    ) -> str:
        """Create a job of another kind than ``ingest``; :meth:`run` runs it. It waits until no other job runs.

        Raises:
            NotFoundError: there is no such kind of job.
            UsageError: the job cannot be done with these options.
        """
        kind = kind_of(name)
        if not isinstance(kind, JobKind) or kind not in self._tasks:
            known = ", ".join(sorted(self._tasks)) or "none here"
            raise NotFoundError(f"There is no task '{name}'.", f"Tasks are: {known}.")
        given = dict(options or {})
        library = self._tasks[kind].check(kind.parse(given))
        request = JobRequest(library=library, priority=priority, task=kind, options=given)
        with self._ledger.write() as connection:
            job = self._create(connection, request)
        return self._keep(job)

    def run(self, job_id: str, on_progress: Callable[[JobProgress], None] | None = None) -> JobProgress:
        """Run a job to its end in this thread, as soon as no other job blocks it.

        Also resumes a job that a killed process left unfinished. Returns at once when the job has ended already, or
        when another process runs it. Whatever becomes of the ledger, :meth:`progress` tells how the job ended.

        Args:
            on_progress: called with the job's progress, at most every ``ingest.jobs.rows.SHOW_EVERY`` seconds.

        Raises:
            NotFoundError: there is no such job.
        """
        self._unstored.store()
        with self._live_lock:
            try:
                stored = self.progress(job_id)
            except (LedgerError, StoreError) as error:
                return self._unstored.add(JobProgress(job_id, JobState.FAILED, "", (), message=str(error)))
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
            self._unstored.store()
            self._keeper.drop(live.number)

    def pause(self, job_id: str) -> None:
        """Pause the job after its running batches, in whichever process it runs; a waiting job does not start.

        Raises:
            NotFoundError: there is no such job.
        """
        if live := self._live.get(job_id):
            live.pause()
        self._send(job_id, JobCommand.PAUSE)

    def resume(self, job_id: str) -> None:
        """Undo :meth:`pause`.

        Raises:
            NotFoundError: there is no such job.
        """
        if live := self._live.get(job_id):
            live.resume()
        self._send(job_id, JobCommand.NOTHING)

    def cancel(self, job_id: str) -> None:
        """End the job after its running batches, in whichever process it runs; what is stored stays stored.

        Raises:
            NotFoundError: there is no such job.
        """
        with self._live_lock:
            live = self._live.get(job_id)
            if live is not None:
                live.cancel()
            self._send(job_id, JobCommand.CANCEL, runs_here=live is not None)
        if live is None:
            with suppress(StoreError):  # the next job, or the next start, releases it
                self.tidy()

    def tidy(self) -> None:
        """Release what ended jobs still hold in the store, as after a crash.

        Raises:
            StoreError, LedgerError: it is not possible now; the next job does it.
        """
        release_indexing(self._ledger, self._store)

    def halt(self) -> None:
        """Stop every job of this process after its running batches and leave it queued for the next process."""
        self._halting = True
        for live in list(self._live.values()):
            live.halt()
        self._keeper.drop_waiting()

    def progress(self, job_id: str) -> JobProgress:
        """Progress of a job: exact when it runs in this process, otherwise as of its last batch or a few seconds ago.

        Raises:
            NotFoundError: there is no such job.
        """
        return self._known_here(job_id) or self._stored(job_id)

    def jobs(self, limit: int = 50, before: int | None = None) -> list[JobProgress]:
        """The latest jobs, newest first; of those made before the job of this number, where it is given."""
        with self._ledger.read() as connection:
            rows = latest_rows(connection, limit, before)
            now = self._ledger.now(connection)
        return [self._known_here(str(row.id)) or seen_by(row, now) for row in rows]

    def unfinished(self) -> list[str]:
        """Ids of jobs that have not ended, oldest first: queued, running in any process, or left by a killed one."""
        with self._ledger.read() as connection:
            query = select(jobs.c.id).where(jobs.c.state.in_([state.value for state in UNFINISHED]))
            return [str(number) for number in connection.execute(query.order_by(jobs.c.id)).scalars()]

    def waiting(self) -> list[str]:
        """Ids of unfinished jobs that this process may run, in the order to run them: they are not paused, and no
        living process holds their lease."""
        self._unstored.store()
        with self._ledger.read() as connection:
            runnable = runnable_jobs(connection, self._keeper.name, self._ledger.now(connection))
        return [job for job in runnable if self._unstored.get(job) is None]

    def failures(
        self,
        *,
        job: str | None = None,
        library: str | None = None,
        code: str | None = None,
        limit: int | None = None,
        after: str = "",
    ) -> list[Failure]:
        """Files that failed, with the reason, in order of path.

        Args:
            job: only those that this job tried last.
            library: only those of the library of this name.
            code: only those with this failure code.
            after: only paths after this one, to page through many.

        Raises:
            NotFoundError: there is no such job.
        """
        with self._ledger.read() as connection:
            number = None if job is None else load_job(connection, job).id
            return failed_files(connection, job=number, library=library, code=code, limit=limit, after=after)

    def _known_here(self, job_id: str) -> JobProgress | None:
        """What this process knows of a job better than the ledger."""
        live = self._live.get(job_id)
        return live.snapshot() if live else self._unstored.get(job_id)

    def _stored(self, job_id: str) -> JobProgress:
        with self._ledger.read() as connection:
            return seen_by(load_job(connection, job_id), self._ledger.now(connection))

    def _create(self, connection: Connection, request: JobRequest) -> str:
        return create_job(connection, request, owner=self._keeper.name, now=self._ledger.now(connection))

    def _keep(self, job_id: str) -> str:
        self._keeper.keep(int(job_id))
        return job_id

    def _send(self, job_id: str, command: JobCommand, *, runs_here: bool = False) -> None:
        with self._ledger.write() as connection:
            now = self._ledger.now(connection)
            store_command(connection, job_id, command, name=self._keeper.name, now=now, runs_here=runs_here)

    def _run(self, live: LiveJob) -> JobProgress:
        try:
            return self._run_in_turn(live)
        except LeaseLostError:
            raise
        except LikewiseError as error:
            return self._give_up(live, str(error), again=not isinstance(error, UsageError))
        except Exception as error:
            # The boundary of a job: recorded, then raised. An interrupt leaves the job to be resumed.
            if says_disk_full(str(error)):
                return self._give_up(live, f"A disk is full: {error}. Make room there.")
            self._give_up(live, f"It ended in an error of its own, {type(error).__name__}: {error}.")
            raise

    def _run_in_turn(self, live: LiveJob) -> JobProgress:
        while True:
            with self._slot.acquire(live, SLOT_SECONDS) as acquired:
                self._poll_commands()
                if live.cancelled or (acquired and not live.paused):
                    begun = run_with_retries(live, lambda: self._begin(live), self._retry_delays, JobState.QUEUED)
                    if isinstance(begun, JobProgress):
                        return begun
                    if begun is not None:
                        return run_with_retries(live, self._work(live, begun), self._retry_delays)
            if acquired:
                live.sleep(SLOT_SECONDS)

    def _poll_commands(self) -> None:
        """Read commands for jobs that wait in this process: they have no lease yet, so no heartbeat reads them."""
        if time.monotonic() < self._next_poll:
            return
        self._next_poll = time.monotonic() + SLOT_SECONDS
        waiting = {live.number: live for live in list(self._live.values())}
        with suppress(LikewiseError), self._ledger.read() as connection:
            for number, command in read_commands(connection, waiting).items():
                waiting[number].obey(command)

    def _begin(self, live: LiveJob) -> JobProgress | JobRequest | None:
        """Take the job's lease. Returns the request to run; None while another job blocks it; the job's progress when
        this process has nothing to do for it."""
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
            request = request_of(row)
            state = JobState.SCANNING if request.task == JobKind.INGEST else JobState.RUNNING
            connection.execute(update(jobs).where(jobs.c.id == row.id).values(state=state.value))
        self._keeper.keep(live.number, live)
        return request

    def _work(self, live: LiveJob, request: JobRequest) -> Callable[[], JobProgress]:
        """The function that is called until it succeeds or fails for good.

        Raises:
            UsageError: this version does not know the kind of job, or one of its options.
        """
        if request.task == JobKind.INGEST:
            parts = (self._settings, self._ledger, self._records, self._credits, self._sources, self._runner)
            return IngestRun(*parts, live, request, BulkIndexing(self._ledger, self._store, live)).run
        if not isinstance(request.task, JobKind) or request.task not in self._tasks:
            raise UsageError(
                f"This version of Likewise knows no task '{request.task}'.",
                "Go on with the version that started the job, or cancel it.",
            )
        task, options = self._tasks[request.task], request.task.parse(request.options)
        return lambda: run_task(task, live, options)

    def _give_up(self, live: LiveJob, reason: str, *, again: bool = True) -> JobProgress:
        message = f"{reason} What is stored stays; run it again to go on." if again else reason
        return self._unstored.end(live, self._store, JobState.FAILED, message)
