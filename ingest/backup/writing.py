"""Writing a backup: the job task ``backup``, whose option ``to`` names the folder.

First the ledger, of one moment; then models, then the points with their previews, part by part in order of id. Nothing
else works on store or ledger meanwhile, as a task runs alone. A killed backup goes on after its last whole part, unless
a job has changed something since: then it begins anew, because half of it would be of another time.
"""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from sqlalchemy import Table, func, select

from ingest.backup import books, parts
from ingest.backup.manifest import (
    JOURNAL,
    MANIFEST,
    MODELS,
    CollectionBooks,
    Head,
    Holds,
    Journal,
    Manifest,
    Part,
    TableBooks,
    load_manifest,
    save_manifest,
    write_part,
    writing_to,
)
from ingest.backup.previews import read_preview
from ingest.ledger import Ledger
from ingest.tables import SCHEMA_VERSION, files
from ingest.tasks import TaskRun
from search.errors import BackupError, StoreError, UsageError
from search.settings import Settings
from search.store.base import Point, Store
from search.store.durable import check_space
from search.transfer import estimate, pages, point_bytes, portable_metadata, unfinished_copies

PART_BYTES = 48 * 2**20
"""About how large a part of points gets; as much is held in memory."""

PART_ROWS = 50_000
ROW_BYTES = 300
"""What a file's row takes in the ledger's part, roughly."""

FOLDERS = ("ledger", "collections", MODELS)
"""What a backup makes in its folder, beside manifest and journal."""


class Backup:
    """The job task ``backup``."""

    def __init__(self, settings: Settings, store: Store, ledger: Ledger) -> None:
        self._settings, self._store, self._ledger = settings, store, ledger

    def check(self, options: Mapping[str, str]) -> str:
        """
        Raises:
            UsageError: the folder cannot take a backup.
            StoreError: the store holds only part of what a restore or migration was to bring.
        """
        folder = Path(options.get("to", ""))
        if not folder.is_absolute():
            raise UsageError(f"'{folder}' is not an absolute path.", "Name it from the root on, as /mnt/backup.")
        if (folder / MANIFEST).exists() and not (folder / JOURNAL).exists():
            raise UsageError(f"There is a backup in '{folder}' already.", "Name another folder.")
        if folder.exists() and not folder.is_dir():
            raise UsageError(f"'{folder}' is not a folder.", "Name a folder that is empty or not there yet.")
        if folder.is_dir() and any(folder.iterdir()) and not (folder / JOURNAL).exists():
            raise UsageError(f"'{folder}' is not empty.", "Name a folder that is empty or not there yet.")
        if folder.is_relative_to(self._settings.home):
            raise UsageError(f"'{folder}' is in the data directory itself.", "Name a folder outside, on another disk.")
        if half := unfinished_copies(self._store):
            raise StoreError(
                f"'{half[0]}' holds only part of what was to be brought into it.",
                "Finish the restore or migration first: run the same command again.",
            )
        return str(folder)

    def run(self, options: Mapping[str, str], job: TaskRun) -> str:
        folder = Path(options["to"])
        with writing_to(folder):
            folder.mkdir(parents=True, exist_ok=True)
            if _is_ours(folder, job):
                return _told(load_manifest(folder), folder)  # finished, but killed before anybody could be told
            work = _Work(self._settings, self._store, self._ledger, folder, job)
            if not work.begin():
                return "It was stopped before anything was written."
            for done in work.steps():
                job.count(done=done)
                if not job.goes_on():
                    return f"What is written is kept; `likewise backup {folder}` goes on from there."
            return _told(work.finish(), folder)


class _Work:
    """One run over one folder."""

    def __init__(self, settings: Settings, store: Store, ledger: Ledger, folder: Path, job: TaskRun) -> None:
        self._settings, self._store, self._ledger, self._folder, self._job = settings, store, ledger, folder, job
        self._journal = Journal(folder)

    def begin(self) -> bool:
        """Take up what an earlier run has written, or write the ledger; False when the job is to stop."""
        with self._ledger.read() as connection:
            stamp = books.stamp(connection)
        schemas = {name: info.schema.to_json() for name, info in self._store.collections().items()}
        head = self._journal.head
        total = sum(info.points for info in self._store.collections().values())
        if head is not None and (head.stamp, head.schemas) == (stamp, schemas):
            self._job.begin(total, done=sum(part.count for part in self._parts(Holds.POINTS)))
            return True
        if head is not None:
            self._job.say("Files were taken in since this backup began, so it begins anew.")
        self._clear()
        self._check_space()
        self._job.begin(total)
        return self._write_books(schemas)

    def steps(self) -> Iterator[int]:
        """Write models and points; after each page that was read, how many points have been written with it."""
        self._write_models()
        yield 0
        head = self._journal.head
        assert head is not None
        for collection in sorted(head.schemas):
            yield from self._write_points(collection)

    def finish(self) -> Manifest:
        """
        Raises:
            BackupError: something else has written to the store meanwhile.
        """
        head = self._journal.head
        assert head is not None
        collections: dict[str, CollectionBooks] = {}
        for name, schema in sorted(head.schemas.items()):
            written, there = sum(part.count for part in self._parts(Holds.POINTS, name)), self._store.count(name)
            if written != there:
                self._clear()
                raise BackupError(
                    f"'{name}' changed while it was being backed up: {written:,} points were written and "
                    f"{there:,} are there.",
                    "Run it again, while no other Likewise writes to the same store.",
                )
            collections[name] = CollectionBooks(schema, portable_metadata(self._store, name), written)
        manifest = Manifest(replace(head, id=_id_for(self._job)), collections, tuple(self._journal.parts))
        for leftover in self._folder.rglob("*.partial"):
            leftover.unlink()
        save_manifest(self._folder, manifest)
        return manifest

    def _clear(self) -> None:
        for name in FOLDERS:
            shutil.rmtree(self._folder / name, ignore_errors=True)
        (self._folder / JOURNAL).unlink(missing_ok=True)
        self._journal = Journal(self._folder)

    def _parts(self, holds: Holds, of: str | None = None) -> list[Part]:
        return [part for part in self._journal.parts if part.holds is holds and of in (None, part.of)]

    def _write_books(self, schemas: dict[str, dict[str, object]]) -> bool:
        written: list[Part] = []
        tables: dict[str, TableBooks] = {}
        with self._ledger.read() as reading:
            connection = books.snapshot(reading)
            stamp = books.stamp(connection)
            for table in books.TABLES:
                digest = books.Digest()
                for rows in _grouped(books.read_rows(connection, table, int(self._job.id))):
                    digest.add(rows)
                    written.append(self._write_rows(table, rows, len(written)))
                    if not self._job.goes_on():
                        return False
                tables[table.name] = TableBooks(digest.rows, digest.hex())
        head = Head(
            id=_id_for(self._job),
            made_by=version("likewise"),
            created=datetime.now(UTC).isoformat(timespec="seconds"),
            source=f"{self._store.engine} store, {self._settings.home}",
            stamp=stamp,
            ledger_layout=SCHEMA_VERSION,
            tables=tables,
            schemas=schemas,
        )
        self._journal.begin(head, written)
        return True

    def _write_rows(self, table: Table, rows: list[books.Row], number: int) -> Part:
        path = f"ledger/{number + 1:05}-{table.name}.parquet"
        return self._write(Part(path, Holds.ROWS, table.name, len(rows), 0, ""), parts.encode_rows(table, rows))

    def _write_models(self) -> None:
        folder = self._settings.home / MODELS
        have = {part.of for part in self._parts(Holds.FILE)}
        for path in sorted(folder.rglob("*")):
            name = path.relative_to(self._settings.home).as_posix()
            if path.is_file() and not path.is_symlink() and name not in have:
                self._journal.add(self._write(Part(name, Holds.FILE, name, 1, 0, ""), path.read_bytes()))

    def _write_points(self, collection: str) -> Iterator[int]:
        schema = self._store.schema(collection)
        there = self._parts(Holds.POINTS, collection)
        gathered: list[Point] = []
        previews: dict[str, bytes] = {}
        size, number = 0, len(there)

        def write() -> int:
            nonlocal gathered, previews, size, number
            number += 1
            path = f"collections/{collection}/{number:06}.parquet"
            part = Part(path, Holds.POINTS, collection, len(gathered), 0, "", last=gathered[-1].id)
            self._journal.add(self._write(part, parts.encode_points(schema, gathered, previews)))
            gathered, previews, size = [], {}, 0
            return part.count

        for page in pages(self._store, collection, there[-1].last if there else None):
            for point in page:
                preview = read_preview(self._settings, point.payload)
                if preview is not None:
                    previews[point.id] = preview
                gathered.append(point)
                size += point_bytes(point) + len(preview or b"")
            yield write() if size >= PART_BYTES else 0
        if gathered:
            yield write()

    def _write(self, part: Part, data: bytes) -> Part:
        check_space(self._folder, len(data))
        return write_part(self._folder, part, data)

    def _check_space(self) -> None:
        """
        Raises:
            DiskFullError: the backup will not fit, by what a sample of the points takes.
        """
        with self._ledger.read() as connection:
            wanted = ROW_BYTES * connection.execute(select(func.count()).select_from(files)).scalar_one()
        for path in (self._settings.home / MODELS).rglob("*"):
            wanted += path.stat().st_size
        for name in self._store.collections():
            wanted += estimate(self._store, name, self._bytes_of)
        check_space(self._folder, wanted)

    def _bytes_of(self, point: Point) -> int:
        return point_bytes(point) + len(read_preview(self._settings, point.payload) or b"")


def _grouped(pages: Iterator[list[books.Row]]) -> Iterator[list[books.Row]]:
    group: list[books.Row] = []
    for page in pages:
        group += page
        if len(group) >= PART_ROWS:
            yield group
            group = []
    if group:
        yield group


def _id_for(job: TaskRun) -> str:
    return f"{job.id}-{uuid.uuid4()}"


def _is_ours(folder: Path, job: TaskRun) -> bool:
    """The folder holds the backup that this very job has finished."""
    with suppress(BackupError):
        manifest = load_manifest(folder)
        (folder / JOURNAL).unlink(missing_ok=True)
        return manifest.head.id.startswith(f"{job.id}-")
    return False


def _told(manifest: Manifest, folder: Path) -> str:
    records = "1 record" if manifest.points == 1 else f"{manifest.points:,} records"
    return f"{records} in {len(manifest.parts):,} parts, {manifest.bytes / 2**20:,.0f} MiB, in {folder}."
