"""One collection of the embedded store on disk: a Qdrant Edge shard and its metadata file.

    collections/images/
        metadata.json     schema with fingerprints, values of set_metadata, and the name of the shard folder in use
        shard-7/          the engine's own files

A new shard folder takes effect when ``metadata.json`` is replaced to name it: one atomic rename, so a process may be
killed at any moment. Folders that the file does not name are leftovers and are removed on open.
"""

from __future__ import annotations

import copy
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import qdrant_edge as qdrant

from search.errors import StoreDamagedError, StoreError
from search.spaces import CollectionSchema, VectorField
from search.store.durable import (
    LAYOUT,
    back_holes,
    check_space,
    copy_sparse,
    engine_errors,
    failure,
    quick_folder,
    read_json,
    size_on_disk,
    sync,
    sync_tree,
    write_json,
)
from search.store.edge import layout, optimise
from search.store.edge.changes import Changes
from search.store.schemas import with_added

_METADATA = "metadata.json"
_LAYOUT = 1
"""How ``metadata.json`` is laid out; files of version 0.1.0, which do not say, are of layout 1."""

_WRITTEN = "written"
"""Key of the metadata: points written or edited, not deleted, between the last optimisation and when it was saved."""
_FLUSH_EVERY = 5_000
"""Points written between flushes. The write-ahead log keeps every write until then and is replayed on open."""

_REPLAY_CHUNK = 256

REMOVED = ".removed"
"""What the name of a collection's folder ends with while it is deleted."""


class LiveShard:
    """An open shard that can be replaced under its readers.

    Three locks, always taken in this order: ``_optimising`` (one optimiser at a time), ``_writes`` (one writer at a
    time; also held while the shard is copied) and ``_engine`` (around every engine call, so that no thread uses a shard
    while it is exchanged; the engine holds the GIL during a call anyway, so this costs no parallelism).
    """

    def __init__(self, folder: Path) -> None:
        """Open the collection in ``folder``, finishing or undoing what a killed process left half done.

        Raises:
            SpaceMismatchError: the metadata contradicts itself.
            StoreDamagedError: the metadata or the shard cannot be read.
            StoreError: a later version has written it.
        """
        self.folder = folder
        self._optimising, self._writes, self._engine = threading.Lock(), threading.RLock(), threading.RLock()
        self._dirty: set[str] | None = None
        self._child: subprocess.Popen[str] | None = None
        self._closed = self._stopping = False
        self._unflushed = 0
        self._unoptimised_writes = True
        self._counts: tuple[int, int] | None = None
        self.changes = Changes()
        with opening(folder):
            state = read_json(folder / _METADATA, _LAYOUT)
            self._written = self._written_there = int(state.get(_WRITTEN, 0))
            self._copied = 0
            self.schema = CollectionSchema.from_json(state["schema"])
            self._values: dict[str, Any] = state["values"]
            self._current = folder / str(state["shard"])
            _remove_leftovers(folder, keep=self._current)
            self._shard = _load(self._current)

    @staticmethod
    def exists(folder: Path) -> bool:
        return (folder / _METADATA).is_file()

    @staticmethod
    def has_points(folder: Path) -> bool:
        """Whether a folder holds points, also one without metadata; the engine makes these files with the first one."""
        return any(folder.glob("shard-*/segments/*/*id_tracker*"))

    @classmethod
    def create(cls, folder: Path, schema: CollectionSchema, values: Mapping[str, Any] | None = None) -> LiveShard:
        """Make an empty collection with its payload indexes (and metadata values) and open it.

        The engine synchronises some 170 files one by one while it makes the indexes, which takes seconds on a busy
        disk; so the shard is made in memory, copied, and synchronised once.
        """
        folder.mkdir(parents=True, exist_ok=True)
        check_space(folder)
        first = folder / "shard-1"
        with engine_errors(folder):
            _remove_leftovers(folder, keep=None)
            with quick_folder(folder) as quick:
                made = quick / first.name
                shard = qdrant.EdgeShard.create(str(made), layout.edge_config(schema))
                for operation in layout.edge_indexes():
                    shard.update(operation)
                shard.flush()
                shard.close()
                copy_sparse(made, first)
            sync_tree(first)
            write_json(
                folder / _METADATA,
                {LAYOUT: _LAYOUT, "schema": schema.to_json(), "shard": first.name, "values": dict(values or {})},
            )
        return cls(folder)

    @contextmanager
    def reading(self) -> Iterator[qdrant.EdgeShard]:
        """The engine's shard, for one call."""
        with self._engine, engine_errors(self.folder):
            self._check_open()
            yield self._shard

    @contextmanager
    def writing(self, ids: Iterable[str], *, deleting: bool = False) -> Iterator[qdrant.EdgeShard]:
        """The engine's shard, for a write to the points ``ids``, or for deleting them.

        Raises:
            DiskFullError: too little space is left to be sure that the write can be finished.
        """
        touched = list(ids)
        with self._writes:
            check_space(self.folder)
            with self.reading() as shard:
                if self._dirty is not None:
                    self._dirty.update(touched)
                self._unoptimised_writes, self._counts = True, None
                self.changes.note(touched)
                yield shard
                self._unflushed += len(touched)
                self._written += 0 if deleting else len(touched)
                if self._unflushed >= _FLUSH_EVERY:
                    self._flush()

    def counts(self) -> tuple[int, int]:
        """Points, and vectors under an index; known without a lock until something is written."""
        self._check_open()
        if (counts := self._counts) is None:
            with self.reading() as shard:
                info = shard.info()
                counts = self._counts = info.points_count, info.indexed_vectors_count
        return counts

    def _flush(self) -> None:
        self._shard.flush()
        self._unflushed = 0
        if self._written != self._written_there:
            # It is only an estimate of when to optimise, so a full disk may keep it from being written.
            with suppress(OSError):
                self._commit(self._current, self._values)

    def values(self) -> dict[str, Any]:
        """A copy of the metadata values."""
        with self._engine:
            return copy.deepcopy(self._values)

    def set_values(self, values: Mapping[str, Any]) -> None:
        """Merge into the metadata values, durably; None removes a key."""
        with self._writes, engine_errors(self.folder):
            self._check_open()
            merged = {key: value for key, value in {**self._values, **values}.items() if value is not None}
            self._commit(self._current, merged)

    def add_spaces(self, fields: Sequence[VectorField]) -> None:
        """Let points hold vectors of further spaces too; until they do, they lack them.

        Killed on the way, the metadata does not know the spaces yet, and adding them again finds them as they are.
        """
        extended = with_added(self.schema, fields)
        config = layout.edge_config(extended)
        with self._no_optimiser(), self._writes, self._engine, engine_errors(self.folder):
            self._check_open()
            check_space(self.folder)
            for operation in layout.edge_additions(fields):
                self._shard.update(operation)
            # What is not part of a vector's definition, such as having no graph, is given when a shard is opened.
            self._shard.flush()
            self._shard.close()
            self._shard, self._counts = _load(self._current, config), None
            self._commit(self._current, self._values, extended)

    def add_payload_indexes(self) -> None:
        """Give a shard of a version before the payload indexes that it lacks, of what its points hold already."""
        with self.reading() as shard:
            missing = layout.edge_indexes(shard.info().payload_schema)
        if not missing:
            return
        # The copy that an optimiser is at would come without them.
        with self._no_optimiser(), self._writes, engine_errors(self.folder):
            self._check_open()
            check_space(self.folder)
            for operation in missing:
                with self.reading() as shard:
                    shard.update(operation)
            with self._engine:
                self._shard.flush()

    def optimise(self) -> bool:
        """Index a copy in a child process and take its place; writes made meanwhile are carried over.

        Returns:
            False when there was nothing worth doing, another thread is at it, or it was stopped (the store was closed,
            or a space or a payload index added).
        """
        if not self._optimising.acquire(blocking=False):
            return False
        replacement = self.folder / f"shard-{int(self._current.name.removeprefix('shard-')) + 1}"
        try:
            with engine_errors(self.folder):
                if not self._copy_to(replacement):
                    return False
                if not self._run_child(replacement):
                    return False
                self._replace_by(replacement)
                return True
        except StoreError:
            if self._stopping:
                return False
            raise
        finally:
            self._dirty = None
            if self._current != replacement:
                shutil.rmtree(replacement, ignore_errors=True)
            self._optimising.release()

    def close(self) -> None:
        """Flush and let go; may be called again. An optimiser in another thread is stopped and gives up."""
        if self._closed:
            return
        self._closed = True
        with self._no_optimiser(), self._writes, self._engine, engine_errors(self.folder):
            self._flush()
            self._shard.close()

    def destroy(self) -> None:
        """Close and delete it. After a kill half-way, the folder is no collection any more."""
        self.close()
        doomed = self.folder.with_name(self.folder.name + REMOVED)
        with engine_errors(self.folder):
            self.folder.rename(doomed)
            sync(doomed.parent)
            shutil.rmtree(doomed)

    @contextmanager
    def _no_optimiser(self) -> Iterator[None]:
        """Stop the optimiser of another thread, which then gives up, and let no other begin."""
        self._stopping = True
        if self._child is not None:
            self._child.kill()
        with self._optimising:
            self._stopping = self._closed
            yield

    def _check_open(self) -> None:
        if self._closed:
            raise StoreError(f"The store in '{self.folder}' has been closed.")

    def _copy_to(self, target: Path) -> bool:
        with self._writes:
            with self.reading() as shard:
                if not self._unoptimised_writes or not layout.worth_optimising(shard, self.schema, self._written):
                    return False
                shard.flush()
                self._copied = self._written
            # The copy, then the copy with its index: about as much again as the shard takes, twice.
            check_space(self.folder, 2 * size_on_disk(self._current))
            copy_sparse(self._current, target)
            self._dirty = set()
            return True

    def _run_child(self, target: Path) -> bool:
        command = [sys.executable, "-P", str(Path(optimise.__file__).resolve()), str(target)]
        self._child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        try:
            if self._stopping:
                self._child.kill()
            _, complaint = self._child.communicate()
            status = self._child.returncode
        finally:
            self._child = None
        if self._stopping:
            return False
        if status == optimise.NOTHING_TO_DO:
            with self._writes:
                self._unoptimised_writes = bool(self._dirty)
                self._written -= self._copied
            return False
        if status != optimise.BUILT:
            raise failure(self.folder, complaint or f"the optimiser ended with status {status}")
        return True

    def _replace_by(self, target: Path) -> None:
        replacement = _load(target)
        # Most of what was written meanwhile is carried over while writers go on; the rest while they wait.
        with self._writes:
            changed, self._dirty = self._dirty or set(), set()
        self._carry_over(changed, replacement)
        with self._writes:
            changed = self._dirty or set()
            self._carry_over(changed, replacement)
            replacement.flush()
            with self._engine:
                self._check_open()
                old, old_folder = self._shard, self._current
                self._commit(target, self._values)
                self._written -= self._copied
                self._shard, self._counts = replacement, None
                self._unflushed = 0
                self._unoptimised_writes = False
                old.close()
        shutil.rmtree(old_folder, ignore_errors=True)

    def _carry_over(self, ids: set[str], replacement: qdrant.EdgeShard) -> None:
        """Give ``replacement`` the present state of the points ``ids``."""
        waiting = sorted(ids)
        for start in range(0, len(waiting), _REPLAY_CHUNK):
            chunk = waiting[start : start + _REPLAY_CHUNK]
            with self.reading() as shard:
                records = shard.retrieve(list(chunk), True, True)
            found = {str(record.id) for record in records}
            points = [qdrant.Point(record.id, record.vector or {}, record.payload) for record in records]
            gone = [id_ for id_ in chunk if id_ not in found]
            if points:
                replacement.update(qdrant.UpdateOperation.upsert_points(points))
            if gone:
                replacement.update(qdrant.UpdateOperation.delete_points(list(gone)))

    def _commit(self, current: Path, values: dict[str, Any], schema: CollectionSchema | None = None) -> None:
        schema = schema or self.schema
        written = self._written
        described = {LAYOUT: _LAYOUT, "schema": schema.to_json(), "shard": current.name, "values": values}
        write_json(self.folder / _METADATA, described | {_WRITTEN: written})
        with self._engine:
            self.schema, self._current, self._values, self._written_there = schema, current, values, written


@contextmanager
def opening(folder: Path) -> Iterator[None]:
    """Turn what goes wrong while a collection is opened into an error that says what is lost.

    Raises:
        StoreDamagedError: its files cannot be read.
        LikewiseError: as it is raised within, where that says more.
    """
    try:
        with engine_errors(folder):
            yield
    except StoreError as error:
        cause = error.__cause__  # what the engine or the file system raised
        if type(error) is StoreError and cause is not None and not isinstance(cause, PermissionError):
            raise damaged(folder, error.message) from error
        raise


def damaged(folder: Path, reason: str) -> StoreDamagedError:
    """The error for a collection that cannot be opened."""
    return StoreDamagedError(
        f"The collection in '{folder}' is damaged: {reason.rstrip('.')}. Its records and vectors cannot be read; "
        "the ledger, previews and other collections are not concerned.",
        "Restore a backup into a new data directory (`likewise restore DIR --home NEW`), or move that folder out of "
        "the data directory and run `likewise ingest` again for the same folders: their files are embedded anew, and "
        "jobs and photographers' names are kept.",
    )


def _load(folder: Path, *config: Any) -> qdrant.EdgeShard:
    """Open a shard in the engine, which maps all its files and reads some."""
    back_holes(folder / "segments")
    return qdrant.EdgeShard.load(str(folder), *config)


def _remove_leftovers(folder: Path, keep: Path | None) -> None:
    for entry in folder.glob("shard-*"):
        if entry != keep:
            shutil.rmtree(entry)
    (folder / (_METADATA + ".partial")).unlink(missing_ok=True)
