"""Holding the store's indexing back while a job writes very much.

An index that grows along with a bulk load is built over and over; built once at the end, it costs a fraction. That a
job holds it back is in the ledger before the store is told, so that whatever happens to the job, somebody finds out
that it is to be let go.
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
"""So many files to read for one collection make a bulk load: about what a server's index takes in one go anyway."""


class BulkIndexing:
    """What one job holds back."""

    def __init__(self, ledger: Ledger, store: Store, live: LiveJob) -> None:
        self._ledger, self._store, self._live = ledger, store, live
        self._to_hold: set[str] = set()

    def begin(self) -> None:
        """Hold back what the job's plan is to write much into."""
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
        self.go_on()

    def go_on(self) -> None:
        """Hold back what could not be until now: collections may be made with the first batch."""
        for collection in sorted(self._to_hold):
            try:
                self._store.hold_indexing(collection, held=True)
            except NotFoundError:
                continue
            self._to_hold.discard(collection)

    def end(self) -> None:
        """Let go, unless another job holds back as well. Comes before the job is written down as ended."""
        self._to_hold.clear()
        release_indexing(self._ledger, self._store, ending=self._live.number)


def release_indexing(ledger: Ledger, store: Store, *, ending: int | None = None) -> None:
    """Let go of indexing that is held back for no job: those have ended, one way or another.

    Args:
        ending: a job that has as good as ended.
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
