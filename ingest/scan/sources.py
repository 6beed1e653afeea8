"""Sources of a job: checks paths and addresses that people name, and scans folders and buckets."""

# Paths stay text from the walk to the ledger: a Path object for every file would double the cost of a rescan.
# ruff: noqa: PTH110, PTH112, PTH113

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from sqlalchemy import and_, select

from ingest.ledger.database import Ledger
from ingest.ledger.libraries import LibraryMap
from ingest.ledger.tables import FileState, at_or_below, files
from ingest.scan.allowed import AllowedFolders
from ingest.scan.folders import Bounds, Found, Root, Scan, Unreadable, is_text, list_paths
from ingest.scan.remote import RemoteScan, list_objects
from search import addresses
from search.errors import NotFoundError, UnreadableFileError, UsageError
from search.settings import Settings
from workers.storage.files import FileAccess
from workers.storage.shared_place import OWN_FOLDERS

PAGE = 1000


class Sources:
    """Folders of this machine and buckets, for one data directory.

    Attributes:
        access: reads files at paths and addresses.
    """

    def __init__(self, settings: Settings, ledger: Ledger) -> None:
        self.access = FileAccess(settings)
        self._objects = self.access.objects
        self._settings = settings
        self._allowed = AllowedFolders(settings, ledger)
        self._ledger = ledger
        self._own = [f"{settings.shared_place.rstrip('/')}/{name}" for name in OWN_FOLDERS]

    def checked(self, given: Path | str, *, anywhere: bool) -> str:
        """A path or address in the ledger's spelling: the real path, or the absolute address.

        Args:
            anywhere: the command line of this machine names it, which may name what it likes.

        Raises:
            NotAllowedError: it is not in an allowed folder.
            NotFoundError: it does not exist, and the ledger does not know it either.
            UnreadableFileError: it may not be read or listed.
            UsageError: it cannot be ingested.
        """
        if addresses.is_remote(str(given)):
            address = addresses.absolute(given)
            self._allowed.check(address, anywhere=anywhere)
            return self._checked_address(address)
        try:
            real = os.path.realpath(given)
            self._check_text(real)
            self._allowed.check(real, anywhere=anywhere)
            if stat.S_ISDIR(Path(real).stat().st_mode):
                os.scandir(real).close()
        except FileNotFoundError:
            self._check_known(real, f"'{given}' does not exist.", "Check the spelling, and that its drive is mounted.")
        except ValueError:
            raise UsageError(f"{given!r} is no path: a path holds no null character.") from None
        except OSError as error:
            raise UnreadableFileError(
                f"'{given}' cannot be read: {error.strerror}.", "Check the path, and that you may read it."
            ) from error
        if real == os.path.realpath(self._settings.home):
            raise UsageError(f"'{real}' is Likewise's own data directory.", "Name the folder with your media.")
        return real

    def _check_text(self, path: str) -> None:
        if not is_text(path):
            raise UsageError(f"The name of {path!r} is not valid UTF-8.", "Rename it.")
        longest = self._ledger.longest_path
        if longest is not None and len(path.encode()) > longest:
            raise UsageError(f"The path {path[:60]!r}… is too long for the ledger.", "Name a folder above it.")

    def _checked_address(self, address: str) -> str:
        self._objects.check(address)
        if any(addresses.is_at_or_below(address, own) for own in self._own):
            raise UsageError(f"'{address}' is Likewise's own.", "Name the folder with your media.")
        try:
            self._objects.facts(address)
        except FileNotFoundError as error:
            self._check_known(address, f"'{address}' does not exist: {error.strerror}.", "Check the spelling.")
        except OSError as error:
            raise UnreadableFileError(f"'{address}' cannot be read: {error.strerror}.") from error
        return address

    def folders(self, roots: Iterable[str]) -> list[str]:
        """The roots that are not single files, including those that no longer exist."""
        return [root for root in roots if not self._is_file(root)]

    def exists(self, path: str) -> bool:
        """Whether a file exists; true where that cannot be checked, so that it is not marked as missing."""
        if not addresses.is_remote(path):
            return os.path.exists(path)
        try:
            self._objects.facts(path)
        except FileNotFoundError:
            return False
        except OSError:
            return True
        return True

    def found(self, roots: Sequence[str], known_roots: LibraryMap) -> Iterator[Found]:
        """Scan everything at or below some roots, or the failed files when there are no roots."""
        if not roots:
            yield from self._failed_before(known_roots)
            return
        given = dict.fromkeys(roots)
        for root in roots:
            given.update(dict.fromkeys(known_roots.within(root)))
        folders = [Root(path, known_roots.base_of(path)) for path in given if self._is_folder(path)]
        named = [path for path in given if self._is_file(path)]
        yield from self._scan(folders, named)

    def _scan(self, folders: Sequence[Root], named: Sequence[str] = ()) -> Iterator[Found]:
        excludes, home = self._settings.excludes, str(self._settings.home)
        system = self._settings.include_system_folders
        for path in (*(root.path for root in folders), *named):
            if not self._allowed.is_listed(path):
                yield Unreadable(path, "It is not in a folder that LIKEWISE_ALLOWED_FOLDERS names.")
        folders = [root for root in folders if self._allowed.is_listed(root.path)]
        named = [path for path in named if self._allowed.is_listed(path)]
        near = [root for root in folders if not addresses.is_remote(root.path)]
        far = [root for root in folders if addresses.is_remote(root.path)]
        named_near = [path for path in named if not addresses.is_remote(path)]
        named_far = [path for path in named if addresses.is_remote(path)]
        yield from Scan(near, excludes=excludes, home=home, own=self._own, named=named_near, include_system=system)
        yield from RemoteScan(
            far, self._objects, excludes=excludes, own=self._own, named=named_far, include_system=system
        )

    def _is_file(self, path: str) -> bool:
        if not addresses.is_remote(path):
            return os.path.isfile(path)
        try:
            return not self._objects.facts(path).is_folder
        except OSError:
            return False

    def _is_folder(self, path: str) -> bool:
        """Also true where that cannot be checked: the scan then reports why."""
        if not addresses.is_remote(path):
            return os.path.isdir(path)
        try:
            return self._objects.facts(path).is_folder
        except FileNotFoundError:
            return False
        except OSError:
            return True

    def _failed_before(self, known_roots: LibraryMap) -> Iterator[Found]:
        """Failed files as partial listings, and folders that could not be read as scans of their own."""
        last: tuple[str, str] = ("", "")
        folders: list[Root] = []
        while True:
            with self._ledger.read() as connection:
                behind = (files.c.folder > last[0]) | and_(files.c.folder == last[0], files.c.path > last[1])
                query = select(files.c.folder, files.c.path).where(files.c.state == FileState.FAILED.value, behind)
                page = connection.execute(query.order_by(files.c.folder, files.c.path).limit(PAGE)).all()
            if not page:
                break
            last = (page[-1].folder, page[-1].path)
            by_folder: dict[str, list[str]] = {}
            for folder, path in page:
                if folder != path:
                    by_folder.setdefault(folder, []).append(path)
                elif self._is_folder(path):
                    folders.append(Root(path, known_roots.base_of(path)))
            for folder, paths in by_folder.items():
                if addresses.is_remote(folder):
                    yield list_objects(self._objects, folder, paths)
                else:
                    yield from list_paths(folder, paths, self._bounds_of(paths, known_roots))
        if folders:
            yield from self._scan(folders)

    @staticmethod
    def _bounds_of(paths: Iterable[str], known_roots: LibraryMap) -> Bounds:
        bases = set()
        for path in paths:
            with suppress(LookupError):  # its library has gone: it is outside
                bases.add(known_roots.base_of(known_roots.root_of(path)))
        return Bounds(bases)

    def _check_known(self, real: str, message: str, hint: str) -> None:
        """Accept a path that does not exist if the ledger knows files there: they are missing.

        Raises:
            NotFoundError: the ledger does not know the path.
        """
        with self._ledger.read() as connection:
            known = connection.execute(select(files.c.path).where(at_or_below(files.c.path, real)).limit(1)).first()
        if known is None:
            raise NotFoundError(message, hint)
