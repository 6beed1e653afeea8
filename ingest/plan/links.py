"""What a file whose bytes have been read becomes in the ledger: a further path of a record, or a row of its own."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ingest.ledger.entries import Entry, Owner
from ingest.ledger.tables import Action, FileState
from ingest.scan.hashing import HashedFile
from search.errors import ModelError, StoreError, UnreadableFileError
from search.media import Kind
from workers.batch.report import Outcome, Status

NOT_THE_BYTES = frozenset({StoreError.code, ModelError.code, UnreadableFileError.code})
"""Failures that say nothing about the content, so that a copy of it may well succeed."""

STATE_OF = {
    Status.EMBEDDED: FileState.EMBEDDED,
    Status.DUPLICATE: FileState.EMBEDDED,
    Status.SKIPPED: FileState.SKIPPED,
    Status.FAILED: FileState.FAILED,
}


@dataclass(frozen=True, slots=True)
class Link:
    """A file that turns out to hold the bytes of a record there is: ``forget`` is the path it moved from."""

    read: HashedFile
    record: str
    kind: Kind
    counter: str
    forget: str | None = None


def choose_link(read: HashedFile, known: list[Owner], claimed: set[str]) -> Link | None:
    """Which record the file joins, if there is one of its bytes, and what that makes of it."""
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
        if owner.plan is Action.GONE or (owner.state is FileState.MISSING and owner.plan is None):
            claimed.add(owner.path)
            return replace(link, counter="moved", forget=owner.path)
        if owner.plan is Action.READ:  # other bytes are at its path now, or soon
            claimed.add(owner.path)
            return replace(link, counter="moved")
    return link


def failed_twin(read: HashedFile, known: list[Owner], claimed: set[str]) -> Owner | None:
    """A path whose same bytes failed under the same kind of name: no use in trying these again unasked."""
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
    outcome = Outcome(read.path, Status.FAILED, code=twin.code, detail=twin.detail)
    return replace(entry_of(read, outcome), attempts=twin.attempts)


def entry_of(read: HashedFile, outcome: Outcome) -> Entry:
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
    )


def linked_entry(link: Link) -> Entry:
    outcome = Outcome(link.read.path, Status.DUPLICATE, media_id=link.record, kind=link.kind)
    return entry_of(link.read, outcome)
