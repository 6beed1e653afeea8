"""Repair what a verification has found: embed files anew, and write anew what follows from facts and ledger.

Files are decoded and embedded as by ``likewise reembed --decoding``. What cannot be embedded stays as it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from ingest.jobs.tasks import TaskRun
from ingest.ledger.credits import Credits
from ingest.ledger.database import Ledger
from ingest.ledger.entries import chunked, locations_of
from ingest.maintenance.fill import PAGE
from ingest.maintenance.redecode import RedecodeRun
from ingest.maintenance.verify.findings import EMBEDDED_ANEW, Damage, Fault
from ingest.maintenance.verify.ledger_checks import LedgerChecks, with_files
from ingest.maintenance.verify.record_checks import Page, RecordChecks, wrong_keys
from ingest.plan.store_records import Records
from search.media import COLLECTIONS, KIND_OF, Payload
from search.settings import Settings
from search.store.base import Point, Store
from search.store.checksums import implausible, prove, sealing
from workers.batch.report import BatchReport, BatchRunner
from workers.storage.previews import Previews


class EmbedAnew(RedecodeRun):
    """Embeds the files of these records anew, whatever the store holds of them.

    Args:
        wanted: ids by collection.
    """

    def __init__(
        self,
        settings: Settings,
        store: Store,
        ledger: Ledger,
        job: TaskRun,
        runner: BatchRunner,
        wanted: Mapping[str, Sequence[str]],
    ) -> None:
        super().__init__(settings, store, ledger, job, runner)
        self._wanted = {collection: set(ids) for collection, ids in wanted.items()}
        self._generations = [name for name in self._generations if self._wanted.get(name)]

    @property
    def reasons(self) -> Mapping[str, str]:
        """Path and code of what could not be embedded, by id."""
        return self._failed

    def _begin(self) -> None:
        self._job.count(total=sum(map(len, self._wanted.values())))

    def _ids(self, collection: str) -> Iterator[str]:
        return iter(sorted(self._wanted[collection]))

    def _held(self, generation: str, ids: Sequence[str]) -> set[str]:
        return set(ids) - (self._wanted[generation] - self._given_up)

    def _give_up(self, generation: str, ids: Sequence[str]) -> None:
        self._given_up.update(ids)

    def _take(self, report: BatchReport) -> None:
        embedded = {outcome.media_id for outcome in report.outcomes}
        super()._take(report)
        for ids in self._wanted.values():
            ids -= embedded


class Repair:
    """One repair of what a verification has found."""

    def __init__(self, settings: Settings, store: Store, ledger: Ledger, job: TaskRun, runner: BatchRunner) -> None:
        self._settings, self._store, self._ledger, self._job, self._runner = settings, store, ledger, job, runner
        self._previews = Previews(settings)
        self._records = Records(store, self._previews)
        self._credits = Credits(ledger, store)
        self._checks = RecordChecks(settings, store)

    def run(self, findings: Sequence[Damage]) -> list[Damage]:
        """Repair what can be; the findings again, those marked that a second check does not find any more."""
        wanted: dict[str, list[str]] = {}
        for finding in findings:
            if finding.fault in EMBEDDED_ANEW and finding.collection in COLLECTIONS:
                wanted.setdefault(finding.collection, []).append(finding.id)
        reasons = self._embed(wanted, {each.id for each in findings if each.fault is Fault.UNREADABLE})
        touched: dict[str, set[str]] = {}
        for finding in findings:
            if finding.collection in COLLECTIONS:
                touched.setdefault(finding.collection, set()).add(finding.id)
        left: set[tuple[str, Fault]] = set()
        for collection, ids in touched.items():
            for some in chunked(sorted(ids), PAGE):
                if not self._job.goes_on():
                    return list(findings)
                self._rewrite(collection, some)
                left |= self._faults(collection, some)
        return [self._after(finding, left, reasons) for finding in findings]

    def _embed(self, wanted: Mapping[str, Sequence[str]], unreadable: set[str]) -> Mapping[str, str]:
        if not wanted:
            return {}
        self._job.say("Embedding anew what is damaged.")
        emptied = {name: self._empty(name, [id_ for id_ in ids if id_ in unreadable]) for name, ids in wanted.items()}
        run = EmbedAnew(self._settings, self._store, self._ledger, self._job, self._runner, wanted)
        run.fill()
        for collection, ids in emptied.items():
            if left := [point.id for point in self._store.retrieve(collection, ids) if not point.payload]:
                self._store.delete(collection, left)
        return run.reasons

    def _empty(self, collection: str, ids: Sequence[str]) -> list[str]:
        """Replace records that the engine cannot read by empty ones, where the ledger has a file of them: it can
        neither edit nor delete what it cannot read."""
        with self._ledger.read() as connection:
            present = sorted(locations_of(connection, ids))
        self._store.upsert(collection, [Point(id_, {}, {}) for id_ in present])
        return present

    def seal(self, page: Page) -> None:
        """Give checksums to what has none, where it can have been written as it is."""
        schema = self._store.schema(page.collection)
        patches: dict[str, Payload] = {}
        for point in page.points:
            names = set(prove(schema, point).unproven) - set(implausible(schema, point))
            if names and point.id in page.sound:
                patches[point.id] = sealing(schema, point, names, {})
        if patches:
            self._store.patch_payload(page.collection, patches)
        keys = {id_: key for id_ in page.unsealed if (key := page.sound[id_].thumbnail) is not None}
        self._previews.save({id_: self._previews.read(key) for id_, key in keys.items()})

    def _rewrite(self, collection: str, ids: Sequence[str]) -> None:
        """Write what follows from the facts, the paths and the credits of records whose facts are undamaged."""
        page = self._checks.check(collection, ids)
        patches: dict[str, Payload] = {}
        for point in page.points:
            if point.id in page.sound:
                wanted = page.sound[point.id].to_payload()
                if keys := wrong_keys(page.sound[point.id], point.payload):
                    patches[point.id] = {key: wanted[key] for key in keys}
        if patches:
            self._store.patch_payload(collection, patches)
        with self._ledger.write() as connection:
            known = with_files(connection, page.sound)
            self._records.refresh(connection, dict.fromkeys(known, KIND_OF[collection]))
            self._credits.apply(connection, sorted(known))

    def _faults(self, collection: str, ids: Iterable[str]) -> set[tuple[str, Fault]]:
        page = self._checks.check(collection, list(ids))
        compared = LedgerChecks(self._ledger, self._records, self._credits).compare(page)
        absent = set(ids) - {point.id for point in page.points}
        found = {(finding.id, finding.fault) for finding in (*page.findings, *compared)}
        return found | {(id_, fault) for id_ in absent for fault in EMBEDDED_ANEW}

    def _after(self, finding: Damage, left: set[tuple[str, Fault]], reasons: Mapping[str, str]) -> Damage:
        if finding.collection not in COLLECTIONS:
            return finding
        if (finding.id, finding.fault) not in left:
            return replace(finding, repaired=True)
        if finding.fault not in EMBEDDED_ANEW:
            return finding
        reason = reasons.get(finding.id)
        tried = f"It could not be embedded anew: {reason}." if reason else "None of its files is there any more."
        return replace(finding, detail=f"{finding.detail} {tried}")
