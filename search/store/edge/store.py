"""The embedded store: Qdrant Edge, the Qdrant engine in this process, one shard a collection.

Facts about Qdrant Edge 0.9 that shape this package: a shard can be open in one process only; every call holds the GIL
until it returns, so work is handed over in small pieces; ``optimize()`` runs for minutes and therefore happens in a
child process on a copy (``search.store.edge.shard``).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack
from itertools import islice
from pathlib import Path
from typing import Any

import qdrant_edge as qdrant

from search.media import Payload
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
from search.store.conditions import Dialect, compile_filter, following_id, valid_ids
from search.store.durable import engine_errors
from search.store.edge.collections import EdgeCollections
from search.store.edge.lock import DirectoryLock
from search.store.filters import Filter
from search.store.payloads import check_facet_key, check_order, counted, from_stored, group_patches
from search.store.vectors import as_stored, asked_vectors, from_engine, query_vector, to_engine

_UPSERT_CHUNK = 256
"""Points in one engine call: about 20 ms during which no other thread runs."""

_READ_CHUNK = 500
"""Points read with their vectors in one engine call."""

_DIALECT: Dialect[qdrant.Filter] = Dialect(
    filter=qdrant.Filter,
    field=qdrant.FieldCondition,
    value=qdrant.MatchValue,
    any_of=qdrant.MatchAny,
    text=qdrant.MatchText,
    numbers=qdrant.RangeFloat,
    times=qdrant.RangeDateTime,
    circle=lambda latitude, longitude, radius: qdrant.GeoRadius(qdrant.GeoPoint(longitude, latitude), radius),
    ids=lambda ids: qdrant.HasIdCondition(set(ids)),
    holds=qdrant.HasVectorCondition,
)


class EdgeStore:
    """The :class:`~search.store.base.Store` in ``home/collections``."""

    @property
    def engine(self) -> str:
        return "edge"

    def __init__(self, home: Path) -> None:
        """Lock ``home`` and open every collection in it.

        Raises:
            StoreLockedError: another process has it open.
            SpaceMismatchError, StoreError: a collection cannot be opened.
        """
        with engine_errors(home):
            self._lock = DirectoryLock(home)
        self._shards = EdgeCollections(home / "collections")
        try:
            self._shards.open()
        except BaseException:
            self.close()
            raise

    def ensure(self, schema: CollectionSchema) -> None:
        self._shards.ensure(schema)

    def collections(self) -> Mapping[str, CollectionInfo]:
        found: dict[str, CollectionInfo] = {}
        for name, live in self._shards.current():
            found[name] = CollectionInfo(live.schema, *live.counts())
        return found

    def schema(self, collection: str) -> CollectionSchema:
        return self._shards.at(collection).schema

    def upsert(self, collection: str, points: Sequence[Point]) -> None:
        live = self._shards.at(collection)
        waiting = iter(points)
        while chunk := list(islice(waiting, _UPSERT_CHUNK)):
            converted = [_converted(live.schema, point) for point in chunk]
            with live.writing(point.id for point in chunk) as shard:
                shard.update(qdrant.UpdateOperation.upsert_points(converted))

    def update_vectors(self, collection: str, vectors: Mapping[str, Mapping[str, Array]]) -> None:
        live = self._shards.at(collection)
        stored = {id_: as_stored(live.schema, named) for id_, named in vectors.items()}
        sums = checksums.vector_patches(live.schema, stored)
        with live.writing(stored) as shard:
            existing = _existing(shard, stored)
            edits = [qdrant.PointVectors(id_, _vectors(live.schema, stored[id_])) for id_ in existing]
            if edits:
                # Killed in between, the vectors are unproven, not damaged.
                _patch(shard, checksums.without(sums, existing))
                shard.update(qdrant.UpdateOperation.update_vectors(edits))
                _patch(shard, {id_: sums[id_] for id_ in existing})

    def patch_payload(self, collection: str, patches: Mapping[str, Payload]) -> None:
        with self._shards.at(collection).writing(patches) as shard:
            wanted = {id_: patches[id_] for id_ in _existing(shard, patches)}
            if changing := checksums.changing_facts(wanted):
                records = shard.retrieve(list(changing), checksums.facts_keys(), False)
                wanted = checksums.with_facts_checksums(wanted, [(str(each.id), each.payload) for each in records])
            _patch(shard, wanted)

    def delete(self, collection: str, ids: Sequence[str]) -> None:
        with self._shards.at(collection).writing(ids, deleting=True) as shard:
            shard.update(qdrant.UpdateOperation.delete_points(list(valid_ids(ids))))

    def retrieve(
        self, collection: str, ids: Sequence[str], *, vectors: Sequence[str] = (), payload: PayloadChoice = True
    ) -> list[StoredPoint]:
        live = self._shards.at(collection)
        names = asked_vectors(live.schema, vectors)
        with live.reading() as shard:
            records = shard.retrieve(list(valid_ids(ids)), _selected(payload), names)
        found = {str(record.id): _point(live.schema, record) for record in records}
        return [found[id_] for id_ in ids if id_ in found]

    def query(self, collection: str, queries: Sequence[VectorQuery]) -> list[list[ScoredHit]]:
        live = self._shards.at(collection)
        schema = live.schema
        asked = [(query, query_vector(schema, query, qdrant.SparseVector)) for query in queries]
        requests = [(part, _request(part, vector)) for query, vector in asked for part in engine_queries(query)]
        answers = []
        for part, request in requests:
            # One engine call a query: other threads get their turn in between.
            with live.reading() as shard:
                hits = shard.query(request)
            answers.append(scored(part, hits))
        return joined(queries, answers)

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
        live = self._shards.at(collection)
        names = asked_vectors(live.schema, vectors)
        condition = compile_filter(_DIALECT, where)
        offset: Any = following_id(after) if after else None
        while True:
            request = qdrant.ScrollRequest(
                offset=offset,
                limit=page,
                filter=condition,
                with_payload=_selected(payload),
                with_vector=names,
            )
            with live.reading() as shard:
                records, offset = shard.scroll(request)
            yield from (_point(live.schema, record) for record in records)
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
        live = self._shards.at(collection)
        direction = qdrant.Direction.Desc if descending else qdrant.Direction.Asc
        request = qdrant.ScrollRequest(
            limit=limit,
            filter=compile_filter(_DIALECT, where),
            with_payload=_selected(payload),
            with_vector=False,
            order_by=qdrant.OrderBy(key, direction),
        )
        with live.reading() as shard:
            records, _ = shard.scroll(request)
        return [_point(live.schema, record) for record in records]

    def count(self, collection: str, where: Filter | None = None) -> int:
        with self._shards.at(collection).reading() as shard:
            return shard.count(qdrant.CountRequest(exact=True, filter=compile_filter(_DIALECT, where)))

    def facet(self, collection: str, key: str, *, where: Filter | None = None, limit: int = 50) -> list[Facet]:
        check_facet_key(key)
        request = qdrant.FacetRequest(key, limit=limit, exact=True, filter=compile_filter(_DIALECT, where))
        with self._shards.at(collection).reading() as shard:
            hits = shard.facet(request).hits
        return counted((str(hit.value), hit.count) for hit in hits)

    def sample(self, collection: str, space: str, n: int) -> list[StoredPoint]:
        holding = Filter(has_space=space, include_missing=True)
        found = self.scroll(collection, where=holding, vectors=[space], payload=False, page=max(1, min(n, _READ_CHUNK)))
        return list(islice(found, n))

    def metadata(self, collection: str) -> Mapping[str, Any]:
        return self._shards.at(collection).values()

    def set_metadata(self, collection: str, values: Mapping[str, Any]) -> None:
        self._shards.at(collection).set_values(values)

    def edition(self, collection: str) -> object:
        return self._shards.at(collection).changes.edition

    def changed_since(self, collection: str, edition: object) -> Collection[str] | None:
        return self._shards.at(collection).changes.since(edition)

    def optimise(self, collection: str) -> bool:
        return self._shards.at(collection).optimise()

    def hold_indexing(self, collection: str, *, held: bool) -> None:
        """Nothing to do here: this store indexes only when :meth:`optimise` is called."""
        self._shards.at(collection)

    def is_indexing_held(self, collection: str) -> bool:
        self._shards.at(collection)
        return False

    def begin_generation(self, schema: CollectionSchema) -> str:
        return self._shards.begin_generation(schema)

    def generations(self, collection: str) -> tuple[Generation, ...]:
        return self._shards.generations(collection)

    def promote(self, generation: str) -> None:
        self._shards.promote(generation)

    def drop_generation(self, generation: str) -> None:
        self._shards.drop_generation(generation)

    def close(self) -> None:
        with ExitStack() as everything:  # whatever one of them raises, the others are closed too
            everything.callback(self._lock.release)
            for live in self._shards.everything():
                everything.callback(live.close)


def _existing(shard: qdrant.EdgeShard, ids: Mapping[str, object]) -> list[str]:
    # The engine refuses a whole operation for one id that it does not know.
    return [str(record.id) for record in shard.retrieve(list(valid_ids(ids)), False, False)]


def _patch(shard: qdrant.EdgeShard, patches: Mapping[str, Payload]) -> None:
    for patch in group_patches(patches):
        if patch.set:
            shard.update(qdrant.UpdateOperation.set_payload(list(patch.ids), patch.set))
        if patch.remove:
            shard.update(qdrant.UpdateOperation.delete_payload(list(patch.ids), patch.remove))


def _converted(schema: CollectionSchema, point: Point) -> qdrant.Point:
    stored = as_stored(schema, point.vectors)
    return qdrant.Point(point.id, _vectors(schema, stored), checksums.payload_to_store(schema, stored, point))


def _vectors(schema: CollectionSchema, vectors: Mapping[str, Array]) -> dict[str, Any]:
    return to_engine(schema, vectors, qdrant.SparseVector)


def _request(query: VectorQuery, vector: Any) -> qdrant.QueryRequest:
    """The engine's request for ``query``, whose vector is given in the engine's form."""
    using = query.space.name
    return qdrant.QueryRequest(
        limit=query.limit,
        query=qdrant.Mmr(vector, 1.0 - query.diversity, MMR_CANDIDATES, using)
        if query.diversity
        else qdrant.Query.Nearest(vector, using=using),
        filter=compile_filter(_DIALECT, query.where),
        params=qdrant.SearchParams(hnsw_ef=query.ef, exact=query.exact),
        with_payload=_selected(query.with_payload),
    )


def _point(schema: CollectionSchema, record: qdrant.Record) -> StoredPoint:
    payload, vectors = record.payload, record.vector  # each access converts all of it
    restored = from_stored(payload)
    sums = checksums.stored_checksums(payload) if len(restored) < len(payload or ()) else {}
    return StoredPoint(str(record.id), restored, from_engine(schema, vectors), sums)


def _selected(payload: PayloadChoice) -> bool | list[str]:
    return payload if isinstance(payload, bool) else list(payload)
