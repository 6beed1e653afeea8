"""Hold the store's indexing while a job writes many records, and release it afterwards.

An index that grows with a bulk load is built again and again; built once at the end, it costs a fraction. The ledger
notes the hold before the store does, so that it is released even when the job's process is killed.
"""

from __future__ import annotations

from collections import Counter

from sqlalchemy import func, select, update

from ingest.jobs.progress import UNFINISHED
from ingest.jobs.rows import LiveJob
from ingest.ledger.database import Ledger
from ingest.ledger.tables import Action, jobs, planned
from search.errors import NotFoundError
from search.media import COLLECTIONS, Kind
from search.store.base import Store

BULK_FILES = 20_000
"""From so many files for one collection on, indexing is held: about what a server indexes in one step anyway."""


class BulkIndexing:
    """The collections whose indexing one job holds."""

    def __init__(self, ledger: Ledger, store: Store, live: LiveJob) -> None:
        self._ledger, self._store, self._live = ledger, store, live
        self._to_hold: set[str] = set()

    def begin(self) -> None:
        """Hold indexing of every collection into which the job's plan writes many records."""
        to_read = (planned.c.job == self._live.number) & (planned.c.action == Action.READ.value)
        query = select(planned.c.kind, func.count()).where(to_read).group_by(planned.c.kind)
        files: Counter[str] = Counter()
        with self._ledger.read() as connection:
            for kind, count in connection.execute(query):
                files[Kind(kind).collection] += count
        self._to_hold = {collection for collection, count in files.items() if count >= BULK_FILES}
        if self._to_hold:
            with self._live.write() as (connection, _):
                connection.execute(update(jobs).where(jobs.c.id == self._live.number).values(bulk=True))
        self.hold_pending()

    def hold_pending(self) -> None:
        """Hold collections that did not exist before: the first batch may make them."""
        for collection in sorted(self._to_hold):
            try:
                self._store.hold_indexing(collection, held=True)
            except NotFoundError:
                continue
            self._to_hold.discard(collection)

    def end(self) -> None:
        """Release them, unless another job holds as well. Called before the job is stored as ended."""
        self._to_hold.clear()
        release_indexing(self._ledger, self._store, ending=self._live.number)


def release_indexing(ledger: Ledger, store: Store, *, ending: int | None = None) -> None:
    """Release indexing that no unfinished job holds.

    Args:
        ending: number of a job that is about to end and counts as ended.

    Raises:
        StoreError, LedgerError: it is not possible now.
    """
    held_for = jobs.c.bulk & jobs.c.state.in_([state.value for state in UNFINISHED])
    with ledger.read() as connection:
        numbers = set(connection.execute(select(jobs.c.id).where(held_for)).scalars())
    if numbers - {ending}:
        return
    for collection in COLLECTIONS:
        try:
            if store.is_indexing_held(collection):
                store.hold_indexing(collection, held=False)
        except NotFoundError:
            continue
