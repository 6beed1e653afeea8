"""Files that no longer exist: ask when too many are gone, mark them, later delete their records."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, delete, func, or_, select, update

from ingest.jobs.progress import UNFINISHED
from ingest.jobs.rows import LiveJob
from ingest.ledger.database import Ledger
from ingest.ledger.entries import CHUNK, chunked, forget, locations_of, mark_unsettled
from ingest.ledger.tables import Action, FileState, at_or_below, files, jobs, planned, roots, unsettled
from ingest.plan.store_records import Records
from search.media import Kind

MANY = 10
MOST = 0.5
"""A root that has lost at least ``MANY`` files and more than the share ``MOST``, or all of them, needs confirmation."""

DAY = 86400.0


@dataclass(frozen=True, slots=True)
class SuspectRoot:
    """A root with so many files gone that none is marked unless a person confirms it."""

    root: str
    gone: int
    known: int

    def __str__(self) -> str:
        return f"{self.gone:,} of the {self.known:,} known files in '{self.root}' are gone."


def suspect_roots(ledger: Ledger, job: int, job_roots: Sequence[str]) -> list[SuspectRoot]:
    """Roots of this job that look unmounted or emptied.

    Files that have only moved do not count, nor do those that scans of this version leave out: an older version took
    them in, and that they are not listed says nothing of the drive.
    """
    found = []
    with ledger.read() as connection:
        for root in job_roots:
            present = (files.c.state == FileState.EMBEDDED.value) & at_or_below(files.c.path, root)
            left_out = _planned(connection, job, Action.LEFT_OUT, present)
            remaining = _count(connection, present) - left_out
            earlier = _count(connection, present & (files.c.job != job)) - left_out
            gone = _planned(connection, job, Action.GONE, present)
            if gone and (gone == remaining or (gone >= MANY and gone > MOST * earlier)):
                found.append(SuspectRoot(root, gone, max(earlier, gone)))
    return found


def _planned(connection: Connection, job: int, action: Action, where: ColumnElement[bool]) -> int:
    plan = (planned.c.path == files.c.path) & (planned.c.job == job) & (planned.c.action == action.value)
    query = select(func.count()).select_from(files).join(planned, plan).where(where)
    return connection.execute(query).scalar_one()


def _count(connection: Connection, where: object) -> int:
    return int(connection.execute(select(func.count()).select_from(files).where(where)).scalar_one())  # type: ignore[arg-type]


def mark_missing(live: LiveJob, records: Records, spared: Sequence[str], exists: Callable[[str], bool]) -> None:
    """Mark files that the plan lists as gone or left out, and hide records that have no path left.

    Those left out are kept and deleted like missing ones, after the grace period; until then they come back unread
    when an ignore file takes them in again.

    Args:
        spared: roots below which nothing is marked.
        exists: whether a file is at a path or address.

    Raises:
        LeaseLostError: another coordinator runs the job now.
    """
    wanted = (planned.c.job == live.number) & planned.c.action.in_([Action.GONE.value, Action.LEFT_OUT.value])
    if spared:
        wanted &= ~or_(*(at_or_below(planned.c.path, root) for root in spared))
    last = 0
    while True:
        with live.write() as (connection, counts):
            query = select(planned.c.seq, planned.c.path).where(wanted, planned.c.seq > last)
            page = connection.execute(query.order_by(planned.c.seq).limit(CHUNK)).all()
            if not page:
                return
            last = page[-1].seq
            counts["missing"] += _mark(connection, records, live.number, [row.path for row in page], exists)


def _mark(connection: Connection, records: Records, job: int, paths: list[str], exists: Callable[[str], bool]) -> int:
    """Mark these paths; the number of files with a record among them."""
    named = set(connection.execute(select(roots.c.path).where(roots.c.path.in_(paths))).scalars())
    rows = connection.execute(
        select(files.c.path, files.c.media_id, files.c.kind, files.c.state).where(files.c.path.in_(paths))
    ).all()
    # A file that a person ingested by name stays as long as it exists, whatever rule hides it now.
    rows = [row for row in rows if not (row.path in named and exists(row.path))]
    gone = {row.path: row for row in rows if row.state == FileState.EMBEDDED}
    forget(connection, [row.path for row in rows if row.media_id is None])
    for chunk in chunked(gone):
        values = {"state": FileState.MISSING.value, "missing_since": time.time(), "job": job}
        connection.execute(update(files).where(files.c.path.in_(chunk)).values(values))
    media = {row.media_id: Kind(row.kind) for row in gone.values()}
    elsewhere = locations_of(connection, media)
    forget(connection, [path for path, row in gone.items() if row.media_id in elsewhere])
    records.refresh(connection, media)
    return len(gone)


def expire(live: LiveJob, grace_days: float) -> None:
    """Forget files missing for longer than the grace period; :func:`sweep` then deletes their records."""
    overdue = (files.c.state == FileState.MISSING.value) & (files.c.missing_since <= time.time() - grace_days * DAY)
    while True:
        with live.write() as (connection, _):
            rows = connection.execute(select(files.c.path, files.c.media_id).where(overdue).limit(CHUNK)).all()
            if not rows:
                return
            forget(connection, [row.path for row in rows])
            mark_unsettled(connection, live.number, [row.media_id for row in rows])


def sweep(live: LiveJob, records: Records) -> None:
    """Delete records that no file, present or missing, has: replaced, expired, or written by a job that was killed.

    Records that another unfinished job lists as unsettled are left to it: it may be writing them, and its files will
    have them once it records its report. Records are deleted within the transaction, so that no job can start to write
    one between the check and the deletion.
    """
    unended = jobs.c.state.in_([state.value for state in UNFINISHED]) & (jobs.c.id != live.number)
    others = select(unsettled.c.media_id).join(jobs, jobs.c.id == unsettled.c.job).where(unended)
    due = unsettled.c.job.not_in(select(jobs.c.id).where(unended))
    while True:
        with live.write() as (connection, _):
            ids = list(connection.execute(select(unsettled.c.media_id).where(due).distinct().limit(CHUNK)).scalars())
            if not ids:
                return
            query = select(files.c.media_id).where(files.c.media_id.in_(ids)).distinct()
            kept = set(connection.execute(query).scalars())
            kept.update(connection.execute(others.where(unsettled.c.media_id.in_(ids))).scalars())
            records.delete([media_id for media_id in ids if media_id not in kept])
            connection.execute(delete(unsettled).where(due, unsettled.c.media_id.in_(ids)))
