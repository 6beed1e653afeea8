"""One pass over a job: scan → plan → batches → reports → missing files."""

from __future__ import annotations

from contextlib import closing

from ingest.jobs.bulk_indexing import BulkIndexing
from ingest.jobs.progress import JobProgress, JobState
from ingest.jobs.rows import JobRequest, LiveJob
from ingest.ledger.credits import PAGE, Credits
from ingest.ledger.database import Ledger
from ingest.ledger.entries import chunked, forget_plan
from ingest.ledger.libraries import LibraryMap
from ingest.plan.dispatch import Dispatch
from ingest.plan.missing import SuspectRoot, expire, mark_missing, suspect_roots, sweep
from ingest.plan.plan import Planner, find_lost_records
from ingest.plan.store_records import Records
from ingest.scan.sources import Sources
from search.settings import Settings
from workers.batch.report import BatchRunner


class IngestRun:
    """Everything a job does from its scan to its end. When a job is taken up, a new pass finds done what is done."""

    def __init__(
        self,
        settings: Settings,
        ledger: Ledger,
        records: Records,
        credits_: Credits,
        sources: Sources,
        runner: BatchRunner,
        live: LiveJob,
        order: JobRequest,
        bulk: BulkIndexing,
    ) -> None:
        self._settings = settings
        self._ledger = ledger
        self._records = records
        self._credits = credits_
        self._sources = sources
        self._runner = runner
        self._live = live
        self._order = order
        self._bulk = bulk
        self._notes: list[str] = []

    def run(self) -> JobProgress:
        """
        Raises:
            LikewiseError: it could not go on; what is done stays done.
        """
        live = self._live
        if live.cancelled:
            return self._cut_off()
        live.recount()
        live.enter(JobState.SCANNING)
        self._plan()
        live.enter(JobState.RUNNING)
        self._bulk.begin()
        self._embed()
        if live.cancelled:
            return self._cut_off()
        in_doubt = self._see_to_missing()
        self._credit()
        self._forget_plan()
        self._bulk.end()
        if in_doubt:
            return live.enter(JobState.NEEDS_CONFIRMATION, self._question(in_doubt))
        state = JobState.DONE_WITH_FAILURES if live.snapshot().failed else JobState.DONE
        return live.enter(state, " ".join(self._notes))

    def _cut_off(self) -> JobProgress:
        self._forget_plan()
        if not self._live.halted:
            self._bulk.end()
        return self._live.enter(self._live.cut_off)

    def _plan(self) -> None:
        self._forget_plan()
        lost = find_lost_records(self._ledger, self._records)
        if lost:
            self._notes.append(f"{lost:,} records were not in the store; their files were read again.")
        with self._ledger.read() as connection:
            known_roots = LibraryMap(connection)
        planner = Planner(
            self._ledger,
            self._records,
            self._live,
            known_roots,
            self._sources.access,
            retry=self._order.retry_failed,
            max_bytes=self._settings.max_file_mb * 2**20,
        )
        roots = self._order.roots
        planner.plan(self._sources.found(roots, known_roots), self._sources.folders(roots))
        if planner.failed_before:
            self._notes.append(
                f"{planner.failed_before:,} files failed before and have not changed; --retry tries them again."
            )

    def _forget_plan(self) -> None:
        with self._live.write() as (connection, _):
            forget_plan(connection, self._live.number)

    def _embed(self) -> None:
        dispatch = Dispatch(
            self._settings,
            self._ledger,
            self._records,
            self._live,
            self._sources.access,
            retry=self._order.retry_failed,
        )
        with closing(dispatch):
            while self._live.wait_while_paused() and not dispatch.exhausted:
                for report in self._runner.run(dispatch):
                    dispatch.record(report)
                    self._bulk.go_on()

    def _see_to_missing(self) -> list[SuspectRoot]:
        """Mark, expire and sweep; returns the roots where nothing was marked, because too much has gone."""
        live, order = self._live, self._order
        in_doubt = [] if order.confirm_missing else suspect_roots(self._ledger, live.number, order.roots)
        mark_missing(live, self._records, [doubt.root for doubt in in_doubt], self._sources.exists)
        expire(live, self._settings.missing_grace_days)
        sweep(live, self._records)
        return in_doubt

    def _credit(self) -> None:
        """Give records that were written anew the photographers that people have credited them to."""
        with self._live.write() as (connection, _):
            touched = self._credits.touched(connection, self._live.number)
        for page in chunked(touched, PAGE):
            with self._live.write() as (connection, _):
                self._credits.apply(connection, page)

    def _question(self, in_doubt: list[SuspectRoot]) -> str:
        said = [
            *map(str, in_doubt),
            "Nothing was marked missing. Is the drive mounted? If they are gone for good,",
            "ingest again with --confirm-missing.",
        ]
        return " ".join([*self._notes, *said])
