"""One run of an ingest job: scan, plan, embed in batches, record reports, handle missing files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing

from ingest.jobs.bulk_indexing import BulkIndexing
from ingest.jobs.kinds import JobKind
from ingest.jobs.progress import JobProgress, JobState
from ingest.jobs.rows import JobRequest, LiveJob
from ingest.ledger.credits import PAGE, Credits
from ingest.ledger.database import Ledger
from ingest.ledger.entries import chunked, forget_plan
from ingest.ledger.libraries import LibraryMap
from ingest.plan.dispatch import Dispatch
from ingest.plan.missing import SuspectRoot, expire, mark_missing, suspect_roots, sweep
from ingest.plan.plan import Planner, find_lost_records
from ingest.plan.sidecars import SidecarUpdates
from ingest.plan.store_records import Records
from ingest.scan.sources import Sources
from search.settings import Settings
from workers.batch.report import BatchRunner


class IngestRun:
    """A job from its scan to its end. A resumed job gets a new run, which finds done what is done."""

    def __init__(
        self,
        settings: Settings,
        ledger: Ledger,
        records: Records,
        credits_: Credits,
        sources: Sources,
        runner: BatchRunner,
        live: LiveJob,
        request: JobRequest,
        bulk: BulkIndexing,
    ) -> None:
        self._settings = settings
        self._ledger = ledger
        self._records = records
        self._credits = credits_
        self._sources = sources
        self._runner = runner
        self._live = live
        self._request = request
        self._bulk = bulk
        self._notes: list[str] = []

    def run(self) -> JobProgress:
        """Do all that is left to do; the progress at the end.

        Raises:
            LikewiseError: the run could not continue; what is done stays done.
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
        suspect = self._handle_missing()
        self._read_sidecars()
        if live.cancelled:
            return self._cut_off()
        self._credit()
        self._forget_plan()
        self._bulk.end()
        if suspect:
            return live.enter(JobState.NEEDS_CONFIRMATION, self._confirmation_request(suspect))
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
            retry=self._request.retry_failed,
            max_bytes=self._settings.max_file_mb * 2**20,
            reread=JobKind.INGEST.parse(self._request.options).reread,
        )
        roots = self._request.roots
        planner.plan(self._sources.found(roots, known_roots), self._sources.folders(roots))
        if planner.failed_before:
            self._notes.append(
                f"{planner.failed_before:,} files failed before and have not changed; "
                "the page Failures, or --retry, tries them again."
            )
        self._notes.extend(_left_out(planner, self._settings.missing_grace_days))
        self._notes.extend(_nothing_to_take_in(self._live.snapshot(), roots))

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
            retry=self._request.retry_failed,
        )
        with closing(dispatch):
            while self._live.wait_while_paused() and not dispatch.exhausted:
                for report in self._runner.run(dispatch):
                    dispatch.record(report)
                    self._bulk.hold_pending()

    def _read_sidecars(self) -> None:
        """Read the facts of records anew whose sidecars have changed."""
        updates = SidecarUpdates(self._settings, self._ledger, self._records, self._live)
        while self._live.wait_while_paused() and not updates.exhausted:
            for report in self._runner.run(updates):
                updates.record(report)
                self._bulk.hold_pending()
        updates.tidy()
        if updates.failed:
            what = "file with an edited sidecar" if updates.failed == 1 else "files with edited sidecars"
            self._notes.append(f"{updates.failed:,} {what} could not be read again; the next ingest tries.")

    def _handle_missing(self) -> list[SuspectRoot]:
        """Mark, expire and sweep; returns the roots where nothing was marked, because too many files are missing."""
        live, request = self._live, self._request
        suspect = [] if request.confirm_missing else suspect_roots(self._ledger, live.number, request.roots)
        mark_missing(live, self._records, [root.root for root in suspect], self._sources.exists)
        expire(live, self._settings.missing_grace_days)
        sweep(live, self._records)
        return suspect

    def _credit(self) -> None:
        """Give rewritten records the photographers that people have credited them to."""
        with self._live.write() as (connection, _):
            rewritten = self._credits.rewritten_by(connection, self._live.number)
        for page in chunked(rewritten, PAGE):
            with self._live.write() as (connection, _):
                self._credits.apply(connection, page)

    def _confirmation_request(self, suspect: list[SuspectRoot]) -> str:
        sentences = [
            *map(str, suspect),
            "Nothing was marked missing. Is the drive mounted? If they are gone for good,",
            "confirm the removal (--confirm-missing).",
        ]
        return " ".join([*self._notes, *sentences])


def _left_out(planner: Planner, grace_days: float) -> Iterator[str]:
    """Sentences about what other programs keep beside photos."""
    folders, single = planner.system_folders, planner.system_files
    parts = [(folders, "folder"), (single, "file")]
    named = " and ".join(f"{count:,} {noun}{'s'[: count != 1]}" for count, noun in parts if count)
    if named:
        was = "was" if folders + single == 1 else "were"
        yield f"{named} that other programs keep beside photos (thumbnails, recycle bins) {was} left out."
    if planner.taken_back:
        yield (
            f"{planner.taken_back:,} files in them that an older version took in are hidden now and deleted from the "
            f"library in {grace_days:g} days; LIKEWISE_INCLUDE_SYSTEM_FOLDERS=true keeps them."
        )


def _nothing_to_take_in(found: JobProgress, roots: Sequence[str]) -> Iterator[str]:
    """What to look at where a scan has found no file, or no media."""
    named = ", ".join(f"'{root}'" for root in roots)
    if not found.total:
        yield (
            f"No file was found in {named}. Is it the right folder, and is its drive mounted? Hidden files, and those "
            "that a .likewiseignore names, are left out."
        )
    elif found.skipped == found.total:
        files = "The one file" if found.total == 1 else f"None of the {found.total:,} files"
        yield f"{files} in {named} is {'no' if found.total == 1 else 'a'} picture, video or sound that Likewise reads."
