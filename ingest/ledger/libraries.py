"""Libraries, named groups of roots: a file belongs to that of the closest root at or above it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from sqlalchemy import Connection, delete, insert, select

from ingest.ledger.tables import at_or_below, libraries, roots
from search import addresses
from search.bounds import storable
from search.errors import UsageError
from workers.decode.kinds import kind_of_name

LONGEST_NAME = 200
"""Most characters of a library's name that is given; one named after a folder may be as long as that one's."""


class LibraryMap:
    """All roots and the library that each belongs to."""

    def __init__(self, connection: Connection) -> None:
        rows = connection.execute(select(roots.c.path, roots.c.library))
        self._library_of: Mapping[str, int] = {row.path: row.library for row in rows}

    def of(self, path: str) -> int:
        """Number of the library of a file or folder.

        Raises:
            LookupError: no root is at or above it.
        """
        return self._library_of[self.root_of(path)]

    def root_of(self, path: str) -> str:
        """The closest root at or above a file or folder.

        Raises:
            LookupError: there is none.
        """
        root: str | None = path
        while root is not None and root not in self._library_of:
            root = addresses.parent(root)
        if root is None:
            raise LookupError(f"'{path}' is below no root")
        return root

    def base_of(self, root: str) -> str:
        """The outermost folder of the same library at or above ``root``; ignore files count from there on."""
        library, base = self.of(root), root
        for parent in addresses.parents(root):
            if self._library_of.get(parent) == library:
                base = parent
        return base

    def within(self, folder: str) -> list[str]:
        """Roots below ``folder``."""
        stem = folder.rstrip("/") + "/"
        return sorted(root for root in self._library_of if root.startswith(stem))


def roots_above(connection: Connection, path: str) -> list[str]:
    """Roots at or above a file or folder, the closest first."""
    lineage = [path, *addresses.parents(path)]
    found = set(connection.execute(select(roots.c.path).where(roots.c.path.in_(lineage))).scalars())
    return [folder for folder in lineage if folder in found]


def register(connection: Connection, paths: Sequence[str], library: str | None) -> str:
    """Make each path a root: of the named library, of the one it lies in, or of a new one named after its folder.

    Returns:
        The names of the libraries concerned, for people.

    Raises:
        UsageError: the name is too long, or holds what is no text.
    """
    if library is not None and (len(library) > LONGEST_NAME or storable(library) != library):
        raise UsageError(
            f"A library cannot be called {library[:60]!r}.",
            f"A name is valid UTF-8, has no null character and at most {LONGEST_NAME} characters.",
        )
    names: dict[str, None] = {}
    for path in paths:
        if library is not None:
            _assign(connection, path, _library(connection, library), with_nested=True)
            names[library] = None
            continue
        name = _enclosing(connection, path)
        if name is None:
            name = _free_name(connection, path)
        _assign(connection, path, _library(connection, name), with_nested=False)
        names[name] = None
    return ", ".join(names)


def _library(connection: Connection, name: str) -> int:
    number = connection.execute(select(libraries.c.id).where(libraries.c.name == name)).scalar()
    if number is None:
        key = connection.execute(insert(libraries).values(name=name)).inserted_primary_key
        assert key is not None
        number = int(key[0])
    return number


def _enclosing(connection: Connection, path: str) -> str | None:
    lineage = [path, *addresses.parents(path)]
    query = select(roots.c.path, libraries.c.name).join(libraries).where(roots.c.path.in_(lineage))
    found = {row.path: row.name for row in connection.execute(query)}
    return next((found[folder] for folder in lineage if folder in found), None)


def _assign(connection: Connection, path: str, library: int, *, with_nested: bool) -> None:
    inside = at_or_below(roots.c.path, path) if with_nested else roots.c.path == path
    nested = connection.execute(select(roots.c.path).where(inside)).scalars().all()
    paths = sorted({path, *nested})
    connection.execute(delete(roots).where(inside))
    connection.execute(insert(roots), [{"path": each, "library": library} for each in paths])


def _free_name(connection: Connection, path: str) -> str:
    """The folder's name, with a number when a library of another folder has that name."""
    folder = path if _is_folder(path) else addresses.parent(path) or path
    wanted = addresses.name(folder) or "files"
    number, name = 1, wanted
    while _taken_elsewhere(connection, name, folder):
        number += 1
        name = f"{wanted} {number}"
    return name


def _is_folder(path: str) -> bool:
    """In a bucket, which has no folders of its own, the name alone decides."""
    return kind_of_name(path) is None if addresses.is_remote(path) else Path(path).is_dir()


def _taken_elsewhere(connection: Connection, name: str, folder: str) -> bool:
    query = select(roots.c.path).join(libraries).where(libraries.c.name == name)
    stem = folder.rstrip("/") + "/"
    return any(not f"{root}/".startswith(stem) for root in connection.execute(query).scalars())
