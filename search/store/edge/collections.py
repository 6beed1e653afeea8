"""Holds the open collections of the embedded store and their generations on disk.

    collections/
        generations.json   {"layout": 1, "images": 2}: the current generation of each collection that was ever made anew
        images/            generation 1
        images.2/          generation 2

``generations.json`` is replaced in one atomic rename, so that a process may be killed at any moment. A folder whose
name ends in ``.removed`` is a removal that was cut short, one without metadata a creation, or a removal by a version
before; but a current generation that has points has metadata, unless it is damaged.
"""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

from search.errors import StoreDamagedError
from search.media import COLLECTIONS
from search.spaces import CollectionSchema
from search.store.base import Generation
from search.store.durable import LAYOUT, engine_errors, read_json, write_json
from search.store.edge.shard import REMOVED, LiveShard, damaged, opening
from search.store.generations import GenerationName, refuse_to_drop, unfinished
from search.store.schemas import check_same_spaces, no_collection, spaces_to_add

_CURRENT = "generations.json"
_LAYOUT = 1
"""How it is laid out; files of version 0.1.0, which do not say, are of layout 1."""


class EdgeCollections:
    """Every open shard by the generation it is. The directory's lock is the caller's to hold."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._changing = threading.Lock()
        self._shards: dict[GenerationName, LiveShard] = {}
        self._current: dict[str, int] = {}

    def open(self) -> None:
        """Open what is there, and clear away what a killed process left half removed.

        Raises:
            StoreDamagedError: files of a collection are damaged or have gone; those opened before stay open.
            SpaceMismatchError, StoreError: a collection cannot be opened for another reason.
        """
        with engine_errors(self._root):
            if (self._root / _CURRENT).is_file():
                self._current = self._read_current()
            (self._root / (_CURRENT + ".partial")).unlink(missing_ok=True)
            for folder in sorted(self._root.glob("*")):
                if folder.name.endswith(REMOVED):
                    shutil.rmtree(folder)
                    continue
                name = GenerationName.read(folder.name) or GenerationName(folder.name, 1)
                if name.collection not in COLLECTIONS:
                    continue
                if LiveShard.exists(folder):
                    self._shards[name] = LiveShard(folder)
                    with opening(folder):
                        self._shards[name].add_payload_indexes()  # of an older version
                elif name == self._current_of(name.collection) and LiveShard.has_points(folder):
                    raise damaged(folder, "its metadata.json has gone")
                elif folder.is_dir():
                    shutil.rmtree(folder)

    def _read_current(self) -> dict[str, int]:
        path = self._root / _CURRENT
        try:
            return read_json(path, _LAYOUT)
        except ValueError as error:
            raise StoreDamagedError(
                f"'{path}' is damaged: {error}. It says which generation of a collection questions go to; nothing else "
                "is lost.",
                'Write it anew: {"layout": 1, "images": 2} says that of the folders beside it `images.2` is in use; '
                "or restore a backup into a new data directory (`likewise restore DIR --home NEW`).",
            ) from error

    def at(self, collection: str) -> LiveShard:
        """The shard of a collection, or of a generation, by its name.

        Raises:
            NotFoundError: there is none.
        """
        live = self._shards.get(GenerationName.read(collection) or self._current_of(collection))
        if live is None:
            raise no_collection(collection)
        return live

    def current(self) -> list[tuple[str, LiveShard]]:
        """The collections that questions go to, with their names, in order of those."""
        return [
            (name.collection, live)
            for name, live in sorted(self._shards.items())
            if name == self._current_of(name.collection)
        ]

    def everything(self) -> Iterator[LiveShard]:
        yield from self._shards.values()

    def ensure(self, schema: CollectionSchema) -> None:
        with self._changing:
            name = self._current_of(schema.collection)
            live = self._shards.get(name)
            if live is None:
                self._add(name, LiveShard.create(self._folder(name), schema))
            else:
                check_same_spaces(live.schema, schema)
                added = spaces_to_add(live.schema, schema)
                if added:
                    live.add_spaces(added)

    def generations(self, collection: str) -> tuple[Generation, ...]:
        current = self.at(collection)
        made = []
        for name, live in sorted(self._shards.items()):
            if name.collection == collection:
                with live.reading() as shard:
                    points = shard.info().points_count
                made.append(Generation(str(name), live.schema, points, current=live is current))
        return tuple(made)

    def begin_generation(self, schema: CollectionSchema) -> str:
        with self._changing:
            existing = self.generations(schema.collection)
            begun = unfinished(existing, schema)
            if begun is None:
                newest = GenerationName.demand(existing[-1].name)
                name = newest._replace(number=newest.number + 1)
                values = self.at(schema.collection).values()
                self._add(name, LiveShard.create(self._folder(name), schema, values))
                begun = str(name)
            return begun

    def promote(self, generation: str) -> None:
        name = GenerationName.demand(generation)
        with self._changing:
            self.at(generation)
            current = {**self._current, name.collection: name.number}
            with engine_errors(self._root):
                write_json(self._root / _CURRENT, {LAYOUT: _LAYOUT, **current})
            self._current = current

    def drop_generation(self, generation: str) -> None:
        """
        Raises:
            UsageError: it is the current one.
        """
        name = GenerationName.demand(generation)
        with self._changing:
            if name == self._current_of(name.collection):
                raise refuse_to_drop(name)
            doomed = self._shards.get(name)
            if doomed is not None:
                self._shards = {other: live for other, live in self._shards.items() if other != name}
                doomed.destroy()

    def _current_of(self, collection: str) -> GenerationName:
        return GenerationName(collection, self._current.get(collection, 1))

    def _folder(self, name: GenerationName) -> Path:
        return self._root / (name.collection if name.number == 1 else str(name))

    def _add(self, name: GenerationName, live: LiveShard) -> None:
        # Replaced, never changed: other threads go through it without a lock.
        self._shards = {**self._shards, name: live}
