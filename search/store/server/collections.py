"""Makes, describes, switches and drops collections on a Qdrant server.

Schema, fingerprints and metadata values live in a collection's own metadata, which Qdrant has from version 1.16 on.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple, TypeVar

from qdrant_client import QdrantClient, models
from qdrant_client.http.exceptions import UnexpectedResponse

from search.errors import NotFoundError, SpaceMismatchError
from search.media import COLLECTIONS
from search.settings import Settings
from search.spaces import CollectionSchema, VectorField
from search.store.base import CollectionInfo, Generation
from search.store.generations import GenerationName, filled_otherwise, refuse_to_drop, unfinished
from search.store.payloads import PAYLOAD_INDEXES
from search.store.schemas import check_same_spaces, lacks, no_collection, spaces_to_add, with_added
from search.store.server.errors import server_errors
from search.store.server.layout import add_vector, create
from search.store.server.names import ServerNames
from search.store.server.ready import wait_for_replicas, when_whole
from search.store.server.timing import ALIASES_HELD, BEHIND_SECONDS, COMMIT_SECONDS, DESCRIPTION_HELD

_SCHEMA, _VALUE = "likewise_schema", "likewise_value_"
"""Keys of the collection metadata: the schema, and the prefix of every metadata value."""
_HELD = "likewise_indexing_threshold"
"""Key of the collection metadata while indexing is held back: the ``indexing_threshold`` to go back to."""

_INDEXING_THRESHOLD_KB = 10_000
"""What a server means by no ``indexing_threshold``. Source: its configuration file."""

_NEVER = float("-inf")

_T = TypeVar("_T")


class PhysicalCollection(NamedTuple):
    """A collection on the server, and its spaces."""

    physical: str
    schema: CollectionSchema
    forget: Callable[[], None]


class ServerCollections:
    """The lifecycle half of :class:`~search.store.base.Store` on a server."""

    def __init__(self, client: QdrantClient, settings: Settings) -> None:
        self._client = client
        self._settings = settings
        self._names = ServerNames(client, settings.qdrant_prefix)
        self._schemas: dict[str, CollectionSchema] = {}
        self._described: dict[str, tuple[float, models.CollectionInfo | None]] = {}
        self._changes = 0

    def find(self, collection: str, *, to_write: bool = False) -> PhysicalCollection:
        """Where ``collection``, plain or a generation's name, is kept just now.

        Raises:
            NotFoundError: there is no such collection.
            SpaceMismatchError: it does not say what its vectors are.
        """
        with server_errors(collection):
            physical = self._names.physical(collection, fresh=to_write)
        schema = self._schemas.get(physical) or self._read_schema(collection, physical)
        return PhysicalCollection(physical, schema, lambda: self._forget(physical))

    def find_for(
        self, collection: str, convert: Callable[[CollectionSchema], _T], *, to_write: bool = False
    ) -> tuple[PhysicalCollection, _T]:
        """Where ``collection`` is kept, and what ``convert`` makes of its schema. One that does not fit is read anew
        once: another process may have added a space, or promoted a generation, since.

        Raises:
            NotFoundError: there is no such collection.
            SpaceMismatchError: from ``convert``.
        """
        place = self.find(collection, to_write=to_write)
        try:
            return place, convert(place.schema)
        except SpaceMismatchError:
            place.forget()
            place = self.find(collection, to_write=to_write)
            return place, convert(place.schema)

    def ensure(self, schema: CollectionSchema) -> None:
        name = schema.collection
        with server_errors(name):
            physical = self._names.physical(name, fresh=True)
            made = self._names.current(name) is not None or self._client.collection_exists(physical)
            if not made:
                physical = self._names.made_as(GenerationName(name, 1))
                self._make(physical, schema, {})
            # Read anew: another process may have deleted it and made it again with other models, or be making it now.
            info = when_whole(lambda: self._client.get_collection(physical), _made)
        found = self._schema_in(name, physical, info)
        check_same_spaces(found, schema)
        added = spaces_to_add(found, schema)
        with server_errors(name):
            # Also when the collection was there: its maker may have been killed before the indexes were made.
            self._index_payload(physical, info)
            if added:
                self._add(physical, found, added)
            wait_for_replicas(self._client, physical)
            if self._names.current(name, fresh=True) is None and physical != self._names.physical(name):
                self._names.point_at(name, physical)
        self.touched(physical)

    def collections(self) -> Mapping[str, CollectionInfo]:
        """As of the last ``DESCRIPTION_HELD`` seconds; what this store wrote itself is known at once."""
        found: dict[str, CollectionInfo] = {}
        for name in sorted(COLLECTIONS):
            try:
                with server_errors(name):
                    physical = self._names.physical(name)
                info = self._held(name, physical, DESCRIPTION_HELD)
            except NotFoundError:
                continue
            found[name] = CollectionInfo(
                self._schema_in(name, physical, info), info.points_count or 0, info.indexed_vectors_count or 0
            )
        return found

    def metadata(self, collection: str) -> Mapping[str, Any]:
        """As of the last ``ALIASES_HELD`` seconds; what this store wrote itself is known at once."""
        place = self.find(collection)
        return _values(self._held(collection, place.physical, ALIASES_HELD).config.metadata or {})

    def set_metadata(self, collection: str, values: Mapping[str, Any]) -> None:
        place = self.find(collection, to_write=True)
        # The server merges the keys, whole values at a time; a null removes the key.
        named = {_VALUE + key: value for key, value in values.items()}
        self._update(collection, place, metadata=named)

    def hold_indexing(self, collection: str, *, held: bool) -> None:
        place = self.find(collection, to_write=True)
        config = self._info(collection, place).config
        remembered = (config.metadata or {}).get(_HELD)
        if remembered is None and not held:
            return
        usual = config.optimizer_config.indexing_threshold if remembered is None else remembered
        if usual is None:
            usual = _INDEXING_THRESHOLD_KB
        if held:  # The server remembers what to go back to from before it is changed.
            self._update(collection, place, metadata={_HELD: usual})
        # Both in one request: a release that races with a new hold leaves no threshold that is not remembered.
        self._update(
            collection,
            place,
            optimizers_config=models.OptimizersConfigDiff(indexing_threshold=0 if held else usual),
            metadata={_HELD: usual if held else None},
        )

    def is_indexing_held(self, collection: str) -> bool:
        place = self.find(collection)
        return (self._info(collection, place).config.metadata or {}).get(_HELD) is not None

    def begin_generation(self, schema: CollectionSchema) -> str:
        """
        Raises:
            UsageError: a generation with another schema is being filled.
        """
        name = schema.collection
        begun = unfinished(self.generations(name), schema)
        if begun is None:
            metadata = self._info(name, self.find(name, to_write=True)).config.metadata or {}
            values = {key: value for key, value in metadata.items() if key.startswith(_VALUE)}
            with server_errors(name):
                # The next number after all there are, including collections of such names that are not of Likewise.
                newest = max(self._names.among(self._present(), name))
                begun = str(newest._replace(number=newest.number + 1))
                self._make(self._names.physical(begun), schema, values)
        with server_errors(begun):
            physical = self._names.physical(begun)
            info = when_whole(lambda: self._client.get_collection(physical), _made)
        if self._schema_in(begun, physical, info).by_name != schema.by_name:  # made by another process just now
            raise filled_otherwise(begun)
        with server_errors(begun):
            self._index_payload(physical, info)
            wait_for_replicas(self._client, physical)
        self.touched(physical)
        return begun

    def generations(self, collection: str) -> tuple[Generation, ...]:
        self.find(collection)
        with server_errors(collection):
            current = self._names.physical(collection, fresh=True)
            present = self._present()
        made = []
        for name, physical in self._names.among(present, collection).items():
            try:
                with server_errors(str(name)):
                    info = self._client.get_collection(physical)
            except NotFoundError:  # dropped just now, or the node that answers lags behind the one that listed it
                continue
            if _SCHEMA in (info.config.metadata or {}):  # else it was not made by Likewise
                schema = self._schema_in(str(name), physical, info)
                made.append(Generation(str(name), schema, info.points_count or 0, current=physical == current))
        return tuple(made)

    def promote(self, generation: str) -> None:
        name = GenerationName.demand(generation)
        place = self.find(generation, to_write=True)
        with server_errors(generation):
            # It may have been made by a version that had fewer indexes.
            self._index_payload(place.physical, self._describe(place.physical))
            if self._names.physical(name.collection) != place.physical:
                self._names.point_at(name.collection, place.physical)

    def drop_generation(self, generation: str) -> None:
        """
        Raises:
            UsageError: it is the current one.
        """
        name = GenerationName.demand(generation)
        try:
            place = self.find(generation, to_write=True)
        except NotFoundError:
            place = None
        with server_errors(generation):
            if place is not None:
                if place.physical == self._names.physical(name.collection):
                    raise refuse_to_drop(name)
                self._client.delete_collection(place.physical, timeout=COMMIT_SECONDS)
                place.forget()
            self._names.restore_alias(name.collection)

    def _present(self) -> list[str]:
        return [described.name for described in self._client.get_collections().collections]

    def _make(self, physical: str, schema: CollectionSchema, values: Mapping[str, Any]) -> None:
        try:
            create(self._client, physical, schema, self._settings, {_SCHEMA: schema.to_json(), **values})
        except UnexpectedResponse as error:
            # Another process has just made it. Servers before 1.9 answer 400.
            if error.status_code != 409 and b"already exists" not in error.content:
                raise

    def _add(self, physical: str, schema: CollectionSchema, fields: Sequence[VectorField]) -> None:
        """Add spaces to a collection. The schema that says so is written last; a vector that is there by then already,
        as another process was killed on the way, is the same one."""
        for field in fields:
            try:
                add_vector(self._client, physical, field, self._settings)
            except UnexpectedResponse as error:
                if error.status_code in (404, 405):
                    raise lacks(schema, field, "which a Qdrant server can be given from version 1.18 on") from error
                raise
        extended = with_added(schema, fields)
        self._client.update_collection(physical, metadata={_SCHEMA: extended.to_json()}, timeout=COMMIT_SECONDS)
        self._schemas[physical] = extended

    def _index_payload(self, physical: str, info: models.CollectionInfo) -> None:
        for key, index in PAYLOAD_INDEXES.items():
            if key not in info.payload_schema:
                kind = models.PayloadSchemaType(index.value)
                when_whole(partial(self._client.create_payload_index, physical, key, kind, wait=True), _made)

    def touched(self, physical: str) -> None:
        """Ask anew how many points a collection has, and what is kept with it: this store has just changed that."""
        self._changes += 1
        self._described.pop(physical, None)

    def _held(self, collection: str, physical: str, seconds: float) -> models.CollectionInfo:
        """The description of a collection, no older than that. That there is none, or that it is empty, is held as long
        as aliases are: questions leave it out."""
        now = time.monotonic()
        read_at, info = self._described.get(physical, (_NEVER, None))
        if now - read_at < (seconds if info and info.points_count else min(seconds, ALIASES_HELD)):
            if info is None:
                raise no_collection(collection)
            return info
        try:
            with server_errors(collection, (lambda: self._forget(physical)) if info else None):
                return self._describe(physical)
        except NotFoundError:
            self._described[physical] = (now, None)
            raise

    def _describe(self, physical: str) -> models.CollectionInfo:
        """The description of a collection, as the server gives it now; it may have been made just now."""
        read_at, changes = time.monotonic(), self._changes
        info = self.ask(physical, lambda: self._client.get_collection(physical))
        if changes == self._changes:  # else it may be of before a change
            self._described[physical] = (read_at, info)
        return info

    def ask(self, physical: str, call: Callable[[], _T]) -> _T:
        """What a request about a collection gives; of one that is current and was made just now, also where a node does
        not know it yet."""
        return when_whole(call, lambda: self._names.is_current(physical), BEHIND_SECONDS)

    def _update(self, collection: str, place: PhysicalCollection, **changes: Any) -> None:
        try:
            with server_errors(collection, place.forget):
                self._client.update_collection(place.physical, timeout=COMMIT_SECONDS, **changes)
        finally:
            self.touched(place.physical)

    def _info(self, collection: str, place: PhysicalCollection) -> models.CollectionInfo:
        with server_errors(collection, place.forget):
            return self._describe(place.physical)

    def _read_schema(self, collection: str, physical: str) -> CollectionSchema:
        with server_errors(collection, lambda: self._forget(physical)):
            info = self._describe(physical)
        return self._schema_in(collection, physical, info)

    def _schema_in(self, collection: str, physical: str, info: models.CollectionInfo) -> CollectionSchema:
        stored = (info.config.metadata or {}).get(_SCHEMA)
        if stored is None:
            raise SpaceMismatchError(
                f"Collection '{collection}' on the Qdrant server does not say what its vectors are.",
                "It was not made by Likewise (set LIKEWISE_QDRANT_PREFIX to keep clear of it), or the server is older "
                "than Qdrant 1.16.",
            )
        schema = self._schemas[physical] = CollectionSchema.from_json(stored)
        return schema

    def _forget(self, physical: str) -> None:
        self._schemas.pop(physical, None)
        self._described.pop(physical, None)
        self._names.forget()


def _made() -> bool:
    """Of a collection that was made, by whatever process: a node that does not know it is behind."""
    return True


def _values(metadata: Mapping[str, Any]) -> Mapping[str, Any]:
    return {
        key.removeprefix(_VALUE): value
        for key, value in metadata.items()
        if key.startswith(_VALUE) and value is not None
    }
