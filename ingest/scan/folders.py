"""List the files below folders, folder by folder, without opening any.

Hidden files and folders, excluded and ignored ones, what other programs keep beside photos
(``ingest.scan.system_files``), and Likewise's own data directory are left out. Links to folders are followed after all
real folders, and no folder is listed twice, so that loops end and files keep their real paths. A link that leads out of
what is scanned is reported and not followed: whoever may write into a shared folder could otherwise have any file of
this machine read. Sidecars are listed with the files they belong to, not as files.
"""

# Paths stay text from the walk to the ledger: a Path object for every file would double the cost of a rescan.
# ruff: noqa: PTH116, PTH120

from __future__ import annotations

import errno
import os
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from operator import attrgetter
from typing import TypeAlias

from ingest.scan.allowed import is_never
from ingest.scan.ignore import IGNORE_FILE, IgnoreRules
from ingest.scan.sidecars import describe_sidecars
from search import addresses
from search.sidecars import is_sidecar
from workers.storage.files import MOST_NS, bounded_ns

_by_name = attrgetter("name")

FoundFile: TypeAlias = tuple[str, int, int, int | None, str]
"""Path, size in bytes, modification time and change time in nanoseconds, sidecars (``ingest.scan.sidecars``). A bucket
knows no change time. A bare tuple, because a scan makes one for every file."""


@dataclass(frozen=True, slots=True)
class Root:
    """A folder to scan. ``base`` is the folder at or above it from which ignore files count (its library's root)."""

    path: str
    base: str


@dataclass(frozen=True, slots=True)
class FolderListing:
    """The files of one folder.

    Attributes:
        covers: the only paths that were checked; None when the whole folder was listed.
        named: paths among ``files`` that a person has ingested by name.
        system_folders, system_files: paths of what other programs keep there, which is left out.
    """

    folder: str
    files: list[FoundFile]
    covers: frozenset[str] | None = None
    named: frozenset[str] = frozenset()
    system_folders: tuple[str, ...] = ()
    system_files: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A folder, or a name in it, that cannot be used; ``path`` is valid text, with ``\\xNN`` for invalid bytes."""

    path: str
    detail: str


Found: TypeAlias = FolderListing | Unreadable


def is_text(path: str) -> bool:
    """Whether a path can be written as UTF-8, which the ledger, the store and JSON all need."""
    if path.isascii():
        return True
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return True


def as_text(path: str) -> str:
    """The path with bytes that are not UTF-8 written ``\\xNN``: to show, not to open."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


class Bounds:
    """The folders that a scan stays in.

    Args:
        folders: real paths of folders, and of files that people have named.
    """

    def __init__(self, folders: Iterable[str]) -> None:
        self._folders = tuple(folders)

    def why_outside(self, path: str) -> str:
        """What to tell of a path that leads out of all of them, by a link or because they were replaced by one; empty
        where it does not. Cheap only for few paths.

        Raises:
            OSError: it cannot be found out.
        """
        real = os.path.realpath(path, strict=True)
        if any(addresses.is_at_or_below(real, folder) for folder in self._folders) and not is_never(real):
            return ""
        return f"A symbolic link leads to '{as_text(real)}', out of the folder. Import that by its own path."


class _Entries:
    """What is of use among the entries of one folder."""

    def __init__(self) -> None:
        self.files: list[FoundFile] = []  # without their sidecars
        self.folders: list[str] = []
        self.system_folders: list[str] = []
        self.system_files: list[str] = []
        self.sidecars: dict[str, tuple[int, int]] = {}

    def found(self) -> list[FoundFile]:
        """The files with their sidecars."""
        if not self.sidecars:
            return self.files
        return [(*file[:4], describe_sidecars(addresses.name(file[0]), self.sidecars)) for file in self.files]


class Scan:
    """One scan of some roots.

    Args:
        roots: folders; one that does not exist yields nothing.
        excludes: patterns from the settings.
        home: Likewise's data directory, which is left out.
        own: further folders of Likewise's own, which are left out as well.
        named: existing files ingested by name, which are listed whatever the rules say.
        include_system: what other programs keep beside photos is listed as well.
    """

    def __init__(
        self,
        roots: Iterable[Root],
        *,
        excludes: Sequence[str],
        home: str,
        own: Iterable[str] = (),
        named: Iterable[str] = (),
        include_system: bool = False,
    ) -> None:
        self._roots = list(roots)
        named = list(named)
        self._bounds = Bounds([*(root.base for root in self._roots), *named])
        self._excludes = excludes
        self._include_system = include_system
        self._seen = {_identity(folder) for folder in (home, *own)} - {None}
        self._links: deque[tuple[str, IgnoreRules]] = deque()
        self._named: dict[str, set[str]] = {}
        for path in named:
            self._named.setdefault(os.path.dirname(path), set()).add(path)

    def __iter__(self) -> Iterator[Found]:
        for root in self._roots:
            if outside := self._why_outside(root.path):
                yield Unreadable(root.path, outside)
                continue
            try:
                rules = self._rules_at(root)
            except OSError as error:
                yield Unreadable(root.path, f"A {IGNORE_FILE} above it cannot be read: {error.strerror}.")
                continue
            yield from self._tree(root.path, rules)
        while self._links:
            yield from self._tree(*self._links.popleft())
        for folder, paths in sorted(self._named.items()):
            yield from list_paths(folder, paths, self._bounds)

    def _why_outside(self, path: str) -> str:
        with suppress(OSError):  # what is not there is told where it is listed
            return self._bounds.why_outside(path)
        return ""

    def _rules_at(self, root: Root) -> IgnoreRules:
        """Rules in force when the walk enters the root: ignore files between the library's root and it."""
        rules = IgnoreRules.for_root(root.base, self._excludes, include_system=self._include_system)
        inner = root.path[len(root.base.rstrip("/")) :].split("/")[1:]
        folder = root.base
        for name in inner:
            if os.path.lexists(f"{folder}/{IGNORE_FILE}"):
                rules = rules.entering(folder)
            folder = f"{folder.rstrip('/')}/{name}"
        return rules

    def _tree(self, top: str, rules: IgnoreRules) -> Iterator[Found]:
        stack = [(top, rules)]
        while stack:
            folder, rules = stack.pop()
            identity = _identity(folder)
            if identity is None or identity in self._seen:
                continue
            self._seen.add(identity)
            try:
                with os.scandir(folder) as entries:
                    ordered = sorted(entries, key=_by_name)
                if any(entry.name == IGNORE_FILE for entry in ordered):
                    rules = rules.entering(folder)
            except OSError as error:
                yield Unreadable(folder, f"The folder cannot be read: {error.strerror}.")
                continue
            kept = _Entries()
            yield from self._classify(ordered, rules, kept)
            files = kept.found()
            named = frozenset(self._named.pop(folder, ()))
            if named:
                unlisted = named.difference(file[0] for file in files)
                for found in list_paths(folder, unlisted, self._bounds):
                    if isinstance(found, Unreadable):
                        yield found
                    else:
                        files.extend(found.files)
            yield FolderListing(
                folder,
                files,
                named=named,
                system_folders=tuple(kept.system_folders),
                system_files=tuple(kept.system_files),
            )
            stack.extend((path, rules) for path in reversed(kept.folders))

    def _classify(self, entries: list[os.DirEntry[str]], rules: IgnoreRules, kept: _Entries) -> Iterator[Unreadable]:
        """Append entries to those that are ``kept``; yields those that cannot be used."""
        check = not rules.empty
        for entry in entries:
            if entry.name.startswith("."):
                continue
            path = entry.path
            try:
                is_folder = entry.is_dir(follow_symlinks=False)
                is_link = not is_folder and entry.is_symlink() and entry.is_dir()
                if check and rules.ignores(path, is_folder=is_folder or is_link):
                    continue
                if rules.is_system(path, is_folder=is_folder or is_link):
                    (kept.system_folders if is_folder or is_link else kept.system_files).append(path)
                    continue
                if not is_text(path):
                    if is_folder or is_link or entry.is_file():
                        yield Unreadable(as_text(path), "Its name is not valid UTF-8; rename it.")
                elif is_folder:
                    kept.folders.append(path)
                elif entry.is_symlink() and (is_link or entry.is_file()) and (why := self._bounds.why_outside(path)):
                    yield Unreadable(path, why)
                elif is_link:
                    self._links.append((path, rules))
                elif entry.is_file():
                    status = entry.stat()
                    size, mtime_ns, ctime_ns = status.st_size, status.st_mtime_ns, status.st_ctime_ns
                    if not (-MOST_NS <= mtime_ns <= MOST_NS and -MOST_NS <= ctime_ns <= MOST_NS):
                        mtime_ns, ctime_ns = bounded_ns(mtime_ns), bounded_ns(ctime_ns)
                    if path[-4:].lower() == ".xmp" and is_sidecar(entry.name):
                        kept.sidecars[entry.name] = (size, mtime_ns)
                    else:
                        kept.files.append((path, size, mtime_ns, ctime_ns, ""))
            except OSError as error:
                if error.errno in (errno.ENOENT, errno.ELOOP):
                    continue  # deleted since the folder was listed, or a link to itself: there is no file
                yield Unreadable(as_text(path), f"It cannot be looked at: {error.strerror}.")


def list_paths(folder: str, paths: Iterable[str], bounds: Bounds) -> Iterator[Found]:
    """A listing of only these paths of one folder, after those that lead out of it; those that are not files are
    covered but not listed."""
    wanted = frozenset(paths)
    beside = _sidecars_in(folder, bounds) if wanted else {}
    files: list[FoundFile] = []
    outside: set[str] = set()
    for path in sorted(wanted):
        try:
            if why := bounds.why_outside(path):
                outside.add(path)
                yield Unreadable(path, why)
                continue
            status = os.stat(path)
        except OSError:
            continue
        mtime_ns, ctime_ns = bounded_ns(status.st_mtime_ns), bounded_ns(status.st_ctime_ns)
        files.append((path, status.st_size, mtime_ns, ctime_ns, describe_sidecars(addresses.name(path), beside)))
    wanted -= outside
    yield FolderListing(folder, files, covers=wanted, named=wanted)


def _sidecars_in(folder: str, bounds: Bounds) -> dict[str, tuple[int, int]]:
    found: dict[str, tuple[int, int]] = {}
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if is_sidecar(entry.name) and is_text(entry.name) and not entry.name.startswith("."):
                with suppress(OSError):
                    if entry.is_file() and not (entry.is_symlink() and bounds.why_outside(entry.path)):
                        status = entry.stat()
                        found[entry.name] = (status.st_size, bounded_ns(status.st_mtime_ns))
    return found


def _identity(folder: str) -> tuple[int, int] | None:
    """Device and inode; None when there is no such folder."""
    try:
        status = os.stat(folder)
    except OSError:
        return None
    return status.st_dev, status.st_ino
