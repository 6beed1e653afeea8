"""Ingest jobs: start, run, pause, resume, cancel, look at.

A job is scan → plan → batches → reports → missing files, and everything it has done is in the ledger at every moment:
killed anywhere, :meth:`Ingest.run` scans again and finds only the rest to do.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from sqlalchemy import select

from ingest.dispatch import Dispatch
from ingest.jobs import LiveJob, create_job, load_job, progress_of
from ingest.ledger import Ledger
from ingest.libraries import LibraryMap, register
from ingest.missing import clear_plan, doubts, expire, mark_missing, sweep
from ingest.plan import Planner, find_lost_records
from ingest.progress import UNFINISHED, Failure, JobProgress, JobState
from ingest.records import Records
from ingest.sources import Sources
from ingest.tables import FileState, files, jobs, libraries
from search.errors import LikewiseError, UsageError
from search.settings import Settings
from search.store.base import Store
from workers.report import Batch, BatchReport

__all__ = ["Failure", "Ingest", "JobProgress", "JobState", "Runner"]

RETRY_DELAYS = (1.0, 3.0, 10.0, 30.0)
"""Seconds before each new try when the store cannot be reached; the count starts over with every batch that works."""


class Runner(Protocol):
    """Whatever turns batches into reports: this process, or a cluster."""

    def run(self, batches: Iterable[Batch]) -> Iterator[BatchReport]:
        """Reports of the batches, in any order; pulls only as many batches as it can work on."""
        ...


@dataclass(frozen=True, slots=True)
class _Order:
    """What a job was started with."""

    roots: tuple[str, ...]
    confirm_missing: bool
    retry_failed: bool


class Ingest:
    """The ingest of one data directory. Jobs run one after another; all methods may be called from any thread."""

    def __init__(
        self,
        settings: Settings,
        store: Store,
        ledger: Ledger,
        runner: Runner,
        *,
        retry_delays: Sequence[float] = RETRY_DELAYS,
    ) -> None:
        self._settings = settings
        self._ledger = ledger
        self._runner = runner
        self._records = Records(store, settings.home)
        self._sources = Sources(settings, ledger)
        self._retry_delays = tuple(retry_delays)
        self._turn = threading.Lock()
        self._roll = threading.Lock()  # held while a job becomes live, or is found not to be
        self._live: dict[str, LiveJob] = {}
        self._halting = False

    def start(
        self,
        paths: Sequence[Path | str],
        *,
        library: str | None = None,
        confirm_missing: bool = False,
        retry_failed: bool = False,
    ) -> str:
        """Register a job over files and folders; :meth:`run` does it.

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
            return create_job(
                connection,
                roots=real,
                library=register(connection, real, library),
                confirm_missing=confirm_missing,
                retry_failed=retry_failed,
            )

    def retry_failures(self) -> str | None:
        """Register a job that reads every failed file again and nothing else; None when nothing has failed."""
        with self._ledger.write() as connection:
            query = select(libraries.c.name).join(files).where(files.c.state == FileState.FAILED.value).distinct()
            names = sorted(connection.execute(query).scalars())
            if not names:
                return None
            return create_job(connection, roots=(), library=", ".join(names), confirm_missing=False, retry_failed=True)

    def run(self, job_id: str, on_progress: Callable[[JobProgress], None] | None = None) -> JobProgress:
        """Run a job to its end in this thread, after any other that is running.

        Also takes up a job that a killed process left behind. Returns at once when the job has ended already.

        Raises:
            NotFoundError: there is no such job.
        """
        with self._roll:
            stored = self._stored(job_id)
            if stored.finished:
                return stored
            live = self._live.setdefault(job_id, LiveJob(stored, on_progress))
        if self._halting:
            live.halt()
        try:
            with self._turn:
                return self._run(live)
        finally:
            self._live.pop(job_id, None)

    def pause(self, job_id: str) -> None:
        """Stop after the batches in work. Does nothing to a job that is not running here."""
        if live := self._switch(job_id):
            live.pause()

    def resume(self, job_id: str) -> None:
        if live := self._switch(job_id):
            live.resume()

    def cancel(self, job_id: str) -> None:
        """End the job after the batches it is working on; what is stored stays stored."""
        with self._roll:
            if live := self._switch(job_id):
                live.cancel()
            elif not (stored := self._stored(job_id)).finished:
                clear_plan(self._ledger, int(stored.id))
                LiveJob(stored).enter(JobState.CANCELLED, self._ledger)

    def halt(self) -> None:
        """Stop whatever runs here after the batches in work and leave it queued: this process is about to end, and
        the next one goes on with :meth:`unfinished`."""
        self._halting = True
        for live in list(self._live.values()):
            live.halt()

    def progress(self, job_id: str) -> JobProgress:
        """How a job stands, to the file when it runs in this process, to the last batch otherwise."""
        live = self._live.get(job_id)
        return live.snapshot() if live else self._stored(job_id)

    def jobs(self, limit: int = 50) -> list[JobProgress]:
        """The latest jobs, newest first."""
        with self._ledger.read() as connection:
            rows = connection.execute(select(jobs).order_by(jobs.c.id.desc()).limit(limit)).all()
        stored = [progress_of(row) for row in rows]
        return [live.snapshot() if (live := self._live.get(job.id)) else job for job in stored]

    def unfinished(self) -> list[str]:
        """Jobs that no process has brought to an end, oldest first: queued, or cut off by a kill."""
        with self._ledger.read() as connection:
            query = select(jobs.c.id).where(jobs.c.state.in_([state.value for state in UNFINISHED]))
            return [str(number) for number in connection.execute(query.order_by(jobs.c.id)).scalars()]

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

    def _switch(self, job_id: str) -> LiveJob | None:
        live = self._live.get(job_id)
        if live is None:
            self._stored(job_id)  # raises for an id that never was
        return live

    def _run(self, live: LiveJob) -> JobProgress:
        with self._ledger.read() as connection:
            row = load_job(connection, str(live.number))
        stored = progress_of(row)
        if stored.finished:  # by another thread that ran the same job, while this one waited for its turn
            return stored
        order = _Order(stored.roots, row.confirm_missing, row.retry_failed)
        try:
            return self._run_with_retries(live, order)
        except LikewiseError as error:
            return self._give_up(live, str(error))
        except Exception as error:
            # The boundary of a job: recorded for whoever looks, then raised for whoever mends. An interrupt is let
            # through unrecorded and leaves the job to be resumed, like a kill.
            self._give_up(live, f"It ended in an error of its own, {type(error).__name__}: {error}.")
            raise

    def _give_up(self, live: LiveJob, reason: str) -> JobProgress:
        message = f"{reason} What is stored stays; run it again to go on."
        try:
            return live.enter(JobState.FAILED, self._ledger, message)
        except LikewiseError:
            return live.snapshot()  # the ledger itself is what failed: the caller still learns why

    def _run_with_retries(self, live: LiveJob, order: _Order) -> JobProgress:
        delays = iter(self._retry_delays)
        while True:
            done_before = live.snapshot().done
            try:
                return self._run_once(live, order)
            except LikewiseError as error:
                if not error.retryable:
                    raise
                if live.snapshot().done > done_before:
                    delays = iter(self._retry_delays)
                delay = next(delays, None)
                if delay is None:
                    raise
                live.enter(JobState.RUNNING, self._ledger, f"{error} Trying again in {delay:.0f} s.")
                live.sleep(delay)

    def _run_once(self, live: LiveJob, order: _Order) -> JobProgress:
        if live.cancelled:
            return live.enter(live.cut_off, self._ledger)
        live.recount()
        live.enter(JobState.SCANNING, self._ledger)
        clear_plan(self._ledger, live.number)
        lost = find_lost_records(self._ledger, self._records)
        notes = [f"{lost:,} records were not in the store; their files were read again."] if lost else []
        with self._ledger.read() as connection:
            known_roots = LibraryMap(connection)
        planner = Planner(
            self._ledger,
            self._records,
            live,
            known_roots,
            retry=order.retry_failed,
            max_bytes=self._settings.max_file_mb * 2**20,
        )
        planner.plan(self._sources.found(order.roots, known_roots), self._sources.folders(order.roots))
        live.enter(JobState.RUNNING, self._ledger)
        dispatch = Dispatch(self._ledger, self._records, live, retry=order.retry_failed)
        with closing(dispatch):
            while live.wait_while_paused() and not dispatch.exhausted:
                for report in self._runner.run(dispatch.batches()):
                    dispatch.record(report)
        if live.cancelled:
            clear_plan(self._ledger, live.number)
            return live.enter(live.cut_off, self._ledger)
        in_doubt = [] if order.confirm_missing else doubts(self._ledger, live.number, order.roots)
        mark_missing(self._ledger, self._records, live, [doubt.root for doubt in in_doubt])
        expire(self._ledger, self._settings.missing_grace_days)
        sweep(self._ledger, self._records)
        clear_plan(self._ledger, live.number)
        if in_doubt:
            notes += [
                *map(str, in_doubt),
                "Nothing was marked missing. Is the drive mounted? If they are gone for good,",
            ]
            notes[-1] += " ingest again with --confirm-missing."
            return live.enter(JobState.NEEDS_CONFIRMATION, self._ledger, " ".join(notes))
        if planner.failed_before:
            notes.append(
                f"{planner.failed_before:,} files failed before and have not changed; --retry tries them again."
            )
        state = JobState.DONE_WITH_FAILURES if live.snapshot().failed else JobState.DONE
        return live.enter(state, self._ledger, " ".join(notes))
