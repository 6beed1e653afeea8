"""What a job looks at: paths and addresses that people name, checked, and everything the scans of them come upon."""

# Paths stay text from the walk to the ledger: a Path object for every file would double the cost of a rescan.
# ruff: noqa: PTH112, PTH113

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from sqlalchemy import and_, select

from ingest.ledger import Ledger
from ingest.libraries import LibraryMap
from ingest.scan import Found, Root, Scan, is_text, list_paths
from ingest.tables import FileState, at_or_below, files
from search.errors import NotFoundError, UnreadableFileError, UsageError
from search.settings import Settings

PAGE = 1000


class Sources:
    """Where the media of one data directory comes from."""

    def __init__(self, settings: Settings, ledger: Ledger) -> None:
        self._settings = settings
        self._ledger = ledger

    def checked(self, given: Path | str) -> str:
        """What may be ingested, in the spelling of the ledger: the real path, or the address.

        Raises:
            NotFoundError: it does not exist and the ledger does not know it either.
            UnreadableFileError: a folder that may not be listed.
            UsageError: it cannot be ingested.
        """
        try:
            real = os.path.realpath(given)
            if stat.S_ISDIR(Path(real).stat().st_mode):
                os.scandir(real).close()
        except FileNotFoundError:
            self._check_known(given, real)
        except ValueError:
            raise UsageError(f"{given!r} is no path: a path holds no null character.") from None
        except OSError as error:
            raise UnreadableFileError(
                f"'{given}' cannot be read: {error.strerror}.", "Check the path, and that you may read it."
            ) from error
        if not is_text(real):
            raise UsageError(f"The name of {given!r} is not valid UTF-8.", "Rename it.")
        if real == os.path.realpath(self._settings.home):
            raise UsageError(f"'{real}' is Likewise's own data directory.", "Name the folder with your media.")
        return real

    def folders(self, roots: Iterable[str]) -> list[str]:
        """Those that are no single files; also those where nothing is any more."""
        return [root for root in roots if not os.path.isfile(root)]

    def found(self, roots: Sequence[str], known_roots: LibraryMap) -> Iterator[Found]:
        """Everything at or below some roots; what failed before, where there are none."""
        if not roots:
            yield from self._failed_before(known_roots)
            return
        given = dict.fromkeys(roots)
        for root in roots:
            given.update(dict.fromkeys(known_roots.within(root)))
        folders = [Root(path, known_roots.base_of(path)) for path in given if os.path.isdir(path)]
        named = [path for path in given if os.path.isfile(path)]
        yield from self._scan(folders, named)

    def _scan(self, folders: Iterable[Root], named: Iterable[str] = ()) -> Iterator[Found]:
        yield from Scan(folders, excludes=self._settings.excludes, home=str(self._settings.home), named=named)

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
                elif os.path.isdir(path):
                    folders.append(Root(path, known_roots.base_of(path)))
            for folder, paths in by_folder.items():
                yield list_paths(folder, paths)
        if folders:
            yield from self._scan(folders)

    def _check_known(self, given: Path | str, real: str) -> None:
        """A path that does not exist may be ingested if the ledger knows what was there: its files are missing."""
        with self._ledger.read() as connection:
            known = connection.execute(select(files.c.path).where(at_or_below(files.c.path, real)).limit(1)).first()
        if known is None:
            raise NotFoundError(f"'{given}' does not exist.", "Check the spelling, and that its drive is mounted.")
