"""Ledger row of a hashed file: a further path of an existing record, or a row of its own."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ingest.ledger.entries import Entry, Owner
from ingest.ledger.tables import Action, FileState
from ingest.scan.hashing import HashedFile
from search.errors import ModelError, StoreError, UnreadableFileError
from search.media import Kind
from workers.batch.report import Outcome, Status

NOT_THE_BYTES = frozenset({StoreError.code, ModelError.code, UnreadableFileError.code})
"""Failures that say nothing about the content, so that a copy of it may succeed."""

STATE_OF = {
    Status.EMBEDDED: FileState.EMBEDDED,
    Status.DUPLICATE: FileState.EMBEDDED,
    Status.SKIPPED: FileState.SKIPPED,
    Status.FAILED: FileState.FAILED,
}


@dataclass(frozen=True, slots=True)
class Link:
    """A file with the content of an existing record.

    Attributes:
        record: id of the record.
        counter: of the job, that counts the file.
        forget: path that the file has moved from, if it has.
    """

    read: HashedFile
    record: str
    kind: Kind
    counter: str
    forget: str | None = None


def choose_link(read: HashedFile, known: list[Owner], claimed: set[str]) -> Link | None:
    """The record that the file belongs to, if one has its content.

    Args:
        known: paths whose files have or had this content.
        claimed: paths that another file has moved from; the function adds to it.
    """
    held = [owner for owner in known if owner.media_id is not None]
    if not held:
        return None
    first = held[0]
    assert first.media_id is not None
    assert first.kind is not None
    link = Link(read, first.media_id, Kind(first.kind), "duplicate")
    own = next((owner for owner in held if owner.path == read.path), None)
    if own is not None:
        return replace(link, counter="moved" if own.state is FileState.MISSING else "unchanged")
    for owner in held:
        if owner.path in claimed:
            continue
        if owner.plan in (Action.GONE, Action.LEFT_OUT) or (owner.state is FileState.MISSING and owner.plan is None):
            claimed.add(owner.path)
            return replace(link, counter="moved", forget=owner.path)
        if owner.plan is Action.READ:  # its path has other content by now
            claimed.add(owner.path)
            return replace(link, counter="moved")
    return link


def failed_twin(read: HashedFile, known: list[Owner], claimed: set[str]) -> Owner | None:
    """A path with the same content and extension that failed: the file would fail again in the same way."""
    suffix = read.path.rpartition(".")[2]
    for owner in known:
        if (
            owner.state is FileState.FAILED
            and owner.path != read.path
            and owner.path not in claimed
            and owner.code not in NOT_THE_BYTES
            and owner.path.rpartition(".")[2] == suffix
        ):
            return owner
    return None


def failed_like(read: HashedFile, twin: Owner) -> Entry:
    """Row of a file that fails as its twin did."""
    outcome = Outcome(read.path, Status.FAILED, code=twin.code, detail=twin.detail)
    return replace(entry_of(read, outcome), attempts=twin.attempts)


def entry_of(read: HashedFile, outcome: Outcome) -> Entry:
    """Row of a file with this outcome."""
    task = read.task
    return Entry(
        path=task.path,
        folder=task.folder,
        library=task.library,
        size=read.size,
        mtime_ns=read.mtime_ns,
        state=STATE_OF[outcome.status],
        sha256=read.sha256,
        media_id=outcome.media_id,
        kind=(outcome.kind or task.kind).value,
        code=outcome.code,
        detail=outcome.detail,
        ctime_ns=read.ctime_ns,
        sidecars=task.sidecars,
    )


def linked_entry(link: Link) -> Entry:
    """Row of a file that is a further path of a record."""
    outcome = Outcome(link.read.path, Status.DUPLICATE, media_id=link.record, kind=link.kind)
    return entry_of(link.read, outcome)
