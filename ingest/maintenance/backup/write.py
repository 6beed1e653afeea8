"""Write a backup: the ledger, then trained models, then points with their previews.

Points whose ids begin with the same bits make one part, and a part's name is the checksum of its bytes: a part that an
earlier backup in the same folder wrote is used again, and a photo that comes or changes changes one.

The ledger is read at one moment, and points are written part by part in order of id. Nothing else works on store or
ledger meanwhile, as a task runs alone. A killed backup continues after its last finished part, unless a job has changed
something since: then it starts again, because its parts would be of different times.
"""

from __future__ import annotations

import math
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from sqlalchemy import Table, func, select

from ingest.jobs.tasks import TaskRun
from ingest.ledger.database import Ledger
from ingest.ledger.tables import SCHEMA_VERSION, files
from ingest.maintenance import upkeep
from ingest.maintenance.backup import ledger_rows, parts, snapshots
from ingest.maintenance.backup.manifest import (
    JOURNAL,
    MANIFEST,
    CollectionSummary,
    Head,
    Journal,
    Json,
    Manifest,
    Part,
    PartKind,
    TableSummary,
    load_manifest,
    save_manifest,
    write_part,
)
from ingest.maintenance.backup.previews import PreviewArchive
from ingest.maintenance.backup.verify import damaged_records
from ingest.maintenance.verify.ledger_checks import lost_records
from ingest.plan.store_records import Records
from search.errors import BackupError
from search.settings import Settings
from search.spaces import CollectionSchema
from search.store.base import Point, Store
from search.store.durable import check_space
from search.transfer import estimate, pages, point_bytes, portable_metadata
from workers.batch.records import REVISION_KEY
from workers.embedders.sound import standardise
from workers.storage.previews import Previews
from workers.storage.shared_place import MODELS, shared_place

PART_BYTES = 4 * 2**20
"""A part of points is about this large, or half as large; it is held in memory. The parts that a new photo changes are
written again by the next backup, so they are small."""

PART_ROWS = 50_000
ROW_BYTES = 300
"""Approximate size of a file's row in the ledger's part."""

MOST_BITS = 20
"""Of an id, to tell parts apart by."""


class BackupWriter:
    """One run of a backup into an existing folder. ``OSError`` is left to the caller.

    Args:
        damaged: write damaged records too, with the checksums by which they are found, and do without lost ones.
    """

    def __init__(
        self, settings: Settings, store: Store, ledger: Ledger, folder: Path, job: TaskRun, *, damaged: bool = False
    ) -> None:
        self._damaged = damaged
        self._settings, self._store, self._ledger, self._folder, self._job = settings, store, ledger, folder, job
        self._journal = Journal(folder)
        self._previews = PreviewArchive(settings)
        self._place = shared_place(settings)

    def begin(self) -> bool:
        """Continue what an earlier run has written, or write the ledger; False when the job has to stop.

        Raises:
            LedgerDamagedError: the ledger's file is damaged.
            BackupError: the store lacks records that the ledger has.
            DiskFullError: the folder's disk has too little room for the backup.
        """
        if faults := self._ledger.quick_check():
            raise self._ledger.damaged("; ".join(faults))
        if not self._damaged:
            self._refuse_lost()
        with self._ledger.read() as connection:
            stamp = ledger_rows.stamp(connection)
        found = self._store.collections()
        schemas = {name: info.schema.to_json() for name, info in found.items()}
        total = sum(info.points for info in found.values())
        head = self._journal.head
        if head is not None and (head.stamp, head.schemas) == (stamp, schemas):
            self._job.begin(total, done=sum(part.count for part in self._parts(PartKind.POINTS)))
            return True
        self._job.begin(total)
        if head is not None:
            self._job.say("Files were imported since this backup began, so it begins anew.")
        self._clear()
        if not (self._folder / MANIFEST).exists():  # of another one, how much is new is not known
            self._check_space()
        return self._write_ledger(schemas)

    def steps(self) -> Iterator[int]:
        """Write models and points; yields the number of points written after each page that was read.

        Raises:
            BackupError: a record is damaged.
        """
        self._write_models()
        yield 0
        for collection in sorted(self._head.schemas):
            yield from self._write_points(collection)

    def finish(self) -> Manifest:
        """Write the manifest.

        Raises:
            BackupError: another process has written to the store meanwhile.
        """
        head = self._head
        collections: dict[str, CollectionSummary] = {}
        for name, schema in sorted(head.schemas.items()):
            written, stored = sum(part.count for part in self._parts(PartKind.POINTS, name)), self._store.count(name)
            if written != stored:
                self._clear()
                raise BackupError(
                    f"'{name}' changed while it was being backed up: {written:,} points were written and "
                    f"{stored:,} are there.",
                    "Run it again, while no other Likewise writes to the same store.",
                )
            collections[name] = CollectionSummary(schema, self._metadata(name), written)
        manifest = Manifest(head, collections, tuple(self._journal.parts))
        for leftover in self._folder.rglob("*.partial"):
            leftover.unlink()
        snapshots.keep_latest(self._folder)
        snapshots.keep(self._folder, manifest)
        save_manifest(self._folder, manifest)
        return manifest

    @property
    def _head(self) -> Head:
        assert self._journal.head is not None
        return self._journal.head

    def _refuse_lost(self) -> None:
        pages = lost_records(self._ledger, Records(self._store, Previews(self._settings)))
        lost = [record for page in pages for record in page]
        if not lost:
            return
        known = sum(info.points for info in self._store.collections().values()) + len(lost)
        raise BackupError(
            f"The store lacks {len(lost):,} of the {known:,} records that the ledger has, among them that of "
            f"'{lost[0].paths[0]}', so there is no backup of it.",
            "`likewise verify` lists what is lost, and `likewise verify --repair` embeds anew what still has its file. "
            "`likewise backup --with-damaged` takes what is there.",
        )

    def _metadata(self, collection: str) -> Json:
        """Metadata of a collection to be restored. Where sounds or payloads were upgraded during the backup, only some
        of its points are upgraded, so the keys that say so are left out: opening the restored store upgrades all."""
        before, now = self._head.metadata[collection], portable_metadata(self._store, collection)
        for key in (standardise.KEY, REVISION_KEY):
            if before.get(key) != now.get(key):
                now.pop(key, None)
        for key in (standardise.UNDER_WAY, upkeep.UNDER_WAY):
            now.pop(key, None)
        return now

    def _clear(self) -> None:
        (self._folder / JOURNAL).unlink(missing_ok=True)
        snapshots.delete_unused(self._folder)
        self._journal = Journal(self._folder)

    def _parts(self, holds: PartKind, of: str | None = None) -> list[Part]:
        return [part for part in self._journal.parts if part.holds is holds and of in (None, part.of)]

    def _write_ledger(self, schemas: dict[str, Json]) -> bool:
        written: list[Part] = []
        tables: dict[str, TableSummary] = {}
        with self._ledger.read() as reading:
            connection = ledger_rows.snapshot(reading)
            stamp = ledger_rows.stamp(connection)
            for table in ledger_rows.TABLES:
                digest = ledger_rows.Digest()
                for rows in _grouped(ledger_rows.read_rows(connection, table, int(self._job.id))):
                    digest.add(rows)
                    written.append(self._write_rows(table, rows))
                    if not self._job.goes_on():
                        return False
                tables[table.name] = TableSummary(digest.rows, digest.hex())
        head = Head(
            id=str(uuid.uuid4()),
            made_by=version("likewise"),
            created=datetime.now(UTC).isoformat(timespec="milliseconds"),
            source=source_of(self._settings, self._store),
            stamp=stamp,
            ledger_layout=int(SCHEMA_VERSION),
            tables=tables,
            schemas=schemas,
            metadata={name: portable_metadata(self._store, name) for name in schemas},
            bits={name: self._bits(name) for name in schemas},
            job=self._job.id,
        )
        self._journal.begin(head, written)
        return True

    def _write_rows(self, table: Table, rows: list[ledger_rows.Row]) -> Part:
        path = f"ledger/{table.name}-{{}}.parquet"
        return self._write(Part(path, PartKind.ROWS, table.name, len(rows)), parts.encode_rows(table, rows))

    def _write_models(self) -> None:
        have = {part.of for part in self._parts(PartKind.FILE)}
        for name in self._models():
            if name not in have:
                part = Part(f"{MODELS}/{{}}", PartKind.FILE, name, 1)
                self._journal.add(self._write(part, self._place.read(name)))

    def _models(self) -> list[str]:
        """Names of the trained models' files in the shared place."""
        return [f"{MODELS}/{name}" for name in self._place.names(MODELS)]

    def _write_points(self, collection: str) -> Iterator[int]:
        schema = self._store.schema(collection)
        finished = self._parts(PartKind.POINTS, collection)
        bits = self._head.bits.get(collection, 0)
        gathered: list[Point] = []
        previews: dict[str, bytes] = {}

        def write() -> int:
            nonlocal gathered, previews
            path = f"collections/{collection}/{{}}.parquet"
            part = Part(path, PartKind.POINTS, collection, len(gathered), last=gathered[-1].id)
            self._journal.add(self._write(part, parts.encode_points(schema, gathered, previews)))
            gathered, previews = [], {}
            return part.count

        for page in pages(self._store, collection, finished[-1].last if finished else None):
            pictures = self._previews.read(page)
            if not self._damaged:
                _refuse_damaged(schema, page, pictures)
            done = 0
            for point in page:
                if gathered and _first_bits(gathered[-1].id, bits) != _first_bits(point.id, bits):
                    done += write()
                gathered.append(point)
                if point.id in pictures:
                    previews[point.id] = pictures[point.id]
            yield done
        if gathered:
            yield write()

    def _bits(self, collection: str) -> int:
        """How many bits divide a collection into parts of the wanted size; as many as the last backup here had, if that
        is about right, so that its parts can be used again."""
        size = estimate(self._store, collection, self._bytes_of)
        wanted = min(MOST_BITS, max(0, math.ceil(math.log2(max(size, 1) / PART_BYTES))))
        if not (self._folder / MANIFEST).exists():
            return wanted
        before = load_manifest(self._folder).head.bits.get(collection, wanted)
        return before if abs(before - wanted) <= 1 else wanted

    def _write(self, part: Part, data: bytes) -> Part:
        check_space(self._folder, len(data))
        return write_part(self._folder, part, data)

    def _check_space(self) -> None:
        with self._ledger.read() as connection:
            wanted = ROW_BYTES * connection.execute(select(func.count()).select_from(files)).scalar_one()
        local = filter(None, map(self._place.path, self._models()))  # the size of those in a bucket is not known
        wanted += sum(path.stat().st_size for path in local)
        wanted += sum(estimate(self._store, name, self._bytes_of) for name in self._store.collections())
        check_space(self._folder, wanted)

    def _bytes_of(self, points: list[Point]) -> int:
        return sum(map(point_bytes, points)) + sum(map(len, self._previews.read(points).values()))


def source_of(settings: Settings, store: Store) -> str:
    """The store and data directory, in words."""
    return f"{store.engine} store of {settings.home}"


def _first_bits(id_: str, bits: int) -> int:
    """The first bits of a UUID, as a number; ids in order have these in order."""
    return int(id_[:8], 16) >> (32 - bits)


def _refuse_damaged(schema: CollectionSchema, page: list[Point], previews: dict[str, bytes]) -> None:
    found = damaged_records(schema, page, previews)
    if not found:
        return
    payloads = {point.id: point.payload for point in page}
    first = found[0]
    path = next(iter(payloads[first.id].get("paths") or ()), "without a path")
    raise BackupError(
        f"What is stored is damaged: {', '.join(first.what)} of '{first.id}' in '{first.collection}' ({path}) is not "
        "what was written, so there is no backup of it.",
        "`likewise verify` lists what is damaged, and `likewise verify --repair` embeds anew what still has its file. "
        "`likewise backup --with-damaged` takes the rest along as it is; its checksums still tell it.",
    )


def _grouped(pages: Iterator[list[ledger_rows.Row]]) -> Iterator[list[ledger_rows.Row]]:
    group: list[ledger_rows.Row] = []
    for page in pages:
        group += page
        if len(group) >= PART_ROWS:
            yield group
            group = []
    if group:
        yield group
