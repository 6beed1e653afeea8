"""Restoring a backup into an empty store and ledger, of either kind each.

The parts are restored in the order of the manifest, and how far that is stands in the ledger until all is there and
compared, so that a killed restore goes on and nobody takes half of one for the whole
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
from ingest.maintenance.backup.completeness import MARK, mark_in
from ingest.maintenance.backup.manifest import Holds, Manifest, Part, read_part
from ingest.maintenance.backup.previews import PreviewShelf
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
        settings: whose data directory and shared place the files go to.
    """

    def __init__(self, settings: Settings, store: Store, ledger: Ledger, folder: Path, manifest: Manifest) -> None:
        self._settings, self._store, self._ledger = settings, store, ledger
        self._folder, self._manifest = folder, manifest
        self._previews = PreviewShelf(settings)
        self._place = shared_place(settings)
        self._origin = f"backup {manifest.head.id}"

    def check(self) -> None:
        """
        Raises:
            UsageError: store or ledger are not empty, or another backup's restore was cut off here.
            DiskFullError: the data directory's disk has too little room.
        """
        with self._ledger.read() as connection:
            mark = mark_in(connection)
            used = connection.execute(select(func.count()).select_from(files)).scalar_one()
            used += connection.execute(select(func.count()).select_from(jobs)).scalar_one()
        if mark is not None and mark["backup"] != self._manifest.head.id:
            raise UsageError(
                f"The restore of another backup was cut off here: {mark['from']}.",
                f"Finish it with `likewise restore {mark['from']}`, or begin with an empty data directory.",
            )
        if mark is None and used:
            raise UsageError(
                "The ledger is not empty: files were taken in here already.",
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
        """Bring everything back; after each part, how many points are in it, those of an earlier run included."""
        done = self._begin()
        for name, collection in self._manifest.collections.items():
            self._store.ensure(CollectionSchema.from_json(collection.schema))
            self._store.set_metadata(name, {COPYING: {"from": self._origin, "after": None}})
            self._store.hold_indexing(name, held=True)
        for number, part in enumerate(self._manifest.parts, 1):
            if number > done:
                self._restore_part(number, part)
            yield part.count if part.holds is Holds.POINTS else 0

    def compare(self) -> Iterator[int]:
        """Compare all that is there now with the backup, and write again what is lost; after each part, how many points
        were in it.

        Raises:
            StoreError, LedgerError: something differs even so.
        """
        for part in self._manifest.parts:
            if part.holds is Holds.POINTS:
                self._compare_points(part)
                yield part.count
        for name, collection in self._manifest.collections.items():
            there = self._store.count(name)
            if there != collection.points:
                raise StoreError(
                    f"'{name}' has {there:,} points and the backup {collection.points:,}.",
                    "Is something else writing to this store? Restore into an empty one.",
                )
        self._compare_books()

    def finish(self) -> None:
        """Let what has been compared be used."""
        for name, collection in self._manifest.collections.items():
            self._store.hold_indexing(name, held=False)
            self._store.set_metadata(name, {**collection.metadata, COPYING: None})
        with self._ledger.write() as connection:
            connection.execute(delete(meta).where(meta.c.key == MARK))
        for name in self._manifest.collections:
            self._store.optimise(name)

    def _begin(self) -> int:
        with self._ledger.write() as connection:
            mark = mark_in(connection)
            if mark is not None:
                return int(mark["parts"])
            connection.execute(insert(meta).values(key=MARK, value=self._mark(0)))
            return 0

    def _mark(self, done: int) -> str:
        return json.dumps({"backup": self._manifest.head.id, "from": str(self._folder), "parts": done})

    def _restore_part(self, number: int, part: Part) -> None:
        data = read_part(self._folder, part)
        if part.holds is Holds.FILE:
            self._place.save({part.of: data})
            if (there := self._place.path(part.of)) is not None:
                sync(there)
        elif part.holds is Holds.POINTS:
            self._restore_points(part, data)
        with self._ledger.write() as connection:  # rows and mark together: rows cannot be written twice
            if part.holds is Holds.ROWS:
                ledger_rows.write_rows(connection, TABLE_OF[part.of], parts.decode_rows(data))
                ledger_rows.renew_counters(connection)
            connection.execute(update(meta).where(meta.c.key == MARK).values(value=self._mark(number)))

    def _restore_points(self, part: Part, data: bytes) -> None:
        for page in self._pages(part, data):
            self._previews.write(_pictures(page))
            self._store.upsert(part.of, [point for point, _ in page])

    def _compare_points(self, part: Part) -> None:
        for page in self._pages(part, read_part(self._folder, part)):
            points = [point for point, _ in page]
            there = self._previews.read(points)
            self._previews.write({id_: webp for id_, webp in _pictures(page).items() if there.get(id_) != webp})
            if wrong := differing(self._store, part.of, points):
                self._store.upsert(part.of, wrong)
                if differing(self._store, part.of, wrong):
                    raise StoreError(
                        f"The store does not keep '{wrong[0].id}' of '{part.of}' as it is in the backup.",
                        "Is something else writing to it? Restore into an empty one.",
                    )

    def _compare_books(self) -> None:
        with self._ledger.read() as reading:
            connection = ledger_rows.snapshot(reading)
            for name, table in self._manifest.head.tables.items():
                digest = ledger_rows.Digest()
                for rows in ledger_rows.read_rows(connection, TABLE_OF[name]):
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
        own = [part.bytes for part in self._manifest.parts if part.holds is not Holds.POINTS]
        points = [part.bytes for part in self._manifest.parts if part.holds is Holds.POINTS]
        # An embedded store takes their size, and twice as much again while they are indexed; a server has its own disk.
        check_space(self._settings.home, 2 * sum(own) + (3 * sum(points) if self._store.engine == "edge" else 0))


def _pictures(page: Page) -> dict[str, bytes]:
    return {point.id: preview for point, preview in page if preview is not None}
