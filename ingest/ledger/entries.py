"""Read and write the ledger's file rows, always inside a transaction of the caller."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import TypeAlias, TypeVar

from sqlalchemy import Connection, and_, delete, insert, select, update

from ingest.ledger.tables import Action, FileState, files, libraries, planned, sidecars_read, unsettled
from search.bounds import storable
from search.media import Kind

CHUNK = 500
"""Most values in one IN list: well under the limit of every database."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Entry:
    """Ledger row of a file. ``attempts`` is that of the row it replaces, plus one for a failure, unless it is given."""

    path: str
    folder: str
    library: int
    size: int
    mtime_ns: int
    state: FileState
    sha256: str | None = None
    media_id: str | None = None
    kind: str | None = None
    code: str = ""
    detail: str = ""
    attempts: int | None = None
    ctime_ns: int | None = None
    sidecars: str = ""


Known: TypeAlias = tuple[str, int, int, int | None, str, str, int, int, str]
"""Path, size, mtime_ns, ctime_ns, sidecars, state, job, library and folder of a row. A bare tuple: a rescan reads one
for every file."""


@dataclass(frozen=True, slots=True)
class Owner:
    """A path whose content the ledger knows. ``plan`` is what the running job has yet to do with it, if anything."""

    path: str
    sha256: str
    state: FileState
    media_id: str | None
    kind: str | None
    code: str
    detail: str
    attempts: int
    plan: Action | None


@dataclass(frozen=True, slots=True)
class Locations:
    """The paths that hold a record's content now. ``mtime`` is that of the newest path, in seconds since the epoch."""

    paths: tuple[str, ...]
    libraries: tuple[str, ...]
    mtime: float


def chunked(items: Iterable[T], size: int = CHUNK) -> Iterator[list[T]]:
    """The items in lists of ``size``, the last one shorter."""
    iterator = iter(items)
    while chunk := list(islice(iterator, size)):
        yield chunk


def rows_in_folders(connection: Connection, folders: Sequence[str]) -> dict[str, Known]:
    """Rows of some folders, by path; fetched together, because SQLAlchemy takes longer than the database row by row."""
    found: dict[str, Known] = {}
    names = ("path", "size", "mtime_ns", "ctime_ns", "sidecars", "state", "job", "library", "folder")
    query = select(*(files.c[name] for name in names))
    for chunk in chunked(folders):
        rows = connection.execute(query.where(files.c.folder.in_(chunk))).all()
        found.update((row[0], row) for row in rows)
    return found


def write_entries(
    connection: Connection, job: int, entries: Mapping[str, tuple[Entry, str]]
) -> tuple[Counter[str], dict[str, Kind]]:
    """Write rows, replacing those of the same paths.

    Args:
        entries: path to its row and the counter that counts it.

    Returns:
        What to add to the job's counters (a path that this job has counted before is not counted again), and the ids of
        records that one of these paths held before and no longer holds, with their kinds.
    """
    before = {
        row.path: row
        for chunk in chunked(entries)
        for row in connection.execute(
            select(files.c.path, files.c.media_id, files.c.kind, files.c.attempts, files.c.job).where(
                files.c.path.in_(chunk)
            )
        )
    }
    counts: Counter[str] = Counter()
    left: dict[str, Kind] = {}
    rows = []
    for path, (entry, counter) in entries.items():
        old = before.get(path)
        if old is None or old.job != job:
            counts[counter] += 1
        if old is not None and old.media_id and old.media_id != entry.media_id:
            left[old.media_id] = Kind(old.kind)
        rows.append(
            {
                "path": path,
                "folder": entry.folder,
                "library": entry.library,
                "size": entry.size,
                "mtime_ns": entry.mtime_ns,
                "ctime_ns": entry.ctime_ns,
                "sidecars": entry.sidecars,
                "sha256": entry.sha256,
                "media_id": entry.media_id,
                "kind": entry.kind,
                "state": entry.state.value,
                "code": entry.code,
                "detail": storable(entry.detail),
                "attempts": _attempts(entry, old.attempts if old else 0),
                # a resumed job counts unchanged files anew, so such a row stays with the job that made it
                "job": old.job if old is not None and counter == "unchanged" else job,
                "missing_since": None,
            }
        )
    forget(connection, before)
    for values in chunked(rows):
        connection.execute(insert(files), values)
    return counts, left


def _attempts(entry: Entry, before: int) -> int:
    if entry.attempts is not None:
        return entry.attempts
    return before + 1 if entry.state is FileState.FAILED else 0


def forget(connection: Connection, paths: Iterable[str]) -> None:
    """Delete the rows of these paths."""
    for chunk in chunked(paths):
        connection.execute(delete(files).where(files.c.path.in_(chunk)))


def owners(connection: Connection, job: int, hashes: Iterable[str]) -> dict[str, list[Owner]]:
    """Rows whose files have or had this content, by SHA-256, in order of path."""
    found: dict[str, list[Owner]] = {}
    plan = and_(planned.c.path == files.c.path, planned.c.job == job)
    names = ("path", "sha256", "state", "media_id", "kind", "code", "detail", "attempts")
    alike = (planned.c.size == files.c.size) & (planned.c.mtime_ns == files.c.mtime_ns)
    columns = (*(files.c[name] for name in names), planned.c.action, files.c.job, alike.label("alike"))
    query = select(*columns).join(planned, plan, isouter=True)
    for chunk in chunked(hashes):
        for row in connection.execute(query.where(files.c.sha256.in_(chunk)).order_by(files.c.path)):
            values = dict(zip(names, row, strict=False))
            values["state"] = FileState(row.state)
            # what only looks as if its metadata had changed holds what it held, as far as others are concerned
            done = row.action == Action.READ.value and (row.job == job or row.alike)
            owner = Owner(**values, plan=Action(row.action) if row.action and not done else None)
            found.setdefault(owner.sha256, []).append(owner)
    return found


def locations_of(connection: Connection, media_ids: Iterable[str]) -> dict[str, Locations]:
    """The present paths of records, by id; an id without any is left out."""
    found: dict[str, Locations] = {}
    for chunk in chunked(media_ids):
        rows = connection.execute(
            select(files.c.media_id, files.c.path, libraries.c.name, files.c.mtime_ns, files.c.state)
            .join(libraries, libraries.c.id == files.c.library)
            .where(files.c.media_id.in_(chunk))
        )
        for media_id, path, library, mtime_ns, state in rows:
            if state != FileState.EMBEDDED:  # in the query, this condition would make SQLite read every embedded file
                continue
            one = Locations((path,), (library,), mtime_ns / 1e9)
            so_far = found.get(media_id)
            found[media_id] = one if so_far is None else _join(so_far, one)
    return {
        media_id: replace(at, paths=tuple(sorted(at.paths)), libraries=tuple(sorted(set(at.libraries))))
        for media_id, at in found.items()
    }


def _join(one: Locations, other: Locations) -> Locations:
    return Locations(one.paths + other.paths, one.libraries + other.libraries, max(one.mtime, other.mtime))


def mark_changed(connection: Connection, media_ids: Iterable[str]) -> None:
    """Mark the present files of these records as changed, so that they are read again; forget missing ones."""
    for chunk in chunked(media_ids):
        connection.execute(delete(files).where(files.c.media_id.in_(chunk), files.c.state == FileState.MISSING.value))
        connection.execute(update(files).where(files.c.media_id.in_(chunk)).values(size=-1))


def mark_unsettled(connection: Connection, job: int, media_ids: Iterable[str]) -> None:
    """Mark records as unsettled: they may be in the store without a file, and no other job may sweep them before this
    job has ended."""
    for chunk in chunked(sorted(set(media_ids))):
        connection.execute(delete(unsettled).where(unsettled.c.media_id.in_(chunk), unsettled.c.job == job))
        connection.execute(insert(unsettled), [{"media_id": media_id, "job": job} for media_id in chunk])


def clear_unsettled(connection: Connection, job: int, media_ids: Iterable[str]) -> None:
    """Inverse of :func:`mark_unsettled`."""
    for chunk in chunked(media_ids):
        connection.execute(delete(unsettled).where(unsettled.c.media_id.in_(chunk), unsettled.c.job == job))


def note_sidecars_read(connection: Connection, read: Mapping[str, str]) -> None:
    """Note with which sidecars the facts of these records were read; an empty text says without any."""
    for chunk in chunked(read):
        connection.execute(delete(sidecars_read).where(sidecars_read.c.media_id.in_(chunk)))
        if rows := [{"media_id": media_id, "sidecars": read[media_id]} for media_id in chunk if read[media_id]]:
            connection.execute(insert(sidecars_read), rows)


def forget_plan(connection: Connection, job: int) -> None:
    """Delete the plan of this job."""
    connection.execute(delete(planned).where(planned.c.job == job))
