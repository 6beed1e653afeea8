"""Check vectors against a collection's schema before an engine sees them, and translate them both ways."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from search.errors import SpaceMismatchError, StoreError
from search.spaces import CollectionSchema, VectorField
from search.store.base import Array, VectorQuery


def to_engine(schema: CollectionSchema, vectors: Mapping[str, Array]) -> dict[str, Any]:
    """Space name to a list of floats, or to a list of those for a multivector.

    Raises:
        SpaceMismatchError: the collection has no such space, or the shape is not ``(m, dim)`` (m = 1 for a single
            vector).
        StoreError: a component is not finite.
    """
    fields = schema.by_name
    converted: dict[str, Any] = {}
    for name, vector in vectors.items():
        field = fields.get(name)
        if field is None:
            raise _no_space(schema, name)
        converted[name] = _listed(schema, field, vector, many=field.multi)
    return converted


def asked_vectors(schema: CollectionSchema, names: Sequence[str]) -> list[str]:
    """The names of vectors to fetch, as an engine takes them. One that it does not know is refused by either engine,
    each in its own way, but passed over by the server's double.

    Raises:
        SpaceMismatchError: the collection has no such space.
    """
    known = schema.by_name
    for name in names:
        if name not in known:
            raise _no_space(schema, name)
    return list(names)


def query_vector(schema: CollectionSchema, query: VectorQuery) -> list[Any]:
    """The vector of a query in the engine's form.

    Raises:
        SpaceMismatchError: the space's fingerprint, or the vector's shape, is not the collection's.
        StoreError: a component is not finite.
    """
    field = schema.require(query.space)
    return _listed(schema, field, query.vector, many=field.multi)


def mean_score(query: VectorQuery, score: float) -> float:
    """Turn the engine's MaxSim, a sum over the query's vectors, into their mean: again a cosine."""
    return score / len(query.vector)


def from_engine(value: object) -> Array:
    """A stored vector or multivector as float32 ``(m, dim)``."""
    return np.atleast_2d(np.asarray(value, dtype=np.float32))


def _listed(schema: CollectionSchema, field: VectorField, vector: Array, *, many: bool) -> list[Any]:
    wanted = f"({'m' if many else 1}, {field.space.dim})"
    if vector.ndim != 2 or vector.shape[1] != field.space.dim or not vector.size or (len(vector) > 1 and not many):
        raise SpaceMismatchError(
            f"Space '{field.space.name}' of collection '{schema.collection}' takes vectors of shape {wanted}, "
            f"not {vector.shape}."
        )
    if not np.isfinite(vector).all():
        raise StoreError(f"A vector for space '{field.space.name}' holds NaN or infinity.")
    listed: list[Any] = vector.tolist()
    return listed if many else listed[0]


def _no_space(schema: CollectionSchema, name: str) -> SpaceMismatchError:
    return SpaceMismatchError(f"Collection '{schema.collection}' has no space '{name}'.")
