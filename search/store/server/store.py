"""The store on a Qdrant server or cluster: points and queries, through qdrant-client."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import islice
from typing import Any, TypeVar

from qdrant_client import QdrantClient, models

from search.media import Payload
from search.settings import Settings
from search.spaces import CollectionSchema
from search.store import checksums
from search.store.answers import MMR_CANDIDATES, engine_queries, joined, scored
from search.store.base import (
    Array,
    CollectionInfo,
    Facet,
    Generation,
    PayloadChoice,
    Point,
    ScoredHit,
    StoredPoint,
    VectorQuery,
)
from search.store.conditions import following_id, valid_ids
from search.store.filters import Filter
from search.store.payloads import check_facet_key, check_order, counted, from_stored, group_patches
from search.store.server.collections import PhysicalCollection, ServerCollections
from search.store.server.errors import PointGoneError, server_errors
from search.store.server.filters import server_filter
from search.store.server.layout import search_params
from search.store.server.timing import ANSWER_SECONDS
from search.store.vectors import as_stored, asked_vectors, from_engine, numbers_in, query_vector, to_engine

_T = TypeVar("_T")

_REQUEST_FLOATS = 500_000
"""Vector components in one request: about 11 MB as JSON, where a server takes 32 MB by default
(``service.max_request_size_mb``)."""

_REQUEST_POINTS = 500
_REQUEST_IDS = 10_000
"""Ids in one request: about 0.4 MB."""

_ANSWER_FLOATS = 2_000_000
"""Vector components asked for in one request, as far as can be told beforehand: about 40 MB as JSON."""

_EDITS = 5
"""How often an edit is tried when others delete what it is about."""


def connect(settings: Settings) -> ServerStore:
    """A store on the server that the settings name.

    Raises:
        StoreUnavailableError: the server does not answer.
        StoreError: it refuses us.
    """
    key = settings.qdrant_api_key.get_secret_value() if settings.qdrant_api_key else None
    client = QdrantClient(
        url=settings.qdrant_url, api_key=key, timeout=ANSWER_SECONDS, check_compatibility=False, prefer_grpc=False
    )
    store = ServerStore(client, settings)
    store.collections()
    return store


class ServerStore:
    """The :class:`~search.store.base.Store` behind a client; ``QdrantClient(":memory:")`` is its double in tests."""

    def __init__(self, client: QdrantClient, settings: Settings | None = None) -> None:
        """Take over ``client``: :meth:`close` closes it."""
        self._client = client
        self._settings = settings or Settings.model_validate({})
        self._collections = ServerCollections(client, self._settings)

    @property
    def engine(self) -> str:
        return "server"

    def ensure(self, schema: CollectionSchema) -> None:
        self._collections.ensure(schema)

    def collections(self) -> Mapping[str, CollectionInfo]:
        return self._collections.collections()

    def schema(self, collection: str) -> CollectionSchema:
        return self._collections.find(collection).schema

    def upsert(self, collection: str, points: Sequence[Point]) -> None:
        if not points:
            self._collections.find(collection, to_write=True)
        for chunk in _requests((point, point.vectors) for point in points):
            place, structs = self._collections.find_for(collection, partial(_structs, chunk), to_write=True)
            self._ask(collection, place, partial(self._client.upsert, place.physical, structs, wait=True))

    def update_vectors(self, collection: str, vectors: Mapping[str, Mapping[str, Array]]) -> None:
        def convert(schema: CollectionSchema) -> dict[str, dict[str, Array]]:
            return {id_: as_stored(schema, named) for id_, named in vectors.items()}

        place, stored = self._collections.find_for(collection, convert, to_write=True)
        sums = checksums.vector_patches(place.schema, stored)

        def edit(existing: Sequence[str]) -> None:
            for ids in _requests((id_, stored[id_]) for id_ in existing):
                edits = [
                    models.PointVectors(id=id_, vector=to_engine(place.schema, stored[id_], _sparse)) for id_ in ids
                ]
                # Killed in between, the vectors are unproven, not damaged.
                self._patch(place, checksums.without(sums, ids))
                self._client.update_vectors(place.physical, edits, wait=True)
                self._patch(place, {id_: sums[id_] for id_ in ids})

        self._edit_existing(collection, place, valid_ids(vectors), edit)

    def patch_payload(self, collection: str, patches: Mapping[str, Payload]) -> None:
        place = self._collections.find(collection, to_write=True)

        def edit(existing: Sequence[str]) -> None:
            wanted = {id_: patches[id_] for id_ in existing}
            if changing := checksums.changing_facts(wanted):
                records = self._client.retrieve(place.physical, changing, with_payload=checksums.facts_keys())
                wanted = checksums.with_facts_checksums(wanted, [(str(each.id), each.payload) for each in records])
            self._patch(place, wanted)

        for ids in _slices(valid_ids(patches), _REQUEST_IDS):
            self._edit_existing(collection, place, ids, edit)

    def delete(self, collection: str, ids: Sequence[str]) -> None:
        place = self._collections.find(collection, to_write=True)
        for doomed in _slices(valid_ids(ids), _REQUEST_IDS):
            points = models.PointIdsList(points=list(doomed))
            self._ask(collection, place, partial(self._client.delete, place.physical, points, wait=True))

    def retrieve(
        self, collection: str, ids: Sequence[str], *, vectors: Sequence[str] = (), payload: PayloadChoice = True
    ) -> list[StoredPoint]:
        place, names = self._collections.find_for(collection, lambda schema: asked_vectors(schema, vectors))
        found = {point.id: point for point in self._fetch(collection, place, ids, names, payload)}
        return [found[id_] for id_ in ids if id_ in found]

    def query(self, collection: str, queries: Sequence[VectorQuery]) -> list[list[ScoredHit]]:
        if not queries:
            return []
        place, vectors = self._collections.find_for(
            collection, lambda schema: [query_vector(schema, query, _sparse) for query in queries]
        )
        found: list[list[ScoredHit]] = []
        asked = [
            (part, vector) for query, vector in zip(queries, vectors, strict=True) for part in engine_queries(query)
        ]
        for some in _requests((one, {one[0].space.name: one[0].vector}) for one in asked):
            requests = [
                models.QueryRequest(
                    query=_diverse(vector, query.diversity),
                    using=query.space.name,
                    limit=query.limit,
                    filter=server_filter(query.where),
                    params=search_params(self._settings, exact=query.exact, ef=query.ef),
                    with_payload=_selected(query.with_payload),
                )
                for query, vector in some
            ]
            answers = self._ask(collection, place, partial(self._client.query_batch_points, place.physical, requests))
            found += [scored(query, answer.points) for (query, _), answer in zip(some, answers, strict=True)]
        return joined(queries, found)

    def scroll(
        self,
        collection: str,
        *,
        where: Filter | None = None,
        vectors: Sequence[str] = (),
        payload: PayloadChoice = True,
        page: int = 1000,
        after: str | None = None,
    ) -> Iterator[StoredPoint]:
        place, names = self._collections.find_for(collection, lambda schema: asked_vectors(schema, vectors))
        condition = server_filter(where)
        offset: Any = following_id(after) if after else None
        limit = min(page, self._points_in_answer(place.schema, names))
        while True:
            page_after = partial(
                self._client.scroll,
                place.physical,
                scroll_filter=condition,
                limit=limit,
                offset=offset,
                with_payload=_selected(payload),
                with_vectors=names or False,
            )
            records, offset = self._ask(collection, place, page_after)
            yield from (_point(place.schema, record) for record in records)
            if offset is None:
                return

    def ordered(
        self,
        collection: str,
        key: str,
        *,
        descending: bool = False,
        where: Filter | None = None,
        payload: PayloadChoice = True,
        limit: int,
    ) -> list[StoredPoint]:
        check_order(key, limit)
        place = self._collections.find(collection)
        direction = models.Direction.DESC if descending else models.Direction.ASC
        condition = server_filter(where)
        first = partial(
            self._client.scroll,
            place.physical,
            scroll_filter=condition,
            limit=limit,
            order_by=models.OrderBy(key=key, direction=direction),
            with_payload=_selected(payload),
            with_vectors=False,
        )
        records, _ = self._ask(collection, place, first)
        return [_point(place.schema, record) for record in records]

    def count(self, collection: str, where: Filter | None = None) -> int:
        place = self._collections.find(collection)
        condition = server_filter(where)
        return self._ask(collection, place, partial(self._client.count, place.physical, condition, exact=True)).count

    def facet(self, collection: str, key: str, *, where: Filter | None = None, limit: int = 50) -> list[Facet]:
        check_facet_key(key)
        place = self._collections.find(collection)
        condition = server_filter(where)
        ask = partial(self._client.facet, place.physical, key, facet_filter=condition, limit=limit, exact=True)
        return counted((str(hit.value), hit.count) for hit in self._ask(collection, place, ask).hits)

    def sample(self, collection: str, space: str, n: int) -> list[StoredPoint]:
        holding = Filter(has_space=space, include_missing=True)
        found = self.scroll(collection, where=holding, vectors=[space], payload=False, page=max(1, n))
        return list(islice(found, n))

    def metadata(self, collection: str) -> Mapping[str, Any]:
        return self._collections.metadata(collection)

    def set_metadata(self, collection: str, values: Mapping[str, Any]) -> None:
        self._collections.set_metadata(collection, values)

    def optimise(self, collection: str) -> bool:
        """Nothing to do here: a server indexes by itself, in the background, once a segment is large enough."""
        self._collections.find(collection)
        return False

    def hold_indexing(self, collection: str, *, held: bool) -> None:
        self._collections.hold_indexing(collection, held=held)

    def is_indexing_held(self, collection: str) -> bool:
        return self._collections.is_indexing_held(collection)

    def begin_generation(self, schema: CollectionSchema) -> str:
        return self._collections.begin_generation(schema)

    def generations(self, collection: str) -> tuple[Generation, ...]:
        return self._collections.generations(collection)

    def promote(self, generation: str) -> None:
        self._collections.promote(generation)

    def drop_generation(self, generation: str) -> None:
        self._collections.drop_generation(generation)

    def close(self) -> None:
        self._client.close()

    def _ask(self, collection: str, place: PhysicalCollection, call: Callable[[], _T]) -> _T:
        """What a request about a collection gives, in Likewise's errors."""
        with server_errors(collection, place.forget):
            return self._collections.ask(place.physical, call)

    def _edit_existing(
        self, collection: str, place: PhysicalCollection, ids: Sequence[str], edit: Callable[[Sequence[str]], None]
    ) -> None:
        """Let ``edit`` change those of ``ids`` that exist.

        The server refuses a whole operation for one id that it does not know, also when another process has deleted
        that point just now; then those that are left are edited, some of them a second time.
        """
        for left in reversed(range(_EDITS)):
            existing = [point.id for point in self._fetch(collection, place, ids, (), False)]
            try:
                with server_errors(collection, place.forget):
                    edit(existing)
                return
            except PointGoneError:
                if not left:
                    raise

    def _patch(self, place: PhysicalCollection, patches: Mapping[str, Payload]) -> None:
        operations: list[Any] = []
        for patch in group_patches(patches):
            if patch.set:
                change = models.SetPayload(payload=patch.set, points=list(patch.ids))
                operations.append(models.SetPayloadOperation(set_payload=change))
            if patch.remove:
                removal = models.DeletePayload(keys=patch.remove, points=list(patch.ids))
                operations.append(models.DeletePayloadOperation(delete_payload=removal))
        for some in _slices(operations, _REQUEST_POINTS):
            self._client.batch_update_points(place.physical, some, wait=True)

    def _fetch(
        self,
        collection: str,
        place: PhysicalCollection,
        ids: Iterable[str],
        vectors: Sequence[str],
        payload: PayloadChoice,
    ) -> list[StoredPoint]:
        found: list[StoredPoint] = []
        for wanted in _slices(valid_ids(ids), self._points_in_answer(place.schema, vectors)):
            fetch = partial(
                self._client.retrieve,
                place.physical,
                wanted,
                with_payload=_selected(payload),
                with_vectors=list(vectors) or False,
            )
            found.extend(_point(place.schema, record) for record in self._ask(collection, place, fetch))
        return found

    def _points_in_answer(self, schema: CollectionSchema, vectors: Sequence[str]) -> int:
        """How many points may be asked for at once, with these vectors."""
        asked = [field for name, field in schema.by_name.items() if name in vectors]
        floats = sum(field.numbers * (self._settings.key_frames if field.multi else 1) for field in asked)
        return max(1, min(_REQUEST_IDS, _ANSWER_FLOATS // max(floats, 1)))


def _slices(items: Sequence[_T], size: int) -> Iterator[Sequence[_T]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]


def _structs(points: Sequence[Point], schema: CollectionSchema) -> list[models.PointStruct]:
    structs = []
    for point in points:
        stored = as_stored(schema, point.vectors)
        payload = checksums.payload_to_store(schema, stored, point)
        structs.append(models.PointStruct(id=point.id, vector=to_engine(schema, stored, _sparse), payload=payload))
    return structs


def _sparse(indices: list[int], values: list[float]) -> models.SparseVector:
    return models.SparseVector(indices=indices, values=values)


def _diverse(vector: Any, diversity: float) -> Any:
    if not diversity:
        return vector
    return models.NearestQuery(nearest=vector, mmr=models.Mmr(diversity=diversity, candidates_limit=MMR_CANDIDATES))


def _requests(items: Iterable[tuple[_T, Mapping[str, Array]]]) -> Iterator[list[_T]]:
    """What goes with the vectors, cut into pieces that a server takes in one request."""
    chunk: list[_T] = []
    floats = 0
    for item, vectors in items:
        size = sum(map(numbers_in, vectors.values()))
        if chunk and (floats + size > _REQUEST_FLOATS or len(chunk) == _REQUEST_POINTS):
            yield chunk
            chunk, floats = [], 0
        chunk.append(item)
        floats += size
    if chunk:
        yield chunk


def _point(schema: CollectionSchema, record: models.Record) -> StoredPoint:
    sums = checksums.stored_checksums(record.payload)
    return StoredPoint(str(record.id), from_stored(record.payload), from_engine(schema, record.vector), sums)


def _selected(payload: PayloadChoice) -> bool | list[str]:
    return payload if isinstance(payload, bool) else list(payload)
