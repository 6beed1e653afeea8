"""Match the lines of a table of photographers with records, by path, folder or pattern of paths."""

from __future__ import annotations

import posixpath
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, select

from ingest.ledger.database import Ledger
from ingest.ledger.entries import chunked
from ingest.ledger.tables import FileState, at_or_below, files, roots
from search import addresses
from search.media import Kind
from search.photographers.photos.labels import CsvLine, is_pattern, pattern_of

KINDS = (Kind.IMAGE.value, Kind.VIDEO.value)
"""Kinds of media that have a photographer."""

WITH_RECORD = (FileState.EMBEDDED.value, FileState.MISSING.value)


@dataclass(frozen=True, slots=True)
class TableMatch:
    """The records that a table names.

    Attributes:
        names: id of a record to the name that its line gives. A line with its path counts before one with a folder or a
            pattern, and a later line before an earlier one.
        all_names: id to every name that lines give, and whether one of them does so by the path.
        unmatched: number of a line that matches no ingested file to a sentence that says so.
    """

    names: Mapping[str, str]
    all_names: Mapping[str, Mapping[str, bool]]
    unmatched: Mapping[int, str]

    @property
    def overruled(self) -> int:
        """Number of records to which lines give different names."""
        return sum(len(each) > 1 for each in self.all_names.values())


def match_table(
    ledger: Ledger, lines: Sequence[CsvLine], base: str | None, goes_on: Callable[[], bool] = lambda: True
) -> TableMatch | None:
    """Find the records that the lines of a table mean.

    Args:
        base: folder of the table; relative paths are looked up there, then below each root.
        goes_on: called before each query of the ledger; may block, as no transaction is open meanwhile.

    Returns:
        None once ``goes_on`` has said no.
    """
    with ledger.read() as connection:
        known = list(connection.execute(select(roots.c.path).order_by(roots.c.path)).scalars())
    bases = list(dict.fromkeys([*([base] if base else []), *known]))
    by_path: dict[str, str] = {}
    for chunk in chunked(sorted({form for line in lines for form in _forms(line.path, bases)})):
        if not goes_on():
            return None
        with ledger.read() as connection:
            by_path |= _by_path(connection, chunk)
    found: dict[str, tuple[bool, int, str]] = {}
    names_of: dict[str, dict[str, bool]] = defaultdict(dict)
    unmatched: dict[int, str] = {}
    for line in lines:
        forms = _forms(line.path, bases)
        exact = next((by_path[form] for form in forms if form in by_path), None)
        if exact is not None:
            ids = {exact}
        elif goes_on():
            with ledger.read() as connection:
                ids = _matched(connection, line.path, forms)
        else:
            return None
        if not ids:
            unmatched[line.number] = f"Line {line.number} means no photo that has been imported: '{line.path[:120]}'."
        for id_ in ids:
            names_of[id_][line.name] = names_of[id_].get(line.name, False) or exact is not None
            match = (exact is not None, line.number, line.name)
            found[id_] = max(found.get(id_, match), match)
    names = {id_: name for id_, (_, _, name) in found.items()}
    return TableMatch(names, names_of, unmatched)


def in_scope(folder: str | None) -> ColumnElement[bool]:
    """Condition: files with a record that can have a photographer, at or below a folder if one is given."""
    wanted = files.c.media_id.is_not(None) & files.c.state.in_(WITH_RECORD) & files.c.kind.in_(KINDS)
    return wanted if folder is None else wanted & at_or_below(files.c.path, folder)


def _forms(path: str, bases: Sequence[str]) -> list[str]:
    """The absolute paths that a line may mean, in the normal forms NFC and NFD of Unicode."""
    whole = path.startswith("/") or addresses.is_remote(path)
    relative = path.removeprefix("./")
    absolute = [path] if whole else [f"{base.rstrip('/')}/{relative}" for base in bases]
    absolute = [each if addresses.is_remote(each) else posixpath.normpath(each) for each in absolute]
    return list(dict.fromkeys(unicodedata.normalize(form, each) for each in absolute for form in ("NFC", "NFD")))


def _by_path(connection: Connection, paths: Sequence[str]) -> dict[str, str]:
    query = select(files.c.path, files.c.media_id).where(in_scope(None), files.c.path.in_(paths))
    return {row.path: row.media_id for row in connection.execute(query)}


def _matched(connection: Connection, path: str, forms: Sequence[str]) -> set[str]:
    """Ids of the records below a folder, or of those whose paths match a pattern."""
    found: set[str] = set()
    for form in forms:
        folder, pattern = pattern_of(form) if is_pattern(path) else (form.rstrip("/") or "/", None)
        query = select(files.c.path, files.c.media_id).where(in_scope(folder))
        found.update(
            row.media_id for row in connection.execute(query) if pattern is None or pattern.fullmatch(row.path)
        )
        if found:
            break
    return found
