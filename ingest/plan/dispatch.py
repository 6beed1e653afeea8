"""Make batches of planned files, and write the reports of batches into the ledger.

Content decides: a file whose hash the ledger knows is a new path of an existing record (a payload edit), a file whose
hash is in a batch already waits for that batch, and only the rest is embedded.
"""

from __future__ import annotations

import secrets
import threading
from collections import Counter
from collections.abc import Generator, Iterator, Mapping
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, Row, func, select, update

from ingest.jobs.rows import LiveJob
from ingest.ledger.database import Ledger
from ingest.ledger.entries import (
    Entry,
    clear_unsettled,
    forget,
    locations_of,
    mark_unsettled,
    note_sidecars_read,
    owners,
    write_entries,
)
from ingest.ledger.libraries import LibraryMap
from ingest.ledger.tables import Action, FileState, files, libraries, planned
from ingest.plan.batches import batch_sizes
from ingest.plan.links import Link, choose_link, entry_of, failed_like, failed_twin, linked_entry
from ingest.plan.store_records import Records
from ingest.scan.hashing import HashedFile, HashTask, read_files
from ingest.scan.sidecars import names_of_sidecars
from search.errors import UnreadableFileError
from search.media import Kind, media_id
from search.settings import Settings
from workers.batch.report import Batch, BatchReport, FileRef, Outcome, Status
from workers.decode.kinds import kind_of_name
from workers.storage.files import FileAccess

CHUNK_FILES = 64
CHUNK_BYTES = 64 * 2**20
"""Most files, and most bytes, of hashed files that are looked up in the ledger together."""

PAGE = 256


class Dispatch:
    """The batches of a job's plan, as a ``BatchSource``. Thread-safe: a runner may take batches in one thread and
    report in another.

    Args:
        retry: files are embedded although a copy of them failed.
    """

    def __init__(
        self,
        settings: Settings,
        ledger: Ledger,
        records: Records,
        live: LiveJob,
        access: FileAccess,
        *,
        retry: bool,
    ) -> None:
        self._ledger = ledger
        self._records = records
        self._live = live
        self._access = access
        with ledger.read() as connection:
            self._roots = LibraryMap(connection)
        self._retry = retry
        self._sizes = batch_sizes(settings)
        self._lock = threading.RLock()
        # SHA-256 of a file in a batch, or about to be in one, to further files of the same bytes
        self._waiting: dict[str, list[HashedFile]] = {}
        self._batches: dict[str, tuple[Batch, tuple[HashedFile, ...]]] = {}  # those that are not reported yet
        self._name = secrets.token_hex(3)  # a resumed job must not use the ids of its old batches again
        self._numbered = 0
        self._source = self._all()
        self._all_given = False
        with ledger.read() as connection:
            rows = connection.execute(select(libraries.c.id, libraries.c.name))
            self._library_names = {row.id: row.name for row in rows}
            live.work.plan(_planned_work(connection, live.number))

    def __iter__(self) -> Iterator[Batch]:
        """Batches of one kind each, until every planned file is in one, or the job is paused or cancelled.

        Iterating again after a pause continues, beginning with batches that have no report; ``exhausted`` says when
        nothing is left. A pause ends the iteration instead of blocking it, so that the runner finishes its running
        batches.
        """
        for unreported, _ in list(self._batches.values()):
            if self.stopped:
                return
            yield unreported
        for batch in self._source:
            if batch is None:
                return
            yield batch
        self._all_given = True

    @property
    def stopped(self) -> bool:
        """Whether the job is paused or cancelled."""
        return self._live.paused or self._live.cancelled

    def say(self, message: str) -> None:
        """Show and store a message of the job."""
        self._live.say(message)
        with self._live.write():
            pass  # the message is stored with the counters

    @property
    def exhausted(self) -> bool:
        """Whether every batch has been taken and reported."""
        return self._all_given and not self._batches

    def close(self) -> None:
        """Stop hashing ahead."""
        self._source.close()

    def _all(self) -> Generator[Batch | None, None, None]:
        """Every batch; None wherever the job is paused."""
        self._renew()
        buffers: dict[Kind, list[HashedFile]] = {kind: [] for kind in Kind}
        for chunk in self._chunks():
            if not (yield from self._continues()):
                return
            for read in self._without_known(chunk):
                buffer = buffers[read.task.kind]
                buffer.append(read)
                if len(buffer) == self._sizes[read.task.kind]:
                    yield self._batch(buffer)
                    buffer.clear()
                    if not (yield from self._continues()):
                        return
        for buffer in buffers.values():
            if buffer and (yield from self._continues()):
                yield self._batch(buffer)

    def _continues(self) -> Generator[None, None, bool]:
        while self._live.paused:
            yield None
        return not self._live.cancelled

    def record(self, report: BatchReport) -> None:
        """Write the outcomes of a batch into the ledger, in one transaction, after which the batch is done.

        Raises:
            LeaseLostError: another coordinator runs the job now.
        """
        with self._lock, self._live.write() as (connection, counts):
            outcomes = {outcome.path: outcome for outcome in report.outcomes}
            _, reads = self._batches.pop(report.batch)
            held = self._held_elsewhere(connection, outcomes)
            self._live.work.settle((read.task.kind, read.size) for read in reads)
            entries: dict[str, tuple[Entry, str]] = {}
            shared: dict[str, Kind] = {}
            done: list[str] = []
            sidecars: dict[str, str] = {}
            for read in reads:
                outcome = outcomes[read.path]
                if outcome.status is Status.EMBEDDED and outcome.media_id is not None:
                    sidecars[outcome.media_id] = read.task.sidecars
                copies = self._waiting.pop(read.sha256)
                if outcome.media_id is not None:
                    done.append(outcome.media_id)
                    if copies or outcome.status is Status.DUPLICATE:
                        shared[outcome.media_id] = outcome.kind or read.task.kind
                # After a kill the store may have a record that the ledger does not know: such a file counts as new.
                new = outcome.status is Status.DUPLICATE and outcome.media_id not in held
                entries[read.path] = entry_of(read, outcome), (Status.EMBEDDED if new else outcome.status).value
                for copy in copies:
                    status = Status.DUPLICATE if outcome.media_id else outcome.status
                    entries[copy.path] = entry_of(copy, outcome), status.value
            added, left = write_entries(connection, self._live.number, entries)
            counts.update(added)
            note_sidecars_read(connection, sidecars)
            mark_unsettled(connection, self._live.number, left)
            clear_unsettled(connection, self._live.number, done)
            shared |= self._embedded_elsewhere(connection, outcomes)
            self._records.refresh(connection, shared | left)

    def _held_elsewhere(self, connection: Connection, outcomes: dict[str, Outcome]) -> set[str]:
        """Ids of records reported as duplicates that the ledger knows under another path than that of the batch."""
        claimed = {o.media_id: o.path for o in outcomes.values() if o.media_id and o.status is Status.DUPLICATE}
        found = locations_of(connection, claimed)
        return {media for media, at in found.items() if set(at.paths) - {claimed[media]}}

    def _embedded_elsewhere(self, connection: Connection, outcomes: dict[str, Outcome]) -> dict[str, Kind]:
        """Records of this batch that have a further path: another job embedded the same content at the same time, and
        the job that wrote last knew only its own path."""
        embedded = (outcome for outcome in outcomes.values() if outcome.status is Status.EMBEDDED)
        stored = {one.media_id: one.kind for one in embedded if one.media_id and one.kind}
        found = locations_of(connection, stored)
        return {media: stored[media] for media, at in found.items() if len(at.paths) > 1}

    def _renew(self) -> None:
        """Update records of unchanged files that are no longer missing, or belong to another library now."""
        last = 0
        while self._live.wait_while_paused():
            with self._lock, self._live.write() as (connection, counts):
                query = select(planned).where(
                    planned.c.job == self._live.number, planned.c.action == Action.RENEW.value, planned.c.seq > last
                )
                rows = connection.execute(query.order_by(planned.c.seq).limit(PAGE)).all()
                if not rows:
                    return
                last = rows[-1].seq
                links = self._links_of_renewed(connection, {row.path: row for row in rows})
                linked, lost = self._link(connection, links)
                counts.update(linked)
                known = {link.read.path for link in links}
                # Another job may have forgotten a missing file since, or found its content at another path.
                unknown = {row.path: kind_of_name(row.path) or Kind.VIDEO for row in rows if row.path not in known}
                for path, kind in (unknown | {read.path: read.task.kind for read in lost}).items():
                    chosen = (planned.c.job == self._live.number) & (planned.c.path == path)
                    values = {"action": Action.READ.value, "kind": kind.value}
                    connection.execute(update(planned).where(chosen).values(values))

    def _links_of_renewed(self, connection: Connection, plans: Mapping[str, Row[Any]]) -> list[Link]:
        links = []
        for row in connection.execute(select(files).where(files.c.path.in_(plans))):
            kind, plan = Kind(row.kind), plans[row.path]
            task = HashTask(row.path, row.folder, plan.library, kind, plan.sidecars)
            read = HashedFile(task, row.sha256, row.size, row.mtime_ns, plan.ctime_ns)
            counter = "moved" if row.state == FileState.MISSING else "unchanged"
            links.append(Link(read, row.media_id, kind, counter))
        return links

    def _chunks(self) -> Iterator[list[HashedFile]]:
        """Hashed files in groups; files that cannot be read are recorded as failed."""
        chunk: list[HashedFile] = []
        size = 0
        for task, result in read_files(self._tasks(), self._access, self._roots):
            if isinstance(result, FileNotFoundError):
                self._live.add({"total": -1})  # deleted since the scan; the next scan marks it
                self._live.work.drop([(task.kind, 0)])
            elif isinstance(result, OSError):
                self._fail(task, f"It cannot be read: {result.strerror}.")
            else:
                chunk.append(result)
                size += result.size
            if len(chunk) >= CHUNK_FILES or size >= CHUNK_BYTES:
                yield chunk
                chunk, size = [], 0
        if chunk:
            yield chunk

    def _tasks(self) -> Iterator[HashTask]:
        last = 0
        while True:
            query = select(planned).where(
                planned.c.job == self._live.number, planned.c.action == Action.READ.value, planned.c.seq > last
            )
            with self._ledger.read() as connection:
                rows = connection.execute(query.order_by(planned.c.seq).limit(PAGE)).all()
            if not rows:
                return
            for row in rows:
                if self._live.cancelled:
                    return
                yield HashTask(row.path, row.folder, row.library, Kind(row.kind), row.sidecars)
            last = rows[-1].seq

    def _fail(self, task: HashTask, detail: str) -> None:
        self._live.work.drop([(task.kind, 0)])
        read = HashedFile(task, "", 0, 0)
        code = UnreadableFileError.code
        entry = replace(entry_of(read, Outcome(task.path, Status.FAILED, code=code, detail=detail)), sha256=None)
        with self._live.write() as (connection, counts):
            added, left = write_entries(connection, self._live.number, {task.path: (entry, "failed")})
            self._records.abandon(connection, self._live.number, left)
            counts.update(added)

    def _without_known(self, chunk: list[HashedFile]) -> list[HashedFile]:
        """Record files that need no embedding; returns those that do, in order."""
        with self._lock, self._live.write() as (connection, counts):
            held = owners(connection, self._live.number, {read.sha256 for read in chunk})
            claimed: set[str] = set()
            links: list[Link] = []
            failed: dict[str, tuple[Entry, str]] = {}
            fresh: list[HashedFile] = []
            for read in chunk:
                if read.sha256 in self._waiting:
                    self._waiting[read.sha256].append(read)
                    continue
                known = held.get(read.sha256, [])
                link = choose_link(read, known, claimed)
                twin = None if link or self._retry else failed_twin(read, known, claimed)
                if link is not None:
                    links.append(link)
                elif twin is not None:
                    failed[read.path] = failed_like(read, twin), "failed"
                else:
                    fresh.append(read)
                    self._waiting[read.sha256] = []
            linked, lost = self._link(connection, links)
            for read in lost:
                if read.sha256 in self._waiting:
                    self._waiting[read.sha256].append(read)
                else:
                    fresh.append(read)
                    self._waiting[read.sha256] = []
            settled_failed, left = write_entries(connection, self._live.number, failed)
            self._records.abandon(connection, self._live.number, left)
            counts.update(linked)
            counts.update(settled_failed)
        embedding = {read.path for read in fresh}
        self._live.work.drop((read.task.kind, read.size) for read in chunk if read.path not in embedding)
        return fresh

    def _link(self, connection: Connection, links: list[Link]) -> tuple[Counter[str], list[HashedFile]]:
        """Add paths to records.

        Returns:
            What to count, and the files whose records are not in the store.
        """
        if not links:
            return Counter(), []
        absent = self._records.absent({link.record: link.kind for link in links})
        present = [link for link in links if link.record not in absent]
        forget(connection, [link.forget for link in present if link.forget])
        entries = {link.read.path: (linked_entry(link), link.counter) for link in present}
        counts, left = write_entries(connection, self._live.number, entries)
        mark_unsettled(connection, self._live.number, left)
        self._records.refresh(connection, left | {link.record: link.kind for link in present})
        return counts, [link.read for link in links if link.record in absent]

    def _batch(self, reads: list[HashedFile]) -> Batch:
        with self._lock:
            self._numbered += 1
            batch = Batch(
                id=f"{self._live.number}-{self._name}-{self._numbered}",
                job=str(self._live.number),
                kind=reads[0].task.kind,
                files=tuple(self._reference(read) for read in reads),
                priority=self._live.priority,
            )
            self._batches[batch.id] = batch, tuple(reads)
        with self._live.write() as (connection, _):
            # From now on the store may have these records; if their files vanish first, the sweep deletes them.
            mark_unsettled(connection, self._live.number, (media_id(read.sha256) for read in reads))
        return batch

    def _reference(self, read: HashedFile) -> FileRef:
        library = self._library_names[read.task.library]
        root = self._roots.root_of(read.path)
        sidecars = names_of_sidecars(read.task.sidecars)
        return FileRef(
            read.path,
            library,
            read.size,
            read.mtime_ns / 1e9,
            read.sha256,
            root=root,
            sidecars=sidecars,
            ctime_ns=read.ctime_ns,
        )


def _planned_work(connection: Connection, job: int) -> list[tuple[Kind, int, int]]:
    """Files that are to be read, by kind, with their bytes together."""
    of_job = (planned.c.job == job) & (planned.c.action == Action.READ.value)
    query = select(planned.c.kind, func.count(), func.sum(planned.c.size)).where(of_job).group_by(planned.c.kind)
    return [(Kind(kind), count, int(size)) for kind, count, size in connection.execute(query)]
