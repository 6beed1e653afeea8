"""Check every part of a backup, without restoring anything."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Table

from ingest.ledger.tables import SCHEMA_VERSION, FileState, files
from ingest.maintenance.backup import ledger_rows, parts
from ingest.maintenance.backup.manifest import Manifest, Part, PartKind, read_part
from search.errors import BackupError
from search.media import Kind
from search.spaces import CollectionSchema
from search.store.base import Point
from search.store.checksums import prove
from workers.storage.sealed_webp import complaint_of_webp
from workers.storage.shared_place import MODELS

PREVIEW, RECORD = "preview", "record"

TABLE_OF: dict[str, Table] = {table.name: table for table in ledger_rows.TABLES}


def check_readable(folder: Path, manifest: Manifest) -> None:
    """Check that this version can restore what the manifest lists.

    Raises:
        BackupError: it cannot.
        SpaceMismatchError: a schema is inconsistent.
    """
    if manifest.head.ledger_layout > int(SCHEMA_VERSION):
        raise BackupError(
            f"The ledger in the backup '{folder}' has layout {manifest.head.ledger_layout}; this Likewise reads "
            f"layouts up to {SCHEMA_VERSION}.",
            f"Restore it with the Likewise that wrote it ({manifest.head.made_by}), or upgrade.",
        )
    for part in manifest.parts:
        if not _is_known(part, manifest):
            raise BackupError(f"The backup in '{folder}' speaks of '{part.of}', which no backup holds.")
    for collection in manifest.collections.values():
        CollectionSchema.from_json(collection.schema)


def _is_known(part: Part, manifest: Manifest) -> bool:
    if part.holds is PartKind.ROWS:
        return part.of in TABLE_OF
    if part.holds is PartKind.POINTS:
        return part.of in manifest.collections
    return part.of.startswith(f"{MODELS}/") and ".." not in Path(part.of).parts


@dataclass(frozen=True, slots=True)
class DamagedRecord:
    """A record that was damaged or lost before it was backed up; ``what`` names spaces, ``facts``, ``preview``, or
    ``record`` where none of it is there."""

    collection: str
    id: str
    what: tuple[str, ...]


def damaged_records(
    schema: CollectionSchema, points: Iterable[Point], previews: Mapping[str, bytes]
) -> list[DamagedRecord]:
    """Those of these points whose checksums do not hold, or whose preview has gone or is damaged.

    Args:
        previews: WebP by id.
    """
    found = []
    for point in points:
        what = list(prove(schema, point).damaged)
        if point.payload.get("thumbnail") and complaint_of_webp(point.id, previews.get(point.id, b"")):
            what.append(PREVIEW)
        if what:
            found.append(DamagedRecord(schema.collection, point.id, tuple(what)))
    return found


def find_damage(
    folder: Path, manifest: Manifest, records: list[DamagedRecord] | None = None
) -> Iterator[tuple[Part | None, str]]:
    """Each part with what is wrong with it, empty when nothing is; last, without a part, what is missing.

    Args:
        records: is given the records that were damaged before they were backed up, and those that the ledger has and
            the store had lost.
    """
    rows = {name: ledger_rows.Digest() for name in manifest.head.tables}
    embedded: dict[str, str] = {}
    points: Counter[str] = Counter()
    for part in manifest.parts:
        complaint = ""
        try:
            data = read_part(folder, part)
            if part.holds is PartKind.ROWS:
                held_rows = parts.decode_rows(data)
                rows[part.of].add(held_rows)
                if part.of == files.name:
                    embedded |= _embedded(held_rows)
            elif part.holds is PartKind.POINTS:
                schema = CollectionSchema.from_json(manifest.collections[part.of].schema)
                held = list(parts.decode_points(schema, data))
                points[part.of] += len(held)
                for point, _ in held:
                    embedded.pop(point.id, None)
                if records is not None:
                    previews = {point.id: webp for point, webp in held if webp is not None}
                    records += damaged_records(schema, [point for point, _ in held], previews)
        except BackupError as error:
            complaint = error.message
        yield part, complaint
    whole = sum(points.values()) == manifest.points  # else points of a damaged part would count as lost
    if records is not None and whole:
        records += [DamagedRecord(collection, id_, (RECORD,)) for id_, collection in sorted(embedded.items())]
    for name, table in manifest.head.tables.items():
        if rows[name].hex() != table.digest:
            yield None, f"The backup in '{folder}' does not have the rows of '{name}' that its manifest speaks of."
    for name, collection in manifest.collections.items():
        if points[name] != collection.points:
            yield None, f"The backup in '{folder}' has {points[name]:,} points of '{name}', not {collection.points:,}."


def _embedded(rows: Iterable[ledger_rows.Row]) -> dict[str, str]:
    """Collection by id of the records that these rows of ``files`` say are stored."""
    return {row["media_id"]: Kind(row["kind"]).collection for row in rows if row["state"] == FileState.EMBEDDED.value}
