"""Compares records with the ledger: paths, credits, records without files, files without records. It changes
nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from sqlalchemy import Connection, func, select

from ingest.ledger.credits import Credits
from ingest.ledger.database import Ledger
from ingest.ledger.entries import chunked, locations_of
from ingest.ledger.tables import FileState, files
from ingest.maintenance.verify.findings import Damage, Fault
from ingest.maintenance.verify.record_checks import Page, same_value
from ingest.plan.store_records import Records, path_changes
from search.errors import LedgerDamagedError
from search.media import Kind

PAGE = 1000


def with_files(connection: Connection, ids: Iterable[str]) -> set[str]:
    """Those of these records of which the ledger knows a file, present or missing."""
    query = select(files.c.media_id).distinct()
    return {
        id_ for chunk in chunked(ids) for id_ in connection.execute(query.where(files.c.media_id.in_(chunk))).scalars()
    }


class LedgerChecks:
    """The comparisons of one run."""

    def __init__(self, ledger: Ledger, records: Records, credits_: Credits) -> None:
        self._ledger, self._records, self._credits = ledger, records, credits_

    def file_faults(self) -> list[Damage]:
        """What SQLite finds wrong with the ledger's file.

        Raises:
            LedgerError: it cannot be reached.
        """
        try:
            faults = self._ledger.quick_check()
        except LedgerDamagedError as error:
            faults = [error.message]
        return [Damage(Fault.LEDGER, "", "ledger", fault) for fault in faults]

    def compare(self, page: Page) -> list[Damage]:
        """Compare the records of a page whose facts are undamaged."""
        found: list[Damage] = []
        with self._ledger.read() as connection:
            present = locations_of(connection, page.sound)
            known = with_files(connection, page.sound)
            credits_ = self._credits.changes(connection, [point for point in page.points if point.id in page.sound])
        payloads = {point.id: point.payload for point in page.points}
        for id_, record in page.sound.items():
            paths = record.paths[:1]
            if id_ not in known:
                detail = "The ledger knows no file of it, so that no scan will ever miss it."
                found.append(Damage(Fault.NO_FILE, id_, page.collection, detail, paths))
                continue
            changes = path_changes(record, payloads[id_], present.get(id_))
            wrong = sorted(key for key, value in changes.items() if not same_value(value, payloads[id_].get(key)))
            if wrong:
                detail = f"The ledger has it otherwise: {', '.join(wrong)}."
                found.append(Damage(Fault.PATHS, id_, page.collection, detail, paths))
            # ``words`` follow from more than the credit, and are compared with the facts.
            if names := sorted(credits_.get(id_, {}).keys() & {"photographer", "credit"}):
                detail = f"The ledger has it otherwise: {', '.join(names)}."
                found.append(Damage(Fault.CREDIT, id_, page.collection, detail, paths))
        return found


def lost_records(ledger: Ledger, records: Records) -> Iterator[list[Damage]]:
    """Embedded files whose records the store has not, a list a page.

    Raises:
        StoreError, LedgerError: they cannot be asked.
    """
    last = ""
    of_kind = (files.c.media_id, func.min(files.c.kind), func.min(files.c.path))
    while True:
        query = select(*of_kind).where(files.c.media_id > last, files.c.state == FileState.EMBEDDED.value)
        with ledger.read() as connection:
            rows = connection.execute(query.group_by(files.c.media_id).order_by(files.c.media_id).limit(PAGE)).all()
        if not rows:
            return
        last = rows[-1][0]
        kinds: Mapping[str, Kind] = {id_: Kind(kind) for id_, kind, _ in rows}
        paths = {id_: path for id_, _, path in rows}
        yield [
            Damage(Fault.NO_RECORD, id_, kinds[id_].collection, "The store has no record of this file.", (paths[id_],))
            for id_ in sorted(records.absent(kinds))
        ]
