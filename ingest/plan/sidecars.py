"""Read the facts of records anew whose sidecars have been edited, added or removed.

The content of a record has not changed then, so that no file is planned: after everything else, the sidecars that lie
beside its files are compared with those that its facts were read with. Of several files of one content, the first by
path that has sidecars counts. The file is decoded and embedded as a new one; the vectors that come of it are the same.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, delete, exists, func, select, text, update

from ingest.jobs.rows import LiveJob
from ingest.ledger.database import Ledger
from ingest.ledger.entries import clear_unsettled, mark_unsettled, note_sidecars_read
from ingest.ledger.libraries import LibraryMap
from ingest.ledger.tables import FileState, files, libraries, sidecars_read
from ingest.plan.batches import batch_sizes
from ingest.plan.store_records import Records
from ingest.scan.sidecars import names_of_sidecars
from search import addresses
from search.media import Kind
from search.settings import Settings
from workers.batch.report import Batch, BatchReport, FileRef, Status

PAGE = 2000

_PRESENT: ColumnElement[bool] = (files.c.state + "") == FileState.EMBEDDED.value
"""As an expression, since SQLite would otherwise read every embedded file (``ingest.ledger.entries.locations_of``)."""

_MARKED = text("files.sidecars != ''")
"""As a text, since SQLite uses the index of such files only where it can see the value."""


@dataclass(frozen=True, slots=True)
class _Update:
    """A record to be made anew from the file at ``path``. ``sidecars``: those beside it, or empty."""

    media_id: str
    kind: Kind
    path: str
    library: int
    size: int
    mtime_ns: int
    ctime_ns: int | None
    sha256: str
    job: int
    sidecars: str


class SidecarUpdates:
    """The batches of all records whose sidecars have changed, as a ``BatchSource``. Thread-safe.

    Attributes:
        failed: records that could not be made anew.
    """

    def __init__(self, settings: Settings, ledger: Ledger, records: Records, live: LiveJob) -> None:
        self._ledger, self._records, self._live = ledger, records, live
        self._sizes = batch_sizes(settings)
        self._lock = threading.RLock()
        self._batches: dict[str, tuple[Batch, tuple[_Update, ...]]] = {}  # those that are not reported yet
        self._name = secrets.token_hex(3)
        self._numbered = 0
        self._source = self._all()
        self._all_given = False
        self.failed = 0
        with ledger.read() as connection:
            rows = connection.execute(select(libraries.c.id, libraries.c.name))
            self._library_names = {row.id: row.name for row in rows}
            self._roots = LibraryMap(connection)

    def __iter__(self) -> Iterator[Batch]:
        """Batches of one kind each, until all are given or the job is paused or cancelled; see ``plan.dispatch``."""
        for unreported, _ in list(self._batches.values()):
            if self.stopped:
                return
            yield unreported
        while not self.stopped:
            batch = next(self._source, None)
            if batch is None:
                self._all_given = True
                return
            yield batch

    @property
    def stopped(self) -> bool:
        """Whether the job is paused or cancelled."""
        return self._live.paused or self._live.cancelled

    @property
    def exhausted(self) -> bool:
        """Whether every batch has been taken and reported."""
        return self._all_given and not self._batches

    def say(self, message: str) -> None:
        """Show and store a message of the job."""
        self._live.say(message)
        with self._live.write():
            pass  # the message is stored with the counters

    def record(self, report: BatchReport) -> None:
        """Note in the ledger which records have been made anew.

        Raises:
            LeaseLostError: another coordinator runs the job now.
        """
        with self._lock, self._live.write() as (connection, counts):
            _, updates = self._batches.pop(report.batch)
            read: dict[str, str] = {}
            for one, outcome in zip(updates, report.outcomes, strict=True):
                if outcome.status is not Status.EMBEDDED:
                    self.failed += 1
                    continue
                read[one.media_id] = one.sidecars
                kind = outcome.kind or one.kind
                if kind is not one.kind:  # decoders of this version find another kind in it
                    self._records.delete_of_kind(one.media_id, one.kind)
                    changed = update(files).where(files.c.media_id == one.media_id)
                    connection.execute(changed.values(kind=kind.value))
                self._records.refresh(connection, {one.media_id: kind})
                if one.job != self._live.number and self._is_counted(one.path):
                    counts["unchanged"] -= 1
                    counts["embedded"] += 1
                    connection.execute(update(files).where(files.c.path == one.path).values(job=self._live.number))
            note_sidecars_read(connection, read)
            clear_unsettled(connection, self._live.number, [one.media_id for one in updates])

    def tidy(self) -> None:
        """Forget what was noted of records that no file has any more."""
        unknown = ~exists(select(files.c.path).where(files.c.media_id == sidecars_read.c.media_id))
        with self._live.write() as (connection, _):
            connection.execute(delete(sidecars_read).where(unknown))

    def _is_counted(self, path: str) -> bool:
        """Whether the scan of this job counted the file, as unchanged."""
        return any(addresses.is_at_or_below(path, root) for root in self._live.snapshot().roots)

    def _all(self) -> Iterator[Batch]:
        buffers: dict[Kind, list[_Update]] = {kind: [] for kind in Kind}
        for one in self._changed():
            buffer = buffers[one.kind]
            buffer.append(one)
            if len(buffer) == self._sizes[one.kind]:
                yield self._batch(buffer)
                buffer.clear()
        for buffer in buffers.values():
            if buffer:
                yield self._batch(buffer)

    def _changed(self) -> Iterator[_Update]:
        for find in (_edited, _removed):
            last = ""
            while True:
                with self._ledger.read() as connection:
                    last, updates = find(connection, last)
                yield from updates
                if not last:
                    break

    def _batch(self, updates: Sequence[_Update]) -> Batch:
        with self._lock:
            self._numbered += 1
            batch = Batch(
                id=f"{self._live.number}-{self._name}-{self._numbered}",
                job=str(self._live.number),
                kind=updates[0].kind,
                files=tuple(map(self._reference, updates)),
                priority=self._live.priority,
            )
            self._batches[batch.id] = batch, tuple(updates)
        with self._live.write() as (connection, _):
            mark_unsettled(connection, self._live.number, (one.media_id for one in updates))
        return batch

    def _reference(self, one: _Update) -> FileRef:
        return FileRef(
            one.path,
            self._library_names[one.library],
            one.size,
            one.mtime_ns / 1e9,
            one.sha256,
            root=self._roots.root_of(one.path),
            sidecars=names_of_sidecars(one.sidecars),
            anew=True,
            ctime_ns=one.ctime_ns,
        )


def _edited(connection: Connection, last: str) -> tuple[str, list[_Update]]:
    """A page of records behind ``last`` whose files have other sidecars than those that were read, and its last id;
    empty when there are no more."""
    first = (
        select(files.c.media_id, func.min(files.c.path).label("path"))
        .where(_MARKED, _PRESENT, files.c.media_id > last)
        .group_by(files.c.media_id)
        .subquery()
    )
    query = (
        select(files)
        .join(first, files.c.path == first.c.path)
        .join(sidecars_read, sidecars_read.c.media_id == files.c.media_id, isouter=True)
        .where(func.coalesce(sidecars_read.c.sidecars, "") != files.c.sidecars)
        .order_by(files.c.media_id)
        .limit(PAGE)
    )
    rows = connection.execute(query).all()
    return (rows[-1].media_id if rows else ""), [_update(row) for row in rows]


def _removed(connection: Connection, last: str) -> tuple[str, list[_Update]]:
    """As :func:`_edited`, of records that were made with sidecars and whose files have none any more."""
    beside = select(files.c.path).where(files.c.media_id == sidecars_read.c.media_id, _MARKED, _PRESENT)
    query = select(sidecars_read.c.media_id).where(~exists(beside), sidecars_read.c.media_id > last)
    ids = connection.execute(query.order_by(sidecars_read.c.media_id).limit(PAGE)).scalars().all()
    if not ids:
        return "", []
    rows = connection.execute(select(files).where(files.c.media_id.in_(ids)).order_by(files.c.path.desc()))
    first = {row.media_id: row for row in rows if row.state == FileState.EMBEDDED}
    return ids[-1], [_update(first[id_]) for id_ in ids if id_ in first]


def _update(row: Row[Any]) -> _Update:
    return _Update(
        media_id=row.media_id,
        kind=Kind(row.kind),
        path=row.path,
        library=row.library,
        size=row.size,
        mtime_ns=row.mtime_ns,
        ctime_ns=row.ctime_ns,
        sha256=row.sha256,
        job=row.job,
        sidecars=row.sidecars,
    )
