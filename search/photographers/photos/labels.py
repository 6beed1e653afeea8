"""Photographers' names from folder names, from a table, or from clusters of similar photos.

Nothing here reads disks or stores: it takes texts and arrays; ``ingest.photographers.labelling`` does the rest. KMeans
in :func:`pseudo_photographers` labels the photos given and leaves no model, so it stays in ``search``.
"""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from search import addresses
from search.errors import UsageError
from search.media import word_list
from search.photographers.photos.names import given_name

GROUPS = 30
"""Default number of pseudo-photographers, that of the published recipe of the joint model."""

MANY = 20_000
"""Photos beyond which clustering uses random batches (MiniBatchKMeans): seconds instead of minutes."""

PATH_COLUMNS = ("path", "filepath", "file", "filename", "file_name", "photo", "image", "glob", "pattern")
_NAME_COLUMNS = ("photographer", "artist", "creator", "author", "credit", "name", "label")
"""Accepted names of columns; where a table has several of them, the first of these is used."""

_TOKEN = re.compile(
    r"(?P<folders>(?:(?<=/)|^)\*\*/)|(?P<deep>\*{2,})|(?P<star>\*)|(?P<letter>\?|\[.[^\]]*\])|.", re.DOTALL
)
"""Parts of a pattern; ``**/`` as a whole folder's name is any number of folders, none among them."""

_DELIMITERS = (",", ";", "\t", "|")

_GROUP = re.compile(r"Group (\d{2,9})")

_NO_PERSON = frozenset(
    word_list(
        "archive archiv camera dcim desktop documents download downloads edits export exports favorites images img "
        "import imports jpeg jpg lightroom media misc new originals other output photo photos picture pictures pics "
        "private raw screenshots selects selected temp tmp unsorted uploads videos web wip"
    )
)
_NO_PERSON_TEXT = re.compile(r"new folder( \(\d+\))?|camera roll|\d{3}[a-z0-9_]{5}|[a-z]?\d[\d _.-]*")


@dataclass(frozen=True, slots=True)
class CsvLine:
    """One line of a table: photographer of the photos at a path, below a folder, or matched by a pattern."""

    number: int
    path: str
    name: str


@dataclass(frozen=True, slots=True)
class CsvTable:
    """Content of a table.

    Attributes:
        wrong: number of an unusable line to its fault, in a sentence that names the number.
    """

    lines: tuple[CsvLine, ...]
    wrong: Mapping[int, str]


def read_table(data: bytes) -> CsvTable:
    """Lines of a CSV file with the columns ``path`` and ``photographer``, in any order, among others.

    Commas, semicolons, tabs or bars separate the columns; UTF-8 with or without a byte order mark, UTF-16 with one, or
    else Windows-1252, as spreadsheets write.

    Raises:
        UsageError: it is no such table; the message says in which line and why.
    """
    lines: list[CsvLine] = []
    wrong: dict[int, str] = {}
    columns: tuple[int, int] | None = None
    for number, row in table_rows(data):
        if columns is None:
            columns = _columns(row, number)
        else:
            _read_line(row, number, columns, lines, wrong)
    if columns is None:
        raise UsageError("The table is empty.", "Its first line names the columns: path,photographer.")
    return CsvTable(tuple(lines), wrong)


def table_rows(data: bytes) -> Iterator[tuple[int, list[str]]]:
    """Number and cells of each line of a CSV file that is not empty.

    Raises:
        UsageError: it is no text, or a line cannot be read.
    """
    text = decoded(data)
    delimiter = max(_DELIMITERS, key=lambda mark: text.partition("\n")[0].count(mark))
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        for row in reader:
            if any(cell.strip() for cell in row):
                yield reader.line_num, row
    except csv.Error as error:
        raise UsageError(f"Line {reader.line_num} of the table cannot be read: {error}.") from None


def decoded(data: bytes) -> str:
    """Text of a table in one of the usual encodings.

    Raises:
        UsageError: the data is no text.
    """
    encodings = ("utf-16",) if data[:2] in (b"\xff\xfe", b"\xfe\xff") else ("utf-8-sig", "cp1252", "latin-1")
    for encoding in encodings:
        try:
            return data.decode(encoding).replace("\0", "")
        except UnicodeDecodeError:
            continue
    raise UsageError("The table is no text.", "Save it as CSV in UTF-8.")


def _columns(header: Sequence[str], number: int) -> tuple[int, int]:
    names = [cell.strip().casefold() for cell in header]
    path = next((name for name in PATH_COLUMNS if name in names), None)
    person = next((name for name in _NAME_COLUMNS if name in names), None)
    if path is None or person is None or names.count(path) > 1 or names.count(person) > 1:
        shown = ", ".join(cell.strip()[:40] for cell in header[:8])
        raise UsageError(
            f"Line {number} of the table has to name one column 'path' and one 'photographer'; it says: {shown}.",
            "The first line reads path,photographer.",
        )
    return names.index(path), names.index(person)


def _read_line(
    row: Sequence[str], number: int, columns: tuple[int, int], lines: list[CsvLine], wrong: dict[int, str]
) -> None:
    if len(row) <= max(columns):
        wrong[number] = f"Line {number} has only {len(row)} of {max(columns) + 1} columns or more."
        return
    path, given = (row[at].strip() for at in columns)
    name = given_name(given)
    if not path:
        wrong[number] = f"Line {number} names no photo."
    elif name is None:
        wrong[number] = f"Line {number} names no photographer: '{given[:40]}'."
    elif fault := pattern_fault(path):
        wrong[number] = f"Line {number}: {fault}"
    else:
        lines.append(CsvLine(number, path if "/" in path else path.replace("\\", "/"), name))


def pattern_fault(path: str) -> str:
    """Fault of a path that is a pattern; empty without one."""
    try:
        pattern_of(path)
    except UsageError as error:
        return error.message
    return ""


def is_pattern(path: str) -> bool:
    """Whether a path of a table holds ``*``, ``?`` or letters in brackets."""
    return any(mark in path for mark in "*?[")


def pattern_of(glob: str) -> tuple[str, re.Pattern[str]]:
    """Folder that contains every match of a pattern, and a regular expression for whole paths.

    ``*`` and ``?`` stay within one folder, ``**`` goes through any number of them, ``[ab]`` is one of those letters.

    Raises:
        UsageError: a set of letters is malformed.
    """
    fixed = re.split(r"[*?\[]", glob, maxsplit=1)[0].rpartition("/")[0] or "/"
    try:
        return fixed, re.compile(_expression(glob), re.DOTALL)
    except re.error as error:
        raise UsageError(f"'{glob}' is no pattern: {error}.") from None


def _expression(glob: str) -> str:
    """Regular expression of a pattern.

    The first occurrence of the text before a ``*`` is as good as any later one, as the ``*`` matches whatever is
    between; so each is searched once (an atomic group), or several would be tried in all combinations.
    """
    parts: list[tuple[str, list[str]]] = [("", [""])]  # the beginning, and texts with a * between each two
    for token in _TOKEN.finditer(glob):
        text = token[0]
        if token.lastgroup == "folders":
            parts.append(("(?:.*?/)??", [""]))
        elif token.lastgroup == "deep":
            parts.append((".*?", [""]))
        elif token.lastgroup == "star":
            parts[-1][1].append("")
        else:
            parts[-1][1][-1] += _letter(text) if token.lastgroup else re.escape(text)
    found = [
        lead
        + texts[0]
        + "".join(f"(?>[^/]*?{text})" for text in texts[1:-1])
        + "".join(f"[^/]*?{t}" for t in texts[1:][-1:])
        for lead, texts in parts
    ]
    return "".join(f"(?>{part})" for part in found[:-1]) + found[-1]


def _letter(mark: str) -> str:
    """``?``, or a set of letters in brackets."""
    if mark == "?":
        return "[^/]"
    inside = mark[1:-1].replace("\\", r"\\").replace("[", r"\[").replace("^", r"\^")
    return f"[^/{inside[1:]}]" if inside[0] == "!" else f"[{inside}]"


def folder_name(path: str, root: str, depth: int) -> str | None:
    """Photographer named by a folder above a photo; None where its name is no person's, as ``DCIM`` or a date.

    Args:
        root: the folder that was ingested or asked for; it may bear the name, those above it are ignored.
        depth: 1 is the folder that holds the photo, 2 the one above, and so on; 0 is the first folder in ``root``.
    """
    inside = path[len(root.rstrip("/")) + 1 :] if addresses.is_at_or_below(path, root) else ""
    folders = [addresses.name(root), *inside.split("/")[:-1]]
    if depth == 0:
        wanted = folders[1] if len(folders) > 1 else None
    else:
        wanted = folders[-depth] if depth <= len(folders) else None
    return None if wanted is None or is_generic_folder(wanted) else given_name(wanted)


def is_generic_folder(name: str) -> bool:
    """Whether a folder is called by a camera, a program or a date: ``DCIM``, ``100CANON``, ``2019``."""
    return name.casefold() in _NO_PERSON or _NO_PERSON_TEXT.fullmatch(name.casefold()) is not None


def pseudo_photographers(
    features: NDArray[np.float32], groups: int = GROUPS, seed: int = 0, after: int = 0
) -> list[str | None]:
    """Clusters of similar photos as labels: ``Group 01`` is the largest.

    They are found by KMeans in the features themselves, so that predictions from features will seem almost perfect:
    such labels serve to explore a library, never to measure.

    Args:
        features: float32 ``(n, d)``, picture-only; scaled here. Rows without a known value belong to no group.
        groups: at most so many, and no more than there are distinct photos.
        seed: equal features and seeds make equal groups.
        after: numbers start above this one, where groups of other photos have those up to it.

    k = 30 is that of the published recipe, which did not scale the features.
    """
    from sklearn.cluster import KMeans, MiniBatchKMeans
    from sklearn.preprocessing import StandardScaler

    known = np.flatnonzero(np.isfinite(features).any(axis=1))
    if not len(known):
        return [None] * len(features)
    rows = np.asarray(features[known], np.float64)
    rows = rows[:, np.isfinite(rows).any(axis=0)]
    rows = StandardScaler().fit_transform(np.where(np.isfinite(rows), rows, np.nanmedian(rows, axis=0)))
    wanted = max(1, min(groups, len(np.unique(rows, axis=0))))
    kind = KMeans if len(rows) <= MANY else MiniBatchKMeans
    numbers = kind(wanted, n_init=4, random_state=seed).fit_predict(rows)
    order = {number: rank for rank, (number, _) in enumerate(Counter(numbers.tolist()).most_common(), 1)}
    found: list[str | None] = [None] * len(features)
    for at, number in zip(known.tolist(), numbers.tolist(), strict=True):
        found[at] = f"Group {after + order[number]:02}"
    return found


def group_number(name: str) -> int:
    """Number of a group of :func:`pseudo_photographers`; 0 of any other name."""
    match = _GROUP.fullmatch(name)
    return int(match[1]) if match else 0


def listed_names(counts: Mapping[str, int], most: int = 5) -> str:
    """``Ada 120, Bo 30 and 5 more``: names with their counts, the largest first."""
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    shown = ", ".join(f"{name} {n:,}" for name, n in ordered[:most])
    return f"{shown} and {len(ordered) - most:,} more" if len(ordered) > most else shown
