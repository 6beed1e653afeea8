"""Compare what a scan finds with what the ledger knows, and plan only the difference.

A file with the size and modification time the ledger has is unchanged and costs one comparison: nothing is opened,
hashed or written for it. What remains goes into the ledger's ``planned`` table, so that memory does not grow with the
number of files.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from sqlalchemy import func, insert, select

from ingest.jobs.rows import LiveJob
from ingest.ledger.database import Ledger
from ingest.ledger.entries import Entry, Known, chunked, distrust, known_in, settle
from ingest.ledger.libraries import LibraryMap
from ingest.ledger.tables import Action, FileState, below, files, planned
from ingest.plan.store_records import Records
from ingest.scan.folders import FolderListing, Found, FoundFile, Unreadable
from search import addresses
from search.errors import EmptyFileError, MediaTooLargeError, UnreadableFileError, UnsupportedMediaError
from search.media import Kind
from workers.decode.kinds import SNIFFED_BYTES, Family, kind_of_name, sniff
from workers.storage.files import FileAccess

FILES_A_READ = 2000
FOLDERS_A_READ = 200
"""Folders are compared in groups of about this many files or folders, one ledger query each."""

UNKNOWN: Known = ("", -1, -1, "", -1, -1, "")
"""Stands for the row of a file that has none."""

NOT_MEDIA = "It is not a picture, video or sound by its name or first bytes."


class Planner:
    """Plans one job.

    Args:
        libraries: which library a folder's files belong to.
        access: for the first bytes of files whose names say nothing.
        retry: failed files are read again although they have not changed.
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
    ) -> None:
        self._ledger = ledger
        self._records = records
        self._live = live
        self._libraries = libraries
        self._access = access
        self._max_bytes = max_bytes
        self._settled = {FileState.EMBEDDED.value, FileState.SKIPPED.value} | (
            set() if retry else {FileState.FAILED.value}
        )
        self._listed: set[str] = set()
        self._blind: set[str] = set()
        self.failed_before = 0
        """Files that failed in an earlier job and have not changed since."""

    def plan(self, scan: Iterable[Found], roots: Sequence[str]) -> None:
        """Run the scan to its end (or until cancelled) and plan what differs from the ledger.

        Args:
            roots: folders whose rows are gone when the scan does not come upon them.
        """
        for group in _grouped(scan):
            if not self._live.wait_while_paused():
                return
            self._compare(group)
        for root in roots:
            self._plan_unvisited(root)

    def _compare(self, group: list[Found]) -> None:
        listings = [found for found in group if isinstance(found, FolderListing)]
        with self._ledger.read() as connection:
            known = known_in(connection, [listing.folder for listing in listings])
        counts: Counter[str] = Counter()
        plans: list[dict[str, object]] = []
        outcomes: dict[str, tuple[Entry, str]] = {}
        for listing in listings:
            self._compare_folder(listing, known, counts, plans, outcomes)
        whole = {listing.folder for listing in listings if listing.covers is None}
        looked_for = {path for listing in listings for path in listing.covers or ()}
        for found in group:
            if isinstance(found, Unreadable):
                self._blind.add(found.path)
                counts["total"] += 1
                outcomes[found.path] = (self._unreadable(found), "failed")
        for path, row in known.items():
            if (row[-1] in whole or path in looked_for) and path not in self._blind:
                plans.extend(self._gone(row))
        self._listed |= whole
        self._live.add(counts)
        if plans or outcomes:
            with self._live.write() as (connection, added):
                for chunk in chunked(plans):
                    connection.execute(insert(planned), chunk)
                settled, left = settle(connection, self._live.number, outcomes)
                self._records.abandon(connection, self._live.number, left)
                added.update(settled)

    def _compare_folder(
        self,
        listing: FolderListing,
        known: dict[str, Known],
        counts: Counter[str],
        plans: list[dict[str, object]],
        outcomes: dict[str, tuple[Entry, str]],
    ) -> None:
        folder, job, settled, named = listing.folder, self._live.number, self._settled, listing.named
        of_folder = self._libraries.of(folder) if listing.covers is None else -1  # a partial one names all its files
        counts["total"] += len(listing.files)
        unchanged = 0
        for file in listing.files:
            path, size, mtime_ns = file
            library = self._libraries.of(path) if path in named else of_folder
            _, known_size, known_time, state, known_job, known_library, _ = known.pop(path, UNKNOWN)
            if known_size == size and known_time == mtime_ns:
                if state in settled and known_library == library:
                    if known_job != job:
                        unchanged += 1
                        self.failed_before += state == "failed"
                    continue
                if state in (FileState.EMBEDDED, FileState.MISSING):
                    plans.append(self._task(Action.RENEW, folder, library, file, None))
                    continue
            outcome = self._settle_unread(folder, library, file)
            if isinstance(outcome, Kind):
                plans.append(self._task(Action.READ, folder, library, file, outcome))
            else:
                outcomes[path] = outcome
        counts["unchanged"] += unchanged

    def _settle_unread(self, folder: str, library: int, file: FoundFile) -> Kind | tuple[Entry, str]:
        """The kind of a file that is worth reading; otherwise how it ends, without having been read."""
        path, size, mtime_ns = file

        def ends(state: FileState, code: str, detail: str) -> tuple[Entry, str]:
            row = Entry(path, folder, library, size, mtime_ns, state, code=code, detail=detail)
            return row, state.value

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
        """Kind by the first bytes, for a name that says nothing. Streams go as video: decoding has the last word.

        In a bucket, where each look is a request that waits and costs, only names without any extension are looked
        behind.

        Raises:
            OSError: it cannot be read.
        """
        if addresses.is_remote(path) and addresses.suffix(path):
            return None
        family = sniff(self._access.head(path, SNIFFED_BYTES))
        if family is Family.UNKNOWN:
            return None
        return Kind.VIDEO if family is Family.STREAMS else Kind.IMAGE

    def _unreadable(self, found: Unreadable) -> Entry:
        """The row of a folder or name that cannot be used: its own folder, so that no listing claims it."""
        library = self._libraries.of(found.path)
        code = UnreadableFileError.code
        return Entry(found.path, found.path, library, 0, 0, FileState.FAILED, code=code, detail=found.detail)

    def _task(self, action: Action, folder: str, library: int, file: FoundFile, kind: Kind | None) -> dict[str, object]:
        path, size, mtime_ns = file
        return {
            "job": self._live.number,
            "action": action.value,
            "path": path,
            "folder": folder,
            "library": library,
            "size": size,
            "mtime_ns": mtime_ns,
            "kind": kind.value if kind else None,
        }

    def _gone(self, row: Known) -> Iterator[dict[str, object]]:
        path, size, mtime_ns, state, _job, library, folder = row
        if state != FileState.MISSING:  # else it has been dealt with
            yield self._task(Action.GONE, folder, library, (path, size, mtime_ns), None)

    def _plan_unvisited(self, root: str) -> None:
        """Plan as gone every row in a folder at or below ``root`` that the scan did not come upon."""
        with self._ledger.read() as connection:
            inside = (files.c.folder == root) | below(files.c.folder, root)
            folders = connection.execute(select(files.c.folder).where(inside).distinct()).scalars().all()
        unvisited = [folder for folder in folders if folder not in self._listed and not self._cannot_see(folder)]
        self._listed.update(unvisited)
        for chunk in chunked(unvisited, FOLDERS_A_READ):
            with self._live.write() as (connection, _):
                known = known_in(connection, chunk)
                for tasks in chunked(task for row in known.values() for task in self._gone(row)):
                    connection.execute(insert(planned), tasks)

    def _cannot_see(self, folder: str) -> bool:
        """Whether it is, or is below, a folder that could not be read: nobody knows what is in there."""
        if not self._blind:
            return False
        return folder in self._blind or any(above in self._blind for above in addresses.parents(folder))


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
    """Make files whose records the store has lost look changed (another store, a restored backup).

    Returns:
        How many records are lost. Costs one count each in ledger and store when nothing is.
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
                distrust(connection, absent)
