"""Sends and fetches points with their vectors by REST, in the form in which a Qdrant server takes them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from qdrant_client import QdrantClient, models

from search.media import Payload
from search.spaces import CollectionSchema
from search.store import checksums
from search.store.answers import EngineHit
from search.store.base import Array, PayloadChoice, Point, StoredPoint
from search.store.payloads import from_stored
from search.store.vectors import SparseMaker, as_stored, from_engine, numbers_in, to_engine


class Wanted(NamedTuple):
    """What to fetch of points.

    Attributes:
        schema: of their collection.
        vectors: names of spaces.
    """

    schema: CollectionSchema
    vectors: Sequence[str]
    payload: PayloadChoice


class PointsApi(Protocol):
    """What is asked of a server that has to do with vectors, by REST or by gRPC; in the errors of its client."""

    def made_of(self, points: Sequence[Point], schema: CollectionSchema) -> list[Any]:
        """Points as they are sent, with their checksums.

        Raises:
            SpaceMismatchError: a vector is none of the collection's.
        """

    def upsert(self, physical: str, made: list[Any]) -> None:
        """Send what :meth:`made_of` gave, and wait until it is stored."""

    def retrieve(self, physical: str, ids: list[str], wanted: Wanted) -> list[StoredPoint]:
        """Those of the points that exist, in any order."""

    def scroll(
        self, physical: str, where: models.Filter | None, limit: int, offset: str | None, wanted: Wanted
    ) -> tuple[list[StoredPoint], str | None]:
        """A page of points, and the id with which the next one begins."""

    def query(self, physical: str, requests: list[models.QueryRequest]) -> Sequence[Sequence[EngineHit]]:
        """The hits of each question, in the order of questions."""

    def close(self) -> None:
        """End connections that are not the client's."""


class RestPoints:
    """See :class:`PointsApi`."""

    def __init__(self, client: QdrantClient) -> None:
        self._client = client

    def made_of(self, points: Sequence[Point], schema: CollectionSchema) -> list[Any]:
        sent = prepared(points, schema, sparse_vector)
        return [models.PointStruct(id=id_, vector=vectors, payload=payload) for id_, vectors, payload in sent]

    def upsert(self, physical: str, made: list[Any]) -> None:
        self._client.upsert(physical, made, wait=True)

    def retrieve(self, physical: str, ids: list[str], wanted: Wanted) -> list[StoredPoint]:
        records = self._client.retrieve(
            physical,
            ids,
            with_payload=selected(wanted.payload),
            with_vectors=list(wanted.vectors) or False,
        )
        return [stored_point(wanted.schema, each.id, each.payload, each.vector) for each in records]

    def scroll(
        self, physical: str, where: models.Filter | None, limit: int, offset: str | None, wanted: Wanted
    ) -> tuple[list[StoredPoint], str | None]:
        records, following = self._client.scroll(
            physical,
            scroll_filter=where,
            limit=limit,
            offset=offset,
            with_payload=selected(wanted.payload),
            with_vectors=list(wanted.vectors) or False,
        )
        points = [stored_point(wanted.schema, each.id, each.payload, each.vector) for each in records]
        return points, None if following is None else str(following)

    def query(self, physical: str, requests: list[models.QueryRequest]) -> Sequence[Sequence[EngineHit]]:
        return [answer.points for answer in self._client.query_batch_points(physical, requests)]

    def close(self) -> None:
        """It has none."""


def prepared(
    points: Sequence[Point], schema: CollectionSchema, sparse: SparseMaker
) -> Iterator[tuple[str, dict[str, Any], Payload]]:
    """Id, vectors (as :func:`~search.store.vectors.to_engine`) and payload of each point, with its checksums.

    Raises:
        SpaceMismatchError: a vector is none of the collection's.
    """
    for point in points:
        stored = as_stored(schema, point.vectors)
        payload = checksums.payload_to_store(schema, stored, point)
        yield point.id, to_engine(schema, stored, sparse), payload


def stored_point(schema: CollectionSchema, id_: object, payload: Payload | None, vectors: object) -> StoredPoint:
    """A point of what a server gives."""
    sums = checksums.stored_checksums(payload)
    return StoredPoint(str(id_), from_stored(payload), from_engine(schema, vectors), sums)


def sparse_vector(indices: list[int], values: list[float]) -> models.SparseVector:
    return models.SparseVector(indices=indices, values=values)


def selected(payload: PayloadChoice) -> bool | list[str]:
    return payload if isinstance(payload, bool) else list(payload)


def numbers_of(vectors: Mapping[str, Array]) -> int:
    """Vector components that are sent, of all spaces."""
    return sum(map(numbers_in, vectors.values()))
