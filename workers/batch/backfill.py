"""Filling collections: spaces of another model come from fresh embeddings, the rest is kept.

That is a new generation beside the one that questions go to, or that one itself (named plainly, ``images``), whose
records get what was unknown when they were taken in: ``style``, ``concepts``, ``meaning`` and features.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from search.media import Kind, MediaRecord, Payload
from search.spaces import MEANING, CollectionSchema
from search.store.base import Array, CollectionInfo, PayloadChoice, Point, Store, StoredPoint
from search.words.table import SPACE as CONCEPTS
from workers.batch.records import renewed

FILLED_IN_PLACE = ("style", CONCEPTS, MEANING)
"""Spaces, made of a picture or of a video's key frames, that records of an older Likewise may lack."""

FEATURES = "features"
"""A key of the payload, of photos only."""


class Renewal:
    """An ``Intake`` in front of the store: what is embedded goes into the generations being filled.

    A content counts as stored when its generation holds it, in the current one when it is complete there. What is put
    there are the record and the comparable vectors of the current generation, with the tags and vectors that were just
    made.

    Args:
        generations: their names, at most one of each collection.
    """

    def __init__(self, store: Store, generations: Sequence[str]) -> None:
        self._store = store
        self._generation = {store.schema(name).collection: name for name in generations}

    def collections(self) -> Mapping[str, CollectionInfo]:
        return {name: info for name, info in self._store.collections().items() if name in self._generation}

    def retrieve(
        self, collection: str, ids: Sequence[str], *, vectors: Sequence[str] = (), payload: PayloadChoice = True
    ) -> list[StoredPoint]:
        generation = self._generation[collection]
        if generation != collection:
            return self._store.retrieve(generation, ids, vectors=vectors, payload=payload)
        schema = self._store.schema(generation)
        wanted = dict.fromkeys((*vectors, *addable(schema)))
        points = self._store.retrieve(generation, ids, vectors=tuple(wanted))  # whose payload has the features
        return [point for point in points if is_complete(schema, point)]

    def upsert(self, collection: str, points: Sequence[Point]) -> None:
        """Points with vectors of (at least) the spaces that differ. A record that has gone meanwhile is left out."""
        renew(self._store, self._generation[collection], points)

    def patch_payload(self, collection: str, patches: Mapping[str, Payload]) -> None:
        self._store.patch_payload(self._generation[collection], patches)


def addable(schema: CollectionSchema) -> tuple[str, ...]:
    """Those of :data:`FILLED_IN_PLACE` that a collection holds."""
    return tuple(name for name in FILLED_IN_PLACE if schema.space(name) is not None)


def is_complete(schema: CollectionSchema, point: StoredPoint) -> bool:
    """Whether nothing that is made of a picture is lacking: the spaces of :func:`addable`, and of a photo the features.

    Args:
        schema: of the collection that the point is in.
        point: fetched with those spaces and at least the features of its payload.
    """
    has_spaces = all(name in point.vectors for name in addable(schema))
    return has_spaces and (schema.kind is not Kind.IMAGE or bool(point.payload.get(FEATURES)))


def renew(store: Store, generation: str, fresh: Sequence[Point]) -> None:
    """Put records into ``generation`` with what was just embedded of them, see :meth:`Renewal.upsert`.

    Raises:
        StoreError: the store refused.
    """
    _fill(store, generation, {point.id: point for point in fresh})


def carry_over(store: Store, generation: str, ids: Sequence[str]) -> None:
    """Put records into ``generation`` that could not be embedded anew: they keep what is still comparable.

    Raises:
        StoreError: the store refused.
    """
    _fill(store, generation, dict.fromkeys(ids))


def _fill(store: Store, generation: str, fresh: Mapping[str, Point | None]) -> None:
    """Records by id, with what was just embedded of them, if anything."""
    target = store.schema(generation)
    current = store.schema(target.collection)
    kept = [field.space.name for field in target.fields if current.space(field.space.name) == field.space]
    stored = store.retrieve(target.collection, list(fresh), vectors=kept)
    made = [_joined(old, fresh[old.id], kept, target.by_name) for old in stored]
    if made:
        store.upsert(generation, made)


def _joined(old: StoredPoint, new: Point | None, kept: Sequence[str], wanted: Mapping[str, object]) -> Point:
    vectors: dict[str, Array] = {name: old.vectors[name] for name in kept if name in old.vectors}
    before = MediaRecord.from_payload(old.payload)
    record = before
    if new is not None:
        vectors |= {name: vector for name, vector in new.vectors.items() if name in wanted and name not in vectors}
        record = renewed(before, MediaRecord.from_payload(new.payload))
    if CONCEPTS in kept and CONCEPTS in old.vectors:  # frames belong to the vector beside them
        record = replace(record, concept_frames=before.concept_frames)
    elif CONCEPTS not in vectors:
        record = replace(record, concept_frames=())
    return Point(old.id, vectors, record.to_payload())
