"""A table of dates and places: reading its lines, and finding the records that they mean."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select

from ingest.ledger.database import Ledger
from ingest.ledger.tables import files
from ingest.ledger.told_facts import LOCATION, PLACE, TAKEN_AT
from ingest.photographers.table_matching import in_scope, match_table
from search import addresses
from search.errors import UsageError
from search.photographers.photos.labels import PATH_COLUMNS, CsvLine, pattern_fault, table_rows
from search.photographers.photos.names import one_line
from workers.decode.metadata.dates import moment

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "path": PATH_COLUMNS,
    "taken": ("taken", "taken_at", "date_taken", "date", "datetime", "time"),
    "place": ("place", "place_name", "location", "city"),
    "latitude": ("latitude", "lat"),
    "longitude": ("longitude", "lon", "lng", "long"),
}
"""What a table may say to the names of columns that say it; of several in one table, the first of these is used."""

MOST_PLACE = 200
"""Characters of a place's name."""

DIGITS = 6
"""Decimal places of degrees that are kept: a tenth of a metre."""


@dataclass(frozen=True, slots=True)
class FactsLine:
    """One line: ``facts`` as in ``ingest.ledger.told_facts``."""

    number: int
    path: str
    facts: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class FactsTable:
    """``wrong``: number of an unusable line to its fault, in a sentence that names the number."""

    lines: tuple[FactsLine, ...]
    wrong: Mapping[int, str]


@dataclass(frozen=True, slots=True)
class FactsMatch:
    """``lines``: id of a record to the lines that mean it, the weightiest last: a folder or a pattern counts less than
    a path or a file name, and an earlier line less than a later one. ``wrong``: as in :class:`FactsTable`."""

    lines: Mapping[str, Sequence[FactsLine]]
    wrong: Mapping[int, str]


def read_facts(data: bytes) -> FactsTable:
    """Lines of a CSV file with a column ``path`` and some of ``taken``, ``place``, ``latitude`` and ``longitude``.

    Raises:
        UsageError: it is no such table; the message says in which line and why.
    """
    lines: list[FactsLine] = []
    wrong: dict[int, str] = {}
    columns: Mapping[str, int] | None = None
    for number, row in table_rows(data):
        if columns is None:
            columns = _columns(row, number)
            continue
        if len(row) <= max(columns.values()):
            wrong[number] = f"Line {number} has only {len(row)} of {max(columns.values()) + 1} columns or more."
            continue
        cells = {what: row[at].strip() for what, at in columns.items()}
        try:
            path = _path(cells.pop("path"))
            facts = _facts(cells)
        except UsageError as error:
            wrong[number] = f"Line {number}: {error.message}"
        else:
            if facts:
                lines.append(FactsLine(number, path, facts))
    if columns is None:
        raise UsageError(
            "The table is empty.", "Its first line names the columns: path,taken,place,latitude,longitude."
        )
    return FactsTable(tuple(lines), wrong)


def match_facts(
    ledger: Ledger, table: FactsTable, base: str, goes_on: Callable[[], bool] = lambda: True
) -> FactsMatch | None:
    """Find the records that the lines mean, by path, folder or pattern, or else by a file name that one record has.

    Returns:
        None once ``goes_on`` has said no.
    """
    match = match_table(
        ledger, [CsvLine(line.number, line.path, str(line.number)) for line in table.lines], base, goes_on
    )
    if match is None:
        return None
    lines, wrong = {line.number: line for line in table.lines}, dict(table.wrong)
    found: dict[str, list[tuple[bool, int]]] = defaultdict(list)
    for id_, numbers in match.all_names.items():
        found[id_] += [(exact, int(number)) for number, exact in numbers.items()]
    left = {lines[number].path: number for number in match.unmatched if "/" not in lines[number].path}
    named = _by_file_name(ledger, left)
    for number, fault in match.unmatched.items():
        ids = named.get(lines[number].path, set())
        for id_ in ids if len(ids) == 1 else ():
            found[id_].append((True, number))
        if len(ids) > 1:
            wrong[number] = f"Line {number} means {len(ids):,} photos: several folders hold a '{lines[number].path}'."
        elif not ids:
            wrong[number] = fault
    return FactsMatch({id_: [lines[number] for _, number in sorted(told)] for id_, told in found.items()}, wrong)


def _by_file_name(ledger: Ledger, names: Collection[str]) -> Mapping[str, set[str]]:
    """File name to the ids of the records that have it; reads the paths of the whole library once."""
    found: dict[str, set[str]] = defaultdict(set)
    if names:
        with ledger.read() as connection:
            query = select(files.c.path, files.c.media_id).where(in_scope(None))
            for path, id_ in connection.execution_options(yield_per=10_000).execute(query):
                if (name := addresses.name(path)) in names:
                    found[name].add(id_)
    return found


def _columns(header: Sequence[str], number: int) -> Mapping[str, int]:
    names = [cell.strip().casefold() for cell in header]
    found = {}
    for what, accepted in COLUMNS.items():
        if (name := next((one for one in accepted if one in names), None)) is not None:
            found[what] = names.index(name)
    if "path" not in found or len(found) < 2:
        shown = ", ".join(cell.strip()[:40] for cell in header[:8])
        raise UsageError(
            f"Line {number} of the table has to name a column 'path' and one of 'taken', 'place', 'latitude' and "
            f"'longitude'; it says: {shown}.",
            "The first line reads path,taken,place,latitude,longitude; columns that are not needed may be left out.",
        )
    return found


def _path(path: str) -> str:
    """
    Raises:
        UsageError: it is empty, or no pattern.
    """
    if not path:
        raise UsageError("it names no photo.")
    if fault := pattern_fault(path):
        raise UsageError(fault)
    return path if "/" in path else path.replace("\\", "/")


def _facts(cells: Mapping[str, str]) -> dict[str, object]:
    """Facts of a line; those of empty cells are left out.

    Raises:
        UsageError: a cell says nothing that can be.
    """
    found: dict[str, object] = {}
    if taken := cells.get("taken", ""):
        written = moment(taken)
        if written is None or not _whole(taken):
            raise UsageError(f"'{taken[:40]}' is no date such as 1942-06-15 or 1942-06-15 14:30.")
        found[TAKEN_AT] = written
    if place := one_line(cells.get("place", "")):
        found[PLACE] = place[:MOST_PLACE]
    north, east = cells.get("latitude", ""), cells.get("longitude", "")
    if bool(north) != bool(east):
        raise UsageError("it has one of latitude and longitude without the other.")
    if north:
        found[LOCATION] = [_degrees(north, 90), _degrees(east, 180)]
    return found


def _whole(taken: str) -> bool:
    """Whether it begins with the four digits of a year: any other order of day and month is somebody's guess."""
    return taken[:4].isdigit()


def _degrees(written: str, limit: float) -> float:
    try:
        value = float(written.replace(",", ".") if written.count(",") == 1 and "." not in written else written)
    except ValueError:
        value = float("nan")
    if not -limit <= value <= limit:
        raise UsageError(f"'{written[:40]}' is no number of degrees from -{limit:g} to {limit:g}.")
    return round(value, DIGITS)
