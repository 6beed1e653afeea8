"""Checks vectors against a collection's schema, and translates them to and from an engine's form."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np

from search.errors import SpaceMismatchError, StoreError, UsageError
from search.spaces import CollectionSchema, Distance, VectorField
from search.store.base import Array, VectorQuery

UNIT_TOLERANCE = 1e-6
"""How far the squared length of a vector may be from 1 for an engine to store it as it is in a cosine space. Source:
``is_length_zero_or_normalized`` in Qdrant's ``lib/segment``, which both engines are."""

SparseMaker: TypeAlias = Callable[[list[int], list[float]], Any]
"""Makes an engine's sparse vector of the indices of its components, ascending, and their values."""


def as_stored(schema: CollectionSchema, vectors: Mapping[str, Array]) -> dict[str, Array]:
    """Vectors as a store gives them back bit for bit, float32 ``(m, dim)`` by space name: those of a cosine space at
    unit length, sparse ones to the precision of float16. Doing it twice changes nothing.

    Raises:
        SpaceMismatchError: the collection has no such space, or the shape is not ``(m, dim)`` (m = 1 for a single
            vector).
        StoreError: a component is not finite, or beyond what float16 holds in a sparse vector.
    """
    fields = schema.by_name
    stored: dict[str, Array] = {}
    for name, vector in vectors.items():
        field = fields.get(name)
        if field is None:
            raise _no_space(schema, name)
        _check(schema, field, vector)
        if field.sparse:
            stored[name] = _rounded(field, vector)
        else:
            stored[name] = _unit(vector) if field.space.distance is Distance.COSINE else vector
    return stored


def to_engine(schema: CollectionSchema, vectors: Mapping[str, Array], sparse: SparseMaker) -> dict[str, Any]:
    """Space name to a list of floats, to a list of those for a multivector, or to the engine's sparse vector.

    Args:
        vectors: as :func:`as_stored` gives them.
    """
    fields = schema.by_name
    return {
        name: _sparse(vector, sparse) if fields[name].sparse else _listed(fields[name], vector)
        for name, vector in vectors.items()
    }


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


def query_vector(schema: CollectionSchema, query: VectorQuery, sparse: SparseMaker) -> Any:
    """The vector of a query in the engine's form.

    Raises:
        SpaceMismatchError: the space's fingerprint, or the vector's shape, is not the collection's.
        StoreError: a component is not finite.
        UsageError: the diversity is no such number, or asked of a space that is not of single dense vectors.
    """
    field = schema.require(query.space)
    _check(schema, field, query.vector)
    if not 0.0 <= query.diversity <= 1.0:
        raise UsageError(f"Diversity is a number from 0 to 1, not {query.diversity}.")
    if query.diversity and (field.multi or field.sparse):
        raise UsageError(
            f"Hits in space '{query.space.name}' of collection '{schema.collection}' cannot be made diverse: "
            f"it holds {'sparse' if field.sparse else 'many'} vectors.",
            "Ask without diversity there.",
        )
    return _sparse(query.vector, sparse) if field.sparse else _listed(field, query.vector)


def from_engine(schema: CollectionSchema, vectors: object) -> dict[str, Array]:
    """A point's vectors from an engine's form, each as float32 ``(m, dim)``; none if the engine gave none."""
    if not isinstance(vectors, Mapping) or not vectors:
        return {}
    fields = schema.by_name
    return {name: _dense(fields[name], value) for name, value in vectors.items()}


def _dense(field: VectorField, value: Any) -> Array:
    if not field.sparse:
        return np.atleast_2d(np.asarray(value, dtype=np.float32))
    dense = np.zeros((1, field.space.dim), np.float32)
    dense[0, value.indices] = value.values
    return dense


def numbers_in(vector: Array) -> int:
    """Numbers it takes to send vectors, float32 ``(m, dim)``, as they are, or without zeros where that is shorter."""
    return min(vector.size, 2 * int(np.count_nonzero(vector)))


def _check(schema: CollectionSchema, field: VectorField, vector: Array) -> None:
    if (
        vector.ndim != 2
        or vector.shape[1] != field.space.dim
        or not vector.size
        or (len(vector) > 1 and not field.multi)
    ):
        raise SpaceMismatchError(
            f"Space '{field.space.name}' of collection '{schema.collection}' takes vectors of shape "
            f"({'m' if field.multi else 1}, {field.space.dim}), not {vector.shape}."
        )
    if not np.isfinite(vector).all():
        raise StoreError(f"A vector for space '{field.space.name}' holds NaN or infinity.")


def _listed(field: VectorField, vector: Array) -> list[Any]:
    listed: list[Any] = vector.tolist()
    return listed if field.multi else listed[0]


def _unit(rows: Array) -> Array:
    """Rows of unit length. Those that a store would leave as they are stay so, bit for bit."""
    exact = rows.astype(np.float64)
    squares = np.einsum("ij,ij->i", exact, exact)
    if (np.abs(squares - 1.0) <= UNIT_TOLERANCE).all():
        return rows
    lengths = np.sqrt(squares)
    lengths[(np.abs(squares - 1.0) <= UNIT_TOLERANCE) | (squares == 0.0)] = 1.0
    unit: Array = (exact / lengths[:, None]).astype(np.float32)
    return unit


def _rounded(field: VectorField, vector: Array) -> Array:
    """To float16, which the index keeps: so it gives the same scores before and after an engine has rewritten it, and
    an engine that keeps float32 gives them too."""
    with np.errstate(over="ignore"):
        rounded = vector.astype(np.float16).astype(np.float32)
    if not np.isfinite(rounded).all():
        raise StoreError(f"A vector for space '{field.space.name}' has a component beyond ±65,504.")
    return rounded


def _sparse(vector: Array, sparse: SparseMaker) -> Any:
    indices = np.flatnonzero(vector[0])
    return sparse(indices.tolist(), vector[0, indices].tolist())


def _no_space(schema: CollectionSchema, name: str) -> SpaceMismatchError:
    return SpaceMismatchError(f"Collection '{schema.collection}' has no space '{name}'.")
