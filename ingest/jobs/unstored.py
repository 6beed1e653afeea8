"""How jobs of this process ended while the ledger could not note it, because its disk is full, say.

A job whose end the ledger lacks looks as if it ran for ever. So whoever asks this process is told from here, and the
end is stored as soon as the ledger can be written again. Where the process ends before that, the job is one that a dead
process left behind, and is resumed or repeated as every such job is.
"""

from __future__ import annotations

import logging
import threading
from contextlib import suppress

from sqlalchemy import select, update

from ingest.jobs.bulk_indexing import release_indexing
from ingest.jobs.progress import UNFINISHED, JobProgress, JobState
from ingest.jobs.rows import LiveJob
from ingest.ledger.database import Ledger
from ingest.ledger.entries import forget_plan
from ingest.ledger.tables import COUNTERS, jobs
from search.errors import LeaseLostError, LikewiseError, StoreError
from search.store.base import Store

log = logging.getLogger(__name__)

KEPT = 1000
"""Most ends that are kept; the oldest are dropped first."""


class UnstoredEnds:
    """The ends of jobs that the ledger has yet to note. Thread-safe.

    Args:
        owner: name of the coordinator of this process.
    """

    def __init__(self, ledger: Ledger, owner: str) -> None:
        self._ledger, self._owner = ledger, owner
        self._lock = threading.Lock()
        self._ended: dict[str, JobProgress] = {}

    def end(self, live: LiveJob, store: Store, state: JobState, message: str) -> JobProgress:
        """End a job: in the ledger if that can be written, and here otherwise.

        Raises:
            LeaseLostError: another coordinator runs the job now.
        """
        try:
            with live.write() as (connection, _):
                forget_plan(connection, live.number)
            with suppress(StoreError):  # the store may be what failed; the next job, or the next start, releases it
                release_indexing(self._ledger, store, ending=live.number)
            return live.enter(state, message)
        except LeaseLostError:
            raise
        except LikewiseError:
            if live.halted:  # whoever comes next finds it in the ledger as the job of a dead process
                return live.snapshot()
            return self.add(live.show_state(state, message))

    def add(self, ended: JobProgress) -> JobProgress:
        """Keep the end of a job, which is returned."""
        with self._lock:
            self._ended[ended.id] = ended
            while len(self._ended) > KEPT:
                del self._ended[next(iter(self._ended))]
        log.error("Job %s has ended, which the ledger cannot note now: %s", ended.id, ended.message)
        return ended

    def get(self, job_id: str) -> JobProgress | None:
        """The end of a job; None unless it is kept here."""
        return self._ended.get(job_id)

    def store(self) -> None:
        """Store all ends that the ledger takes now; the others stay. A job that another process runs by now is left to
        it."""
        with self._lock:
            waiting = list(self._ended.values())
        if not waiting:
            return
        try:
            with self._ledger.write() as connection:
                for ended in waiting:
                    number = int(ended.id)
                    row = connection.execute(
                        select(jobs.c.owner, jobs.c.state).where(jobs.c.id == number)
                    ).one_or_none()
                    if row is None or row.owner not in ("", self._owner) or row.state not in UNFINISHED:
                        continue
                    forget_plan(connection, number)
                    values = {name: getattr(ended, name) for name in ("message", "seconds", "rate")}
                    if ended.total:
                        values |= {name: getattr(ended, name) for name in COUNTERS}
                    lease = {"owner": "", "heartbeat": None, "wanted": "", "bulk": False, "eta_seconds": None}
                    connection.execute(
                        update(jobs).where(jobs.c.id == number).values(state=ended.state.value, **values, **lease)
                    )
        except LikewiseError:
            return
        with self._lock:
            for ended in waiting:
                self._ended.pop(ended.id, None)
