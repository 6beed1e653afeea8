"""Restore a backup into an empty store and an empty ledger, of either kind each.

Parts are restored in the order of the manifest. Until all of them are restored and compared, the ledger holds a mark
with the number of restored parts: a killed restore continues from there, and nothing else opens the incomplete data
(``ingest.maintenance.backup.completeness``).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import TypeAlias

from sqlalchemy import delete, func, insert, select, update

from ingest.ledger.database import Ledger
from ingest.ledger.tables import files, jobs, meta
from ingest.maintenance.backup import ledger_rows, parts
from ingest.maintenance.backup.completeness import MARK, MARK_LAYOUT, restore_mark
from ingest.maintenance.backup.manifest import Manifest, Part, PartKind, read_part
from ingest.maintenance.backup.previews import PreviewArchive
from ingest.maintenance.backup.verify import TABLE_OF
from search.errors import LedgerError, StoreError, UsageError
from search.settings import Settings
from search.spaces import CollectionSchema
from search.store.base import Point, Store
from search.store.durable import check_space, sync
from search.transfer import COPYING, differing, page_size
from workers.storage.shared_place import shared_place

Page: TypeAlias = Sequence[tuple[Point, bytes | None]]
"""Points, each with its preview."""


class Restore:
    """One restore.

    Args:
        settings: of the data directory and the shared place that the files are written to.
    """

    def __init__(self, settings: Settings, store: Store, ledger: Ledger, folder: Path, manifest: Manifest) -> None:
        self._settings, self._store, self._ledger = settings, store, ledger
        self._folder, self._manifest = folder, manifest
        self._previews = PreviewArchive(settings)
        self._place = shared_place(settings)
        self._origin = f"backup {manifest.head.id}"

    def check(self) -> None:
        """Check that the backup can be restored here.

        Raises:
            UsageError: store or ledger are not empty, or the restore of another backup was cut off here.
            DiskFullError: the data directory's disk has too little room.
        """
        with self._ledger.read() as connection:
            mark = restore_mark(connection)
            used = connection.execute(select(func.count()).select_from(files)).scalar_one()
            used += connection.execute(select(func.count()).select_from(jobs)).scalar_one()
        if mark is not None and mark["backup"] != self._manifest.head.id:
            raise UsageError(
                f"The restore of another backup was cut off here: {mark['from']}.",
                f"Finish it with `likewise restore {mark['from']}`, or begin with an empty data directory.",
            )
        if mark is None and used:
            raise UsageError(
                "The ledger is not empty: files were imported here already.",
                "Restore into a new data directory (--home), and a new database where LIKEWISE_DATABASE_URL names one.",
            )
        for name, info in self._store.collections().items():
            if info.points and mark is None:
                raise UsageError(
                    f"The store is not empty: '{name}' has {info.points:,} records.",
                    "Restore into a new data directory (--home), or on a server under another LIKEWISE_QDRANT_PREFIX.",
                )
        self._check_space()

    def restore(self) -> Iterator[int]:
        """Restore everything; yields the number of points of each part, those of an earlier run included.

        Raises:
            BackupError: a part is damaged.
        """
        done = self._begin()
        for name, collection in self._manifest.collections.items():
            self._store.ensure(CollectionSchema.from_json(collection.schema))
            self._store.set_metadata(name, {COPYING: {"from": self._origin, "after": None}})
            self._store.hold_indexing(name, held=True)
        for number, part in enumerate(self._manifest.parts, 1):
            if number > done:
                self._restore_part(number, part)
            yield part.count if part.holds is PartKind.POINTS else 0

    def compare(self) -> Iterator[int]:
        """Compare everything with the backup, and write missing points again; yields the number of points of each part.

        Raises:
            StoreError, LedgerError: something still differs.
        """
        for part in self._manifest.parts:
            if part.holds is PartKind.POINTS:
                self._compare_points(part)
                yield part.count
        for name, collection in self._manifest.collections.items():
            restored = self._store.count(name)
            if restored != collection.points:
                raise StoreError(
                    f"'{name}' has {restored:,} points and the backup {collection.points:,}.",
                    "Is something else writing to this store? Restore into an empty one.",
                )
        self._compare_ledger()

    def finish(self) -> None:
        """Remove the marks, so that store and ledger can be used."""
        for name, collection in self._manifest.collections.items():
            self._store.hold_indexing(name, held=False)
            self._store.set_metadata(name, {**collection.metadata, COPYING: None})
        with self._ledger.write() as connection:
            connection.execute(delete(meta).where(meta.c.key == MARK))
        for name in self._manifest.collections:
            self._store.optimise(name)

    def _begin(self) -> int:
        with self._ledger.write() as connection:
            mark = restore_mark(connection)
            if mark is not None:
                return int(mark["parts"])
            connection.execute(insert(meta).values(key=MARK, value=self._mark(0)))
            return 0

    def _mark(self, done: int) -> str:
        return json.dumps(
            {"layout": MARK_LAYOUT, "backup": self._manifest.head.id, "from": str(self._folder), "parts": done}
        )

    def _restore_part(self, number: int, part: Part) -> None:
        data = read_part(self._folder, part)
        if part.holds is PartKind.FILE:
            self._place.save({part.of: data})
            if (path := self._place.path(part.of)) is not None:
                sync(path)
        elif part.holds is PartKind.POINTS:
            self._restore_points(part, data)
        with self._ledger.write() as connection:  # rows and mark together: rows cannot be written twice
            if part.holds is PartKind.ROWS:
                ledger_rows.write_rows(connection, TABLE_OF[part.of], parts.decode_rows(data))
                ledger_rows.advance_sequences(connection)
            connection.execute(update(meta).where(meta.c.key == MARK).values(value=self._mark(number)))

    def _restore_points(self, part: Part, data: bytes) -> None:
        for page in self._pages(part, data):
            self._previews.write(_pictures(page))
            self._store.upsert(part.of, [point for point, _ in page])

    def _compare_points(self, part: Part) -> None:
        for page in self._pages(part, read_part(self._folder, part)):
            points = [point for point, _ in page]
            restored = self._previews.read(points)
            self._previews.write({id_: webp for id_, webp in _pictures(page).items() if restored.get(id_) != webp})
            if wrong := differing(self._store, part.of, points):
                self._store.upsert(part.of, wrong)
                if differing(self._store, part.of, wrong):
                    raise StoreError(
                        f"The store does not keep '{wrong[0].id}' of '{part.of}' as it is in the backup.",
                        "Is something else writing to it? Restore into an empty one.",
                    )

    def _compare_ledger(self) -> None:
        with self._ledger.read() as reading:
            connection = ledger_rows.snapshot(reading)
            layout = self._manifest.head.ledger_layout
            for name, table in self._manifest.head.tables.items():
                digest = ledger_rows.Digest()
                for rows in ledger_rows.read_rows(connection, TABLE_OF[name], layout=layout):
                    digest.add(rows)
                if (digest.rows, digest.hex()) != (table.rows, table.digest):
                    raise LedgerError(
                        f"The ledger's '{name}' has {digest.rows:,} rows that are not the backup's {table.rows:,}.",
                        "Is something else writing to it? Restore into an empty one.",
                    )

    def _pages(self, part: Part, data: bytes) -> Iterator[Page]:
        schema = CollectionSchema.from_json(self._manifest.collections[part.of].schema)
        entries = parts.decode_points(schema, data)
        while page := list(islice(entries, page_size(schema))):
            yield page

    def _check_space(self) -> None:
        own = [part.bytes for part in self._manifest.parts if part.holds is not PartKind.POINTS]
        points = [part.bytes for part in self._manifest.parts if part.holds is PartKind.POINTS]
        # An embedded store takes their size, plus twice that while they are indexed; a server has its own disk.
        check_space(self._settings.home, 2 * sum(own) + (3 * sum(points) if self._store.engine == "edge" else 0))


def _pictures(page: Page) -> dict[str, bytes]:
    return {point.id: preview for point, preview in page if preview is not None}
