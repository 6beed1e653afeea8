"""Puts points into the form in which a Qdrant server takes them, and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from qdrant_client import models

from search.spaces import CollectionSchema
from search.store import checksums
from search.store.base import Array, PayloadChoice, Point, StoredPoint
from search.store.payloads import from_stored
from search.store.vectors import as_stored, from_engine, numbers_in, to_engine


def structs_of(points: Sequence[Point], schema: CollectionSchema) -> list[models.PointStruct]:
    """Points as they are sent, with their checksums.

    Raises:
        SpaceMismatchError: a vector is none of the collection's.
    """
    structs = []
    for point in points:
        stored = as_stored(schema, point.vectors)
        payload = checksums.payload_to_store(schema, stored, point)
        structs.append(
            models.PointStruct(id=point.id, vector=to_engine(schema, stored, sparse_vector), payload=payload)
        )
    return structs


def stored_point(schema: CollectionSchema, record: models.Record) -> StoredPoint:
    sums = checksums.stored_checksums(record.payload)
    return StoredPoint(str(record.id), from_stored(record.payload), from_engine(schema, record.vector), sums)


def sparse_vector(indices: list[int], values: list[float]) -> models.SparseVector:
    return models.SparseVector(indices=indices, values=values)


def selected(payload: PayloadChoice) -> bool | list[str]:
    return payload if isinstance(payload, bool) else list(payload)


def numbers_of(vectors: Mapping[str, Array]) -> int:
    """Vector components that are sent, of all spaces."""
    return sum(map(numbers_in, vectors.values()))
