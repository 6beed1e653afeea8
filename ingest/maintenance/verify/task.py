"""Job task ``verify``: read back everything that is stored, name what is damaged, and repair it if asked to."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace

from ingest.jobs.kinds import VerifyOptions
from ingest.jobs.tasks import TaskRun
from ingest.ledger.credits import Credits
from ingest.ledger.database import Ledger
from ingest.maintenance.verify.findings import Damage, VerifyReport, save_report
from ingest.maintenance.verify.ledger_checks import LedgerChecks, lost_records
from ingest.maintenance.verify.record_checks import RecordChecks
from ingest.maintenance.verify.repair import Repair
from ingest.plan.store_records import Records
from search.media import COLLECTIONS
from search.settings import Settings
from search.store.base import Store
from workers.batch.report import BatchRunner
from workers.storage.previews import Previews


class Verify:
    """The task ``verify``.

    Args:
        runner: embeds files anew, with the models in use.
    """

    def __init__(self, settings: Settings, store: Store, ledger: Ledger, runner: BatchRunner) -> None:
        self._settings, self._store, self._ledger, self._runner = settings, store, ledger, runner

    def check(self, options: VerifyOptions) -> str:
        """The job's title."""
        return "repairing" if options.repair else "everything"

    def run(self, options: VerifyOptions, job: TaskRun) -> str:
        """Check everything; the report is kept in the ledger.

        Raises:
            StoreError, LedgerError: they cannot be reached now, or cannot even be listed.
        """
        store, ledger = self._store, self._ledger
        existing = store.collections()
        collections = [name for name in COLLECTIONS if name in existing]
        job.begin(sum(existing[name].points for name in collections))
        records, checks = Records(store, Previews(self._settings)), RecordChecks(self._settings, store)
        against = LedgerChecks(ledger, records, Credits(ledger, store))
        repair = Repair(self._settings, store, ledger, job, self._runner) if options.repair else None
        report, found = VerifyReport(time.time()), [*against.file_faults()]
        pace = Pace(options.rate)
        for collection in collections:
            for page in checks.pages(collection, most=pace.most):
                compared = against.compare(page)
                if repair is not None:
                    repair.seal(page)
                found += (*page.findings, *compared)
                report = report.plus(records=len(page.ids), unproven=page.unproven, read=page.read, findings=())
                job.count(done=len(page.ids))
                if not job.goes_on():
                    return self._keep(report, found, ended=None)
                pace.wait(len(page.ids))
        for lost in lost_records(ledger, records):
            found += lost
        if repair is not None and found:
            found = repair.run(found)
        left = sum(not finding.repaired for finding in found)
        job.count(failed=left, total=left)
        return self._keep(report, found, ended=time.time())

    def _keep(self, report: VerifyReport, found: Sequence[Damage], *, ended: float | None) -> str:
        report = replace(report.plus(records=0, unproven=0, read=0, findings=found), ended=ended)
        save_report(self._ledger, report)
        return report.summary


class Pace:
    """Keeps to a number of records a second.

    Args:
        rate: None for as fast as it goes.

    Attributes:
        most: records in a page, so that no wait is longer than about a second; None for any number.
    """

    def __init__(self, rate: float | None) -> None:
        self._rate = rate
        self.most = None if rate is None else max(1, int(rate))
        self._began, self._done = time.monotonic(), 0

    def wait(self, records: int) -> None:
        """Wait until this many more may have been checked."""
        if self._rate is not None:
            self._done += records
            time.sleep(max(0.0, self._began + self._done / self._rate - time.monotonic()))
