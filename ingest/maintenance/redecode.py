"""Decode the files of records anew that an older version decoded, where this one decodes them otherwise.

Records are replaced one by one in the current collections, and answer meanwhile. After a kill, the next run continues
with those that are still outdated. A record whose file cannot be read or embedded any more stays as it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import update

from ingest.jobs.tasks import TaskRun
from ingest.ledger.database import Ledger
from ingest.ledger.tables import files
from ingest.maintenance.fill import KEPT, FillRun
from ingest.plan.store_records import Records
from search.media import COLLECTIONS, MediaRecord
from search.records.status import outdated_count
from search.settings import Settings
from search.store.base import Store
from workers.batch.report import Batch, BatchReport, BatchRunner, FileRef
from workers.decode.revisions import is_outdated
from workers.storage.previews import Previews


class RedecodeRun(FillRun):
    """One run of a job over the current collections."""

    def __init__(self, settings: Settings, store: Store, ledger: Ledger, job: TaskRun, runner: BatchRunner) -> None:
        existing = store.collections()
        super().__init__(settings, store, ledger, job, runner, [name for name in COLLECTIONS if name in existing])
        self._records = Records(store, Previews(settings))
        self._given_up: set[str] = set()

    def summary(self) -> str:
        """Message of the job at its end."""
        if not self._job.goes_on():
            return KEPT
        if self._given_up:
            return self._with_examples(
                f"{len(self._given_up):,} could not be decoded anew and stay as an older version decoded them"
            )
        return "Every file is decoded as this version decodes it."

    def _begin(self) -> None:
        self._job.begin(sum(outdated_count(self._store, name) for name in self._generations))

    def _batch(self, generation: str, refs: Sequence[FileRef]) -> Batch:
        batch = super()._batch(generation, [replace(ref, anew=True) for ref in refs])
        batch = replace(batch, into=None)  # written like a new file, which may be of another kind now
        self._batches[batch.id] = batch
        return batch

    def _held(self, generation: str, ids: Sequence[str]) -> set[str]:
        outdated = set()
        for point in self._store.retrieve(generation, ids):
            record = MediaRecord.from_payload(point.payload)
            if not record.missing and is_outdated(record):
                outdated.add(point.id)
        return set(ids) - (outdated - self._given_up)

    def _give_up(self, generation: str, ids: Sequence[str]) -> None:
        self._given_up.update(ids)
        self._job.count(failed=len(ids))

    def _take(self, report: BatchReport) -> None:
        batch = self._batches[report.batch]
        for outcome in report.outcomes:
            if outcome.media_id is None or outcome.kind in (None, batch.kind):
                continue
            assert outcome.kind is not None
            with self._ledger.write() as connection:
                of_record = files.c.media_id == outcome.media_id
                connection.execute(update(files).where(of_record).values(kind=outcome.kind.value))
            self._records.delete_of_kind(outcome.media_id, batch.kind)
        super()._take(report)
