"""The manifest of a backup, written last, and the journal that lists finished parts until then."""

from __future__ import annotations

import errno
import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

from pydantic import TypeAdapter, ValidationError

from search.errors import BackupError, DiskFullError
from search.store.durable import sync, write_json

FORMAT = 2
"""Version of this layout. A reader takes its own and older ones, and refuses newer ones. In format 1 parts were
numbered, and a folder held one backup."""

MANIFEST, JOURNAL = "manifest.json", "unfinished.jsonl"
Json: TypeAlias = dict[str, Any]
"""A JSON object."""

T = TypeVar("T")


class PartKind(StrEnum):
    """What a part contains."""

    ROWS = "rows"
    POINTS = "points"
    FILE = "file"


@dataclass(frozen=True, slots=True)
class Part:
    """One file of a backup.

    Attributes:
        path: below the backup's folder, with slashes; its name is the SHA-256 of its bytes.
        of: table of its rows, collection of its points, or name of its file in the shared place.
        count: rows or points; 1 for a file.
        last: id of the last point.
    """

    path: str
    holds: PartKind
    of: str
    count: int
    bytes: int = 0
    sha256: str = ""
    last: str = ""


@dataclass(frozen=True, slots=True)
class TableSummary:
    """A table; ``digest`` is that of all rows, see ``ingest.maintenance.backup.ledger_rows.Digest``."""

    rows: int
    digest: str


@dataclass(frozen=True, slots=True)
class CollectionSummary:
    """A collection; ``schema`` is made by ``CollectionSchema.to_json``."""

    schema: Json
    metadata: Json
    points: int


@dataclass(frozen=True, slots=True)
class Head:
    """What is known of a backup when it begins.

    Attributes:
        id: a UUID.
        made_by: version of Likewise.
        created: ISO 8601, UTC.
        source: the store and data directory, in words.
        stamp: of the work that jobs had done by then, see ``ingest.maintenance.backup.ledger_rows.stamp``.
        ledger_layout: ``ingest.ledger.tables.SCHEMA_VERSION`` of the rows.
        schemas, metadata: of each collection.
        format: version of the backup's layout.
        bits: of each collection: how many first bits of their ids the points of one part share.
        job: of the job that writes it.
    """

    id: str
    made_by: str
    created: str
    source: str
    stamp: str
    ledger_layout: int
    tables: dict[str, TableSummary]
    schemas: dict[str, Json]
    metadata: dict[str, Json]
    format: int = FORMAT
    bits: dict[str, int] = field(default_factory=dict)
    job: str = ""


@dataclass(frozen=True, slots=True)
class Manifest:
    """A complete backup; ``parts`` are in the order in which they are restored."""

    head: Head
    collections: dict[str, CollectionSummary]
    parts: tuple[Part, ...]

    @property
    def points(self) -> int:
        """Number of points in all collections."""
        return sum(collection.points for collection in self.collections.values())

    @property
    def bytes(self) -> int:
        """Size of all parts."""
        return sum(part.bytes for part in self.parts)


@contextmanager
def explain_os_errors(folder: Path) -> Iterator[None]:
    """Turn an ``OSError`` within the block into an error that people understand.

    Raises:
        DiskFullError: the disk is full.
        BackupError: the folder cannot be written for another reason.
    """
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise DiskFullError(
                f"The disk of '{folder}' is full.", "Free some space and run it again; what is written is kept."
            ) from error
        raise BackupError(f"'{folder}' cannot be written: {error}.", "Check the path and its permissions.") from error


def seal(manifest: Manifest) -> Json:
    """The manifest as it is written, with its checksum."""
    body = asdict(manifest)
    return {**body, "checksum": _checksum(body)}


def save_manifest(folder: Path, manifest: Manifest) -> None:
    """Write the manifest, durably and in one step, and delete the journal."""
    write_json(folder / MANIFEST, seal(manifest))
    (folder / JOURNAL).unlink(missing_ok=True)
    sync(folder)


def load_manifest(folder: Path, name: str = MANIFEST) -> Manifest:
    """Read the manifest of a backup.

    Args:
        name: of the manifest's file, below the folder; by default that of the latest backup.

    Raises:
        BackupError: the folder holds no complete backup, its manifest is damaged, or a newer version wrote it.
    """
    try:
        body = json.loads((folder / name).read_text("utf-8"))
        checksum, version = body.pop("checksum"), body["head"]["format"]
    except FileNotFoundError:
        raise _no_backup(folder) from None
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise _damaged(folder, name, f"it cannot be read ({error})") from None
    if isinstance(version, int) and version > FORMAT:
        raise BackupError(
            f"The backup in '{folder}' has format {version}; this Likewise reads formats up to {FORMAT}.",
            f"Restore it with the Likewise that wrote it ({body['head'].get('made_by', 'a newer one')}), or upgrade.",
        )
    if checksum != _checksum(body):
        raise _damaged(folder, name, "its checksum is wrong")
    try:
        return TypeAdapter(Manifest).validate_python(body)
    except ValidationError as error:
        raise _damaged(folder, name, f"{error.error_count()} entries make no sense") from None


def read_part(folder: Path, part: Part) -> bytes:
    """The bytes of a part, checked against the manifest.

    Raises:
        BackupError: they differ from it, or cannot be read.
    """
    try:
        data = _inside(folder, part.path).read_bytes()
    except OSError as error:
        raise _damaged(folder, part.path, f"it cannot be read ({error.strerror})") from None
    if len(data) != part.bytes:
        raise _damaged(folder, part.path, f"it has {len(data):,} bytes and should have {part.bytes:,}")
    if hashlib.sha256(data).hexdigest() != part.sha256:
        raise _damaged(folder, part.path, "its checksum is wrong")
    return data


def write_part(folder: Path, part: Part, data: bytes) -> Part:
    """Write a part, durably and in one step, unless it is there already; returns it with its path, size and checksum.

    Args:
        part: its path has ``{}`` in place of the checksum.

    Raises:
        OSError: it cannot be written.
        BackupError: its path leads out of the folder.
    """
    digest = hashlib.sha256(data).hexdigest()
    written = replace(part, path=part.path.format(digest), bytes=len(data), sha256=digest)
    path = _inside(folder, written.path)
    if path.is_file() and path.stat().st_size == len(data) and path.read_bytes() == data:
        return written
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".partial")
    with partial.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)
    sync(path.parent)
    return written


class Journal:
    """The finished parts of an unfinished backup: a file with a line of JSON for the head, then one for each part.

    Attributes:
        head: None until the backup has begun.
        parts: finished parts whose files have the right size.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.head: Head | None = None
        self.parts: list[Part] = []
        self._read()

    def begin(self, head: Head, parts: list[Part]) -> None:
        """Start the journal with a head and its parts, in one step."""
        lines = _line(head) + "".join(_line(part) for part in parts)
        partial = self._folder / (JOURNAL + ".partial")
        with partial.open("w", encoding="utf-8") as file:
            file.write(lines)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(self._folder / JOURNAL)
        sync(self._folder)
        self.head, self.parts = head, list(parts)

    def add(self, part: Part) -> None:
        """Append a finished part, durably."""
        with (self._folder / JOURNAL).open("a", encoding="utf-8") as file:
            file.write(_line(part))
            file.flush()
            os.fsync(file.fileno())
        self.parts.append(part)

    def _read(self) -> None:
        try:
            lines = (self._folder / JOURNAL).read_text("utf-8").splitlines(keepends=True)
        except FileNotFoundError:
            return
        complete = [line for line in lines if line.endswith("\n")]
        head = _parsed(Head, complete[0]) if complete else None
        if head is None or head.format != FORMAT:
            return
        for line in complete[1:]:
            part = _parsed(Part, line)
            if part is None or not self._is_there(part):
                break
            self.parts.append(part)
        # Parts after a torn line or a lost part are written again, so the journal continues after the last good one.
        self.begin(head, self.parts)

    def _is_there(self, part: Part) -> bool:
        path = _inside(self._folder, part.path)
        return path.is_file() and path.stat().st_size == part.bytes


def _line(entry: Head | Part) -> str:
    return json.dumps(asdict(entry), ensure_ascii=False) + "\n"


def _parsed(of: type[T], line: str) -> T | None:
    try:
        return TypeAdapter(of).validate_json(line)
    except ValidationError:
        return None


def _inside(folder: Path, relative: str) -> Path:
    """The path of a part below the folder.

    Raises:
        BackupError: it leads out of the folder.
    """
    path = Path(relative)
    if path.is_absolute() or ".." in path.parts:
        raise _damaged(folder, MANIFEST, f"it names '{relative}', which is no part of a backup")
    return folder / path


def _checksum(body: Mapping[str, object]) -> str:
    canonical = json.dumps(body, ensure_ascii=True, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode("ascii")).hexdigest()


def _no_backup(folder: Path) -> BackupError:
    if (folder / JOURNAL).exists():
        return BackupError(
            f"The backup in '{folder}' was never finished.", f"`likewise backup {folder}` goes on where it stopped."
        )
    return BackupError(f"There is no backup in '{folder}': it has no {MANIFEST}.", "Check the path.")


def _damaged(folder: Path, name: str, reason: str) -> BackupError:
    return BackupError(
        f"The backup in '{folder}' is damaged: {name}: {reason}.", "Use another backup, or another copy of this one."
    )
