"""Compare a scan with the ledger and plan only the differences.

A file whose size, modification time and change time equal those in the ledger is unchanged and costs one comparison: it
is neither opened nor hashed, and nothing is written for it. The rest goes into the ledger's table ``planned``, so that
memory does not grow with the number of files.

Only the change time tells of an edit that puts the modification time back. It also changes with a file's name and
permissions; such a file is hashed and found unchanged. A ledger that has none yet notes it, and so it does with the
sidecars beside a file, which ``ingest.plan.sidecars`` then reads.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from sqlalchemy import bindparam, func, insert, select, update

from ingest.jobs.rows import LiveJob
from ingest.ledger.database import Ledger
from ingest.ledger.entries import Entry, Known, chunked, mark_changed, rows_in_folders, write_entries
from ingest.ledger.libraries import LibraryMap
from ingest.ledger.tables import Action, FileState, below, files, planned
from ingest.plan.store_records import Records
from ingest.scan.folders import FolderListing, Found, FoundFile, Unreadable
from search import addresses
from search.bounds import shortened
from search.errors import EmptyFileError, MediaTooLargeError, UnreadableFileError, UnsupportedMediaError
from search.media import Kind
from workers.decode.kinds import SNIFFED_BYTES, Family, kind_of_name, sniff
from workers.storage.files import FileAccess

FILES_A_READ = 2000
FOLDERS_A_READ = 200
"""Folders are compared in groups of about this many files or folders, one ledger query each."""

UNKNOWN: Known = ("", -1, -1, None, "", "", -1, -1, "")
"""In place of the row of a file without one."""

NOTE = (
    update(files)
    .where(files.c.path == bindparam("at"))
    .values(ctime_ns=bindparam("changed"), sidecars=bindparam("beside"))
)
"""Notes of an unchanged file what its row does not have yet."""

NOT_MEDIA = "It is not a picture, video or sound by its name or first bytes."


class Planner:
    """Makes the plan of one job.

    Args:
        libraries: the library that the files of a folder belong to.
        access: reads the first bytes of files whose names do not tell their kind.
        retry: failed files are read again although they have not changed.
        reread: so are all others.
        max_bytes: larger files are refused unread.
    """

    def __init__(
        self,
        ledger: Ledger,
        records: Records,
        live: LiveJob,
        libraries: LibraryMap,
        access: FileAccess,
        *,
        retry: bool,
        max_bytes: int,
        reread: bool = False,
    ) -> None:
        self._ledger = ledger
        self._records = records
        self._live = live
        self._libraries = libraries
        self._access = access
        self._max_bytes = max_bytes
        self._reread = reread
        self._final_states = {FileState.EMBEDDED.value, FileState.SKIPPED.value} | (
            set() if retry else {FileState.FAILED.value}
        )
        self._listed: set[str] = set()
        self._unreadable_paths: set[str] = set()
        self._left_out: set[str] = set()
        self.failed_before = 0
        """Files that failed in an earlier job and have not changed since."""
        self.system_folders = 0
        """Folders that the scan left out, see ``ingest.scan.system_files``."""
        self.system_files = 0
        """Files that it left out for the same reason, beside those in these folders."""
        self.taken_back = 0
        """Embedded files among those left out, which an older version took in."""

    def plan(self, scan: Iterable[Found], roots: Sequence[str]) -> None:
        """Run the scan to its end, or until the job is cancelled, and plan what differs from the ledger.

        Args:
            roots: folders; rows at or below them that the scan does not find are planned as gone.

        Raises:
            LeaseLostError: another coordinator runs the job now.
        """
        for group in _grouped(self._keepable(scan)):
            if not self._live.wait_while_paused():
                return
            self._compare(group)
        for root in roots:
            self._plan_unvisited(root)

    def _keepable(self, scan: Iterable[Found]) -> Iterator[Found]:
        """The scan, with paths that are too long for the ledger as names that cannot be used."""
        longest = self._ledger.longest_path
        if longest is None:
            yield from scan
            return
        for found in scan:
            if isinstance(found, Unreadable):
                yield replace(found, path=shortened(found.path, longest))
                continue
            long = [file[0] for file in found.files if len(file[0].encode()) > longest]
            yield found if not long else replace(found, files=[file for file in found.files if file[0] not in long])
            for path in long:
                yield Unreadable(
                    shortened(path, longest), f"Its path is longer than the {longest} bytes that are kept."
                )

    def _compare(self, group: list[Found]) -> None:
        listings = [found for found in group if isinstance(found, FolderListing)]
        with self._ledger.read() as connection:
            known = rows_in_folders(connection, [listing.folder for listing in listings])
        counts: Counter[str] = Counter()
        plans: list[dict[str, object]] = []
        outcomes: dict[str, tuple[Entry, str]] = {}
        notes: list[dict[str, object]] = []
        for listing in listings:
            self._left_out.update(listing.system_folders, listing.system_files)
            self.system_folders += len(listing.system_folders)
            self.system_files += len(listing.system_files)
            self._compare_folder(listing, known, counts, plans, outcomes, notes)
        whole = {listing.folder for listing in listings if listing.covers is None}
        covered = {path for listing in listings for path in listing.covers or ()}
        for found in group:
            if isinstance(found, Unreadable):
                self._unreadable_paths.add(found.path)
                counts["total"] += 1
                outcomes[found.path] = (self._unreadable(found), "failed")
        for path, row in known.items():
            if (row[-1] in whole or path in covered) and path not in self._unreadable_paths:
                plans.extend(self._gone(row))
        self._listed |= whole
        self._live.add(counts)
        if plans or outcomes or notes:
            with self._live.write() as (connection, added):
                for chunk in chunked(notes):
                    connection.execute(NOTE, chunk)
                for chunk in chunked(plans):
                    connection.execute(insert(planned), chunk)
                final_states, left = write_entries(connection, self._live.number, outcomes)
                self._records.abandon(connection, self._live.number, left)
                added.update(final_states)

    def _compare_folder(
        self,
        listing: FolderListing,
        known: dict[str, Known],
        counts: Counter[str],
        plans: list[dict[str, object]],
        outcomes: dict[str, tuple[Entry, str]],
        notes: list[dict[str, object]],
    ) -> None:
        folder, job, final_states, named = listing.folder, self._live.number, self._final_states, listing.named
        reread = self._reread
        of_folder = (
            self._libraries.of(folder) if listing.covers is None else -1
        )  # a partial listing names all its files
        counts["total"] += len(listing.files)
        unchanged = 0
        for file in listing.files:
            path = file[0]
            library = self._libraries.of(path) if path in named else of_folder
            row = known.pop(path, UNKNOWN)
            state, known_job, known_library = row[5], row[6], row[7]
            same = row[1:5] == file[1:5]
            if (same or _looks_unchanged(row, file)) and not (reread and known_job != job):
                if state in final_states and known_library == library:
                    if known_job != job:
                        unchanged += 1
                        self.failed_before += state == "failed"
                    if not same:
                        notes.append({"at": path, "changed": file[3], "beside": file[4]})
                    continue
                if state in (FileState.EMBEDDED, FileState.MISSING) and not reread:
                    plans.append(self._task(Action.RENEW, folder, library, file, None))
                    continue
            outcome = self._classify(folder, library, file)
            if isinstance(outcome, Kind):
                plans.append(self._task(Action.READ, folder, library, file, outcome))
            else:
                outcomes[path] = outcome
        counts["unchanged"] += unchanged

    def _classify(self, folder: str, library: int, file: FoundFile) -> Kind | tuple[Entry, str]:
        """The kind of a file to be read; otherwise its row and counter, without having been read."""
        path, size, mtime_ns, ctime_ns, sidecars = file

        def ends(state: FileState, code: str, detail: str) -> tuple[Entry, str]:
            row = Entry(path, folder, library, size, mtime_ns, state, code=code, detail=detail)
            return replace(row, ctime_ns=ctime_ns, sidecars=sidecars), state.value

        kind = kind_of_name(path)
        if kind is None and size > 0:
            try:
                kind = self._kind_of_bytes(path)
            except OSError as error:
                return ends(FileState.FAILED, UnreadableFileError.code, f"It cannot be read: {error.strerror}.")
        if kind is None:
            return ends(FileState.SKIPPED, UnsupportedMediaError.code, NOT_MEDIA)
        if size == 0:
            return ends(FileState.FAILED, EmptyFileError.code, "It has no bytes.")
        if size > self._max_bytes:
            detail = f"It has {size / 2**20:.0f} MiB; the cap is {self._max_bytes / 2**20:.0f} (LIKEWISE_MAX_FILE_MB)."
            return ends(FileState.FAILED, MediaTooLargeError.code, detail)
        return kind

    def _kind_of_bytes(self, path: str) -> Kind | None:
        """Kind by the first bytes, for a name that does not tell it. Streams count as video until they are decoded.

        In a bucket, where each read is a request that takes time and costs money, only objects without an extension are
        read.

        Raises:
            OSError: the file cannot be read.
        """
        if addresses.is_remote(path) and addresses.suffix(path):
            return None
        family = sniff(self._access.head(path, SNIFFED_BYTES))
        if family is Family.UNKNOWN:
            return None
        return Kind.VIDEO if family is Family.STREAMS else Kind.IMAGE

    def _unreadable(self, found: Unreadable) -> Entry:
        """Row of a folder or name that cannot be used; it is its own folder, so that no listing contains it."""
        library = self._libraries.of(found.path)
        code = UnreadableFileError.code
        return Entry(found.path, found.path, library, 0, 0, FileState.FAILED, code=code, detail=found.detail)

    def _task(self, action: Action, folder: str, library: int, file: FoundFile, kind: Kind | None) -> dict[str, object]:
        path, size, mtime_ns, ctime_ns, sidecars = file
        return {
            "job": self._live.number,
            "action": action.value,
            "path": path,
            "folder": folder,
            "library": library,
            "size": size,
            "mtime_ns": mtime_ns,
            "ctime_ns": ctime_ns,
            "sidecars": sidecars,
            "kind": kind.value if kind else None,
        }

    def _gone(self, row: Known) -> Iterator[dict[str, object]]:
        path, size, mtime_ns, ctime_ns, sidecars, state, _job, library, folder = row
        if state != FileState.MISSING:  # a missing file has been marked already
            left_out = self._is_at_or_below(path, self._left_out)
            self.taken_back += left_out and state == FileState.EMBEDDED
            action = Action.LEFT_OUT if left_out else Action.GONE
            yield self._task(action, folder, library, (path, size, mtime_ns, ctime_ns, sidecars), None)

    def _plan_unvisited(self, root: str) -> None:
        """Plan as gone every row in a folder at or below ``root`` that the scan did not find."""
        with self._ledger.read() as connection:
            inside = (files.c.folder == root) | below(files.c.folder, root)
            folders = connection.execute(select(files.c.folder).where(inside).distinct()).scalars().all()
        unvisited = [folder for folder in folders if folder not in self._listed and not self._is_unreadable(folder)]
        self._listed.update(unvisited)
        for chunk in chunked(unvisited, FOLDERS_A_READ):
            with self._live.write() as (connection, _):
                known = rows_in_folders(connection, chunk)
                for tasks in chunked(task for row in known.values() for task in self._gone(row)):
                    connection.execute(insert(planned), tasks)

    def _is_unreadable(self, folder: str) -> bool:
        """Whether it is, or is below, a folder that could not be read, so that its content is unknown."""
        return self._is_at_or_below(folder, self._unreadable_paths)

    @staticmethod
    def _is_at_or_below(path: str, places: set[str]) -> bool:
        return bool(places) and (path in places or any(above in places for above in addresses.parents(path)))


def _looks_unchanged(row: Known, file: FoundFile) -> bool:
    """Whether a file has the size and times of its row, as far as both are known. Its sidecars may have changed."""
    change, known_change = file[3], row[3]
    return row[1:3] == file[1:3] and (change == known_change or change is None or known_change is None)


def _grouped(scan: Iterable[Found]) -> Iterator[list[Found]]:
    group: list[Found] = []
    count = 0
    for found in scan:
        group.append(found)
        count += len(found.files) if isinstance(found, FolderListing) else 1
        if count >= FILES_A_READ or len(group) >= FOLDERS_A_READ:
            yield group
            group, count = [], 0
    if group:
        yield group


def find_lost_records(ledger: Ledger, records: Records) -> int:
    """Mark files whose records the store has lost as changed (another store, a restored backup).

    Returns:
        Number of lost records. Costs one count each in ledger and store when there are none.
    """
    with ledger.read() as connection:
        expected = connection.execute(select(func.count(files.c.media_id.distinct()))).scalar_one()
    if expected <= records.count():
        return 0
    lost: set[str] = set()
    last = ""
    while True:
        query = select(files.c.media_id, func.min(files.c.kind)).where(files.c.media_id > last)
        with ledger.read() as connection:
            page = connection.execute(query.group_by(files.c.media_id).order_by(files.c.media_id).limit(1000)).all()
        if not page:
            return len(lost)
        last = page[-1][0]
        absent = records.absent({media_id: Kind(kind) for media_id, kind in page})
        if absent:
            lost |= absent
            with ledger.write() as connection:
                mark_changed(connection, absent)
