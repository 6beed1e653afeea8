"""Checksums by which damage of stored vectors and facts is found.

A point has one checksum for the vectors of each space and one for its facts (``search.media.FACTS``), each 16 hex
digits. They lie in its payload under keys of their own, which only stores see. A store computes them when it writes, of
what a read gives back; whoever copies a point hands them on (``Point.checksums``), so that damage is not sealed anew.

Points of a version before have none, and are unproven until ``ingest.maintenance.upkeep`` has looked at them.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from search.media import FACTS, Payload
from search.spaces import CollectionSchema, Distance, VectorField
from search.store.base import Array, Point, StoredPoint
from search.store.payloads import CHECKSUM, FACT_DIGITS, to_stored

OF_FACTS = "facts"
"""Name of the checksum of the facts; the others have the names of spaces."""

_BYTES = 8
_UNIT_SLACK = 1e-4
"""How far the squared length of a vector that an engine has brought to unit length in float32 may be from 1."""

FACTS_KEY = CHECKSUM + OF_FACTS
"""Payload key of the checksum of the facts."""

_FACTS_FORM = json.JSONEncoder(sort_keys=True, separators=(",", ":"))
"""Made once: making it takes as long as using it."""


@dataclass(frozen=True, slots=True)
class Proof:
    """What the checksums of a point say; names are those of spaces, and ``facts``.

    Attributes:
        damaged: what is not as it was written, or has gone.
        unproven: what has no checksum.
    """

    damaged: tuple[str, ...] = ()
    unproven: tuple[str, ...] = ()


def key_of(name: str) -> str:
    """Payload key of the checksum of a space."""
    return CHECKSUM + name


def vector_checksum(field: VectorField, vector: Array) -> str:
    """Checksum of the vectors of one space.

    Args:
        vector: float32 ``(m, dim)``, as a read gives it.
    """
    if not field.sparse:
        return _hex(np.ascontiguousarray(vector, "<f4").tobytes())
    at = np.flatnonzero(vector[0])
    return _hex(at.astype("<u4").tobytes() + vector[0, at].astype("<f4").tobytes())


def facts_checksum(payload: Mapping[str, object]) -> str:
    """Checksum of the facts in a payload; other keys do not matter."""
    facts = {key: _canonical(value) for key, value in payload.items() if key in FACTS and value is not None}
    return _hex(_FACTS_FORM.encode(facts).encode("ascii"))


def checksums(schema: CollectionSchema, vectors: Mapping[str, Array], payload: Mapping[str, object]) -> dict[str, str]:
    """Checksums of vectors in the form that they are stored in, and of facts."""
    fields = schema.by_name
    return {name: vector_checksum(fields[name], vector) for name, vector in vectors.items()} | {
        OF_FACTS: facts_checksum(payload)
    }


def payload_to_store(schema: CollectionSchema, vectors: Mapping[str, Array], point: Point) -> Payload:
    """The payload of a point as an engine keeps it, with its checksums: those that it brings, and new ones.

    Args:
        vectors: those of the point in the form that they are stored in.

    Raises:
        StoreError: a number is not finite.
    """
    payload = to_stored(point.payload)
    brought = {name: value for name, value in point.checksums.items() if name == OF_FACTS or name in vectors}
    computed = brought if len(brought) == len(vectors) + 1 else checksums(schema, vectors, payload) | brought
    return payload | {key_of(name): value for name, value in computed.items()}


def stored_checksums(payload: Mapping[str, object] | None) -> dict[str, str]:
    """The checksums in a payload as an engine gives it."""
    return {
        key.removeprefix(CHECKSUM): str(value) for key, value in (payload or {}).items() if key.startswith(CHECKSUM)
    }


def prove(schema: CollectionSchema, point: StoredPoint | Point) -> Proof:
    """Compare a point with its checksums.

    Args:
        point: fetched with its whole payload and all vectors.
    """
    damaged: list[str] = []
    unproven: list[str] = []
    for name, field in schema.by_name.items():
        vector, expected = point.vectors.get(name), point.checksums.get(name)
        if vector is not None and expected is None:
            unproven.append(name)
        elif expected is not None and (vector is None or vector_checksum(field, vector) != expected):
            damaged.append(name)
    expected = point.checksums.get(OF_FACTS)
    if expected is None:
        unproven.append(OF_FACTS)
    elif facts_checksum(point.payload) != expected:
        damaged.append(OF_FACTS)
    return Proof(tuple(damaged), tuple(unproven))


def changing_facts(patches: Mapping[str, Payload]) -> list[str]:
    """Ids of the patches that change facts, so that :func:`with_facts_checksums` needs those that are stored."""
    return [id_ for id_, patch in patches.items() if not FACTS.isdisjoint(patch)]


def facts_keys() -> list[str]:
    """The payload keys that :func:`with_facts_checksums` needs of what is stored."""
    return [*sorted(FACTS), FACTS_KEY]


def with_facts_checksums(
    patches: Mapping[str, Payload], stored: Iterable[tuple[str, Mapping[str, object] | None]]
) -> dict[str, Payload]:
    """Patches with the checksums that hold after them. Facts that have no checksum get none, and damaged ones keep the
    one by which the damage is found.

    Args:
        stored: id and payload before, of every patch that changes facts.
    """
    extended = dict(patches)
    for id_, payload in stored:
        if payload and payload.get(FACTS_KEY) == facts_checksum(payload):
            extended[id_] = {**patches[id_], FACTS_KEY: facts_checksum({**payload, **to_stored_facts(patches[id_])})}
    return extended


def to_stored_facts(patch: Payload) -> Payload:
    """The facts of a patch as they are stored, those to be removed as None."""
    facts = {key: value for key, value in patch.items() if key in FACTS}
    return dict.fromkeys(facts) | to_stored(facts)


def vector_patches(schema: CollectionSchema, vectors: Mapping[str, Mapping[str, Array]]) -> dict[str, Payload]:
    """The checksums of vectors that replace others, as a patch for each id.

    Args:
        vectors: id to space name to vectors in the form that they are stored in.
    """
    fields = schema.by_name
    return {
        id_: {key_of(name): vector_checksum(fields[name], vector) for name, vector in named.items()}
        for id_, named in vectors.items()
    }


def without(patches: Mapping[str, Payload], ids: Collection[str]) -> dict[str, Payload]:
    """The patches that remove the keys of ``patches``, for those ids among ``ids``."""
    return {id_: dict.fromkeys(patches[id_]) for id_ in ids}


def implausible(schema: CollectionSchema, point: StoredPoint | Point) -> tuple[str, ...]:
    """Spaces whose vectors no version of Likewise has written: not finite, or of a cosine space and neither of unit
    length nor all zeros. It is all that can be said of vectors without a checksum."""
    fields = schema.by_name
    return tuple(name for name, vector in point.vectors.items() if not _is_plausible(fields[name], vector))


def sealing(schema: CollectionSchema, point: StoredPoint, names: Collection[str], changes: Payload) -> Payload:
    """A patch that gives a point checksums of what it holds now.

    Args:
        point: fetched with its whole payload and all vectors.
        names: what to give them: spaces, and ``facts``.
        changes: the patch of its facts that is written together with it.
    """
    payload = {**point.payload, **to_stored_facts(changes)}
    found = checksums(schema, point.vectors, payload)
    return {key_of(name): found[name] for name in names if name in found}


def _is_plausible(field: VectorField, vector: Array) -> bool:
    if not np.isfinite(vector).all():
        return False
    if field.space.distance is not Distance.COSINE:
        return True
    squares = np.square(vector.astype(np.float64)).sum(axis=1)
    return bool(((np.abs(squares - 1.0) <= _UNIT_SLACK) | (squares == 0.0)).all())


def _canonical(value: object) -> object:
    """A JSON value in which a number is a text: of a fixed number of digits, whether it is read as whole or not."""
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, float):
        return f"{value + 0.0:.{FACT_DIGITS}g}"
    if isinstance(value, int):
        return f"{value:d}"
    if isinstance(value, list | tuple):
        return [_canonical(each) for each in value]
    return value


def _hex(data: bytes) -> str:
    return hashlib.blake2b(data, digest_size=_BYTES).hexdigest()
