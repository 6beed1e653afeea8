"""The store on a Qdrant server or cluster, through qdrant-client.

Schema, fingerprints and metadata values live in the collection's own metadata, which Qdrant has from version 1.16 on.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from qdrant_client import QdrantClient, models
from qdrant_client.http.exceptions import UnexpectedResponse

from search.errors import SpaceMismatchError
from search.media import COLLECTIONS, Payload
from search.settings import Settings
from search.spaces import CollectionSchema, Distance, VectorField
from search.store.base import (
    Array,
    CollectionInfo,
    Facet,
    PayloadChoice,
    Point,
    ScoredHit,
    StoredPoint,
    VectorQuery,
)
from search.store.conditions import Dialect, compile_filter, following_id, valid_ids
from search.store.filters import Filter
from search.store.payloads import PAYLOAD_INDEXES, check_facet_key, from_stored, group_patches, to_stored
from search.store.schemas import check_same_spaces
from search.store.server_errors import server_errors
from search.store.vectors import from_engine, mean_score, query_vector, to_engine

_T = TypeVar("_T")

_REQUEST_FLOATS = 500_000
"""Vector components in one write: about 11 MB as JSON, where a server takes 32 MB by default
(``service.max_request_size_mb``)."""

_REQUEST_POINTS = 500
_TIMEOUT_SECONDS = 60
_SCHEMA, _VALUE = "likewise_schema", "likewise_value_"
"""Keys of the collection metadata: the schema, and the prefix of every metadata value."""

_DIALECT: Dialect[models.Filter] = Dialect(
    filter=models.Filter,
    field=models.FieldCondition,
    value=models.MatchValue,
    any_of=models.MatchAny,
    text=models.MatchText,
    numbers=models.Range,
    times=models.DatetimeRange,
    ids=lambda ids: models.HasIdCondition(has_id=list(ids)),
    holds=lambda name: models.HasVectorCondition(has_vector=name),
)


def connect(settings: Settings) -> ServerStore:
    """A store on the server that the settings name.

    Raises:
        StoreUnavailableError: the server does not answer.
        StoreError: it refuses us.
    """
    key = settings.qdrant_api_key.get_secret_value() if settings.qdrant_api_key else None
    client = QdrantClient(
        url=settings.qdrant_url, api_key=key, timeout=_TIMEOUT_SECONDS, check_compatibility=False, prefer_grpc=False
    )
    store = ServerStore(client)
    store.collections()
    return store


class ServerStore:
    """The :class:`~search.store.base.Store` behind a client; ``QdrantClient(":memory:")`` is its double in tests."""

    def __init__(self, client: QdrantClient) -> None:
        """Take over ``client``: :meth:`close` closes it."""
        self._client = client
        self._schemas: dict[str, CollectionSchema] = {}

    @property
    def engine(self) -> str:
        return "server"

    def ensure(self, schema: CollectionSchema) -> None:
        name = schema.collection
        self._schemas.pop(name, None)  # whoever deleted and made it anew may have done so with other models
        with server_errors(name):
            if not self._client.collection_exists(name):
                self._create(schema)
        check_same_spaces(self.schema(name), schema)
        with server_errors(name):
            # Also when the collection was there: whoever made it may have been killed before its indexes were.
            existing = self._client.get_collection(name).payload_schema
            for key, index in PAYLOAD_INDEXES.items():
                if key not in existing:
                    self._client.create_payload_index(name, key, models.PayloadSchemaType(index.value), wait=True)

    def collections(self) -> Mapping[str, CollectionInfo]:
        with server_errors("*"):
            present = {found.name for found in self._client.get_collections().collections}
        made: dict[str, CollectionInfo] = {}
        for name in sorted(present.intersection(COLLECTIONS)):
            schema = self.schema(name)
            with server_errors(name):
                indexed = self._client.get_collection(name).indexed_vectors_count or 0
            made[name] = CollectionInfo(schema, self.count(name), indexed)
        return made

    def schema(self, collection: str) -> CollectionSchema:
        known = self._schemas.get(collection)
        if known is None:
            stored = self._metadata(collection).get(_SCHEMA)
            if stored is None:
                raise SpaceMismatchError(
                    f"Collection '{collection}' on the Qdrant server does not say what its vectors are.",
                    "It was not made by Likewise, or the server is older than Qdrant 1.16; rename it or upgrade.",
                )
            known = self._schemas[collection] = CollectionSchema.from_json(stored)
        return known

    def upsert(self, collection: str, points: Sequence[Point]) -> None:
        schema = self.schema(collection)
        for chunk in _requests((point, point.vectors) for point in points):
            structs = [
                models.PointStruct(
                    id=point.id, vector=to_engine(schema, point.vectors), payload=to_stored(point.payload)
                )
                for point in chunk
            ]
            with server_errors(collection, self._schemas):
                self._client.upsert(collection, structs, wait=True)

    def update_vectors(self, collection: str, vectors: Mapping[str, Mapping[str, Array]]) -> None:
        schema = self.schema(collection)
        converted = {id_: to_engine(schema, named) for id_, named in vectors.items()}
        for ids in _requests((id_, vectors[id_]) for id_ in self._existing(collection, vectors)):
            edits = [models.PointVectors(id=id_, vector=converted[id_]) for id_ in ids]
            with server_errors(collection, self._schemas):
                self._client.update_vectors(collection, edits, wait=True)

    def patch_payload(self, collection: str, patches: Mapping[str, Payload]) -> None:
        existing = self._existing(collection, patches)
        operations: list[Any] = []
        for patch in group_patches({id_: patches[id_] for id_ in existing}):
            if patch.set:
                edit = models.SetPayload(payload=patch.set, points=list(patch.ids))
                operations.append(models.SetPayloadOperation(set_payload=edit))
            if patch.remove:
                removal = models.DeletePayload(keys=patch.remove, points=list(patch.ids))
                operations.append(models.DeletePayloadOperation(delete_payload=removal))
        for start in range(0, len(operations), _REQUEST_POINTS):
            with server_errors(collection, self._schemas):
                self._client.batch_update_points(collection, operations[start : start + _REQUEST_POINTS], wait=True)

    def delete(self, collection: str, ids: Sequence[str]) -> None:
        self.schema(collection)
        doomed = valid_ids(ids)
        if doomed:
            with server_errors(collection, self._schemas):
                self._client.delete(collection, models.PointIdsList(points=list(doomed)), wait=True)

    def retrieve(
        self, collection: str, ids: Sequence[str], *, vectors: Sequence[str] = (), payload: PayloadChoice = True
    ) -> list[StoredPoint]:
        self.schema(collection)
        wanted = valid_ids(ids)
        if not wanted:
            return []
        with server_errors(collection, self._schemas):
            records = self._client.retrieve(
                collection, wanted, with_payload=_selected(payload), with_vectors=list(vectors) or False
            )
        found = {str(record.id): _point(record) for record in records}
        return [found[id_] for id_ in ids if id_ in found]

    def query(self, collection: str, queries: Sequence[VectorQuery]) -> list[list[ScoredHit]]:
        if not queries:
            return []
        schema = self.schema(collection)
        requests = [
            models.QueryRequest(
                query=query_vector(schema, query),
                using=query.space.name,
                limit=query.limit,
                filter=compile_filter(_DIALECT, query.where),
                params=models.SearchParams(hnsw_ef=query.ef, exact=query.exact)
                if query.ef is not None or query.exact
                else None,
                with_payload=_selected(query.with_payload),
            )
            for query in queries
        ]
        with server_errors(collection, self._schemas):
            answers = self._client.query_batch_points(collection, requests)
        return [
            [
                ScoredHit(
                    str(hit.id),
                    mean_score(query, hit.score),
                    from_stored(hit.payload) if query.with_payload is not False else None,
                )
                for hit in answer.points
            ]
            for query, answer in zip(queries, answers, strict=True)
        ]

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
        self.schema(collection)
        condition = compile_filter(_DIALECT, where)
        offset: Any = following_id(after) if after else None
        while True:
            with server_errors(collection, self._schemas):
                records, offset = self._client.scroll(
                    collection,
                    scroll_filter=condition,
                    limit=page,
                    offset=offset,
                    with_payload=_selected(payload),
                    with_vectors=list(vectors) or False,
                )
            yield from map(_point, records)
            if offset is None:
                return

    def count(self, collection: str, where: Filter | None = None) -> int:
        self.schema(collection)
        with server_errors(collection, self._schemas):
            return self._client.count(collection, compile_filter(_DIALECT, where), exact=True).count

    def facet(self, collection: str, key: str, *, where: Filter | None = None, limit: int = 50) -> list[Facet]:
        check_facet_key(key)
        self.schema(collection)
        condition = compile_filter(_DIALECT, where)
        with server_errors(collection, self._schemas):
            hits = self._client.facet(collection, key, facet_filter=condition, limit=limit, exact=True).hits
        return sorted((Facet(str(hit.value), hit.count) for hit in hits), key=lambda facet: (-facet.count, facet.value))

    def sample(self, collection: str, space: str, n: int) -> list[StoredPoint]:
        self.schema(collection)
        with server_errors(collection, self._schemas):
            hits = self._client.query_points(
                collection,
                query=models.SampleQuery(sample=models.Sample.RANDOM),
                query_filter=models.Filter(must=[models.HasVectorCondition(has_vector=space)]),
                limit=n,
                with_payload=False,
                with_vectors=[space],
            ).points
        return [_point(hit) for hit in hits]

    def metadata(self, collection: str) -> Mapping[str, Any]:
        return {
            key.removeprefix(_VALUE): value
            for key, value in self._metadata(collection).items()
            if key.startswith(_VALUE) and value is not None
        }

    def set_metadata(self, collection: str, values: Mapping[str, Any]) -> None:
        self.schema(collection)
        # The server merges key by key; a null removes the key.
        named = {_VALUE + key: value for key, value in values.items()}
        with server_errors(collection, self._schemas):
            self._client.update_collection(collection, metadata=named)

    def optimise(self, collection: str) -> bool:
        """Nothing to do here: a server indexes by itself, in the background, once a segment is large enough."""
        self.schema(collection)
        return False

    def close(self) -> None:
        self._client.close()

    def _create(self, schema: CollectionSchema) -> None:
        try:
            self._client.create_collection(
                schema.collection,
                vectors_config={field.space.name: _vector_params(field) for field in schema.fields},
                metadata={_SCHEMA: schema.to_json()},
            )
        except UnexpectedResponse as error:
            if error.status_code != 409:  # 409: another process has just made it
                raise

    def _metadata(self, collection: str) -> Mapping[str, Any]:
        with server_errors(collection, self._schemas):
            return self._client.get_collection(collection).config.metadata or {}

    def _existing(self, collection: str, ids: Iterable[str]) -> list[str]:
        # The server refuses a whole operation for one id that it does not know.
        return [point.id for point in self.retrieve(collection, list(ids), payload=False)]


def _requests(items: Iterable[tuple[_T, Mapping[str, Array]]]) -> Iterator[list[_T]]:
    """What goes with the vectors, cut into pieces that a server takes in one request."""
    chunk: list[_T] = []
    floats = 0
    for item, vectors in items:
        size = sum(vector.size for vector in vectors.values())
        if chunk and (floats + size > _REQUEST_FLOATS or len(chunk) == _REQUEST_POINTS):
            yield chunk
            chunk, floats = [], 0
        chunk.append(item)
        floats += size
    if chunk:
        yield chunk


def _vector_params(field: VectorField) -> models.VectorParams:
    return models.VectorParams(
        size=field.space.dim,
        distance=models.Distance.COSINE if field.space.distance is Distance.COSINE else models.Distance.DOT,
        multivector_config=models.MultiVectorConfig(comparator=models.MultiVectorComparator.MAX_SIM)
        if field.multi
        else None,
        hnsw_config=None if field.indexed else models.HnswConfigDiff(m=0),
    )


def _point(record: models.Record | models.ScoredPoint) -> StoredPoint:
    vectors = record.vector
    named = {name: from_engine(value) for name, value in vectors.items()} if isinstance(vectors, dict) else {}
    return StoredPoint(str(record.id), from_stored(record.payload), named)


def _selected(payload: PayloadChoice) -> bool | list[str]:
    return payload if isinstance(payload, bool) else list(payload)
