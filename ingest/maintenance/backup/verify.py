"""Check every part of a backup, without restoring anything."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import Table

from ingest.ledger.tables import SCHEMA_VERSION
from ingest.maintenance.backup import ledger_rows, parts
from ingest.maintenance.backup.manifest import Manifest, Part, PartKind, read_part
from search.errors import BackupError
from search.spaces import CollectionSchema
from workers.storage.shared_place import MODELS

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


def find_damage(folder: Path, manifest: Manifest) -> Iterator[tuple[Part | None, str]]:
    """Each part with what is wrong with it, empty when nothing is; last, without a part, what is missing."""
    rows = {name: ledger_rows.Digest() for name in manifest.head.tables}
    points: Counter[str] = Counter()
    for part in manifest.parts:
        complaint = ""
        try:
            data = read_part(folder, part)
            if part.holds is PartKind.ROWS:
                rows[part.of].add(parts.decode_rows(data))
            elif part.holds is PartKind.POINTS:
                schema = CollectionSchema.from_json(manifest.collections[part.of].schema)
                points[part.of] += sum(1 for _ in parts.decode_points(schema, data))
        except BackupError as error:
            complaint = error.message
        yield part, complaint
    for name, table in manifest.head.tables.items():
        if rows[name].hex() != table.digest:
            yield None, f"The backup in '{folder}' does not have the rows of '{name}' that its manifest speaks of."
    for name, collection in manifest.collections.items():
        if points[name] != collection.points:
            yield None, f"The backup in '{folder}' has {points[name]:,} points of '{name}', not {collection.points:,}."
