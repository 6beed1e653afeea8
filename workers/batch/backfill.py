"""Fill a collection with new vectors of some spaces and keep the vectors of the others.

The collection is either a new generation, beside the one that queries use, or the current one (named without a number,
``images``), whose records get what they were ingested without: the spaces of :data:`FILLED_IN_PLACE` and features.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from search.media import Kind, MediaRecord, Payload
from search.model_descriptions.registry import MOTION, SCENE
from search.records.sound_rows import HEARD
from search.spaces import MEANING, CollectionSchema
from search.store.base import Array, CollectionInfo, PayloadChoice, Point, Store, StoredPoint
from search.store.checksums import OF_FACTS, prove
from search.words.table import SPACE as CONCEPTS
from workers.batch.records import renewed

FILLED_IN_PLACE = ("style", "appearance", CONCEPTS, MEANING)
"""Spaces of pictures and key frames that records ingested by an older version may lack."""

WITHIN_BORDERS = ("style", "appearance")
"""Spaces of which a picture's vector is, as its features are, of what lies within its borders."""

FEATURES = "features"
"""Payload key of the features of a photo."""


class BackfillStore:
    """An ``EmbeddingStore`` that writes into the generations being filled.

    A content counts as stored when its generation holds it; in the current generation, when it is complete there. A
    written point has the record and the still comparable vectors of the current generation, and the new tags and
    vectors.

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
        """Write points with vectors of at least the spaces that differ. A record deleted meanwhile is left out."""
        renew(self._store, self._generation[collection], points)

    def patch_payload(self, collection: str, patches: Mapping[str, Payload]) -> None:
        self._store.patch_payload(self._generation[collection], patches)


def addable(schema: CollectionSchema) -> tuple[str, ...]:
    """Those of :data:`FILLED_IN_PLACE` that a collection holds."""
    return tuple(name for name in FILLED_IN_PLACE if schema.space(name) is not None)


def is_complete(schema: CollectionSchema, point: StoredPoint) -> bool:
    """Whether a point has all that is made of a picture: the spaces of :func:`addable`, and of a photo the features.

    Args:
        schema: of the collection that the point is in.
        point: fetched with those spaces and at least the features of its payload.
    """
    has_spaces = all(name in point.vectors for name in addable(schema))
    return has_spaces and (schema.kind is not Kind.IMAGE or bool(point.payload.get(FEATURES)))


def renew(store: Store, generation: str, fresh: Sequence[Point]) -> None:
    """Write records with their new vectors into ``generation``, see :meth:`BackfillStore.upsert`.

    Raises:
        StoreError: the store refused.
    """
    _fill(store, generation, {point.id: point for point in fresh})


def carry_over(store: Store, generation: str, ids: Sequence[str]) -> None:
    """Write records that could not be embedded again into ``generation``, with the vectors still comparable.

    Raises:
        StoreError: the store refused.
    """
    _fill(store, generation, dict.fromkeys(ids))


def renamed(target: CollectionSchema, current: CollectionSchema) -> Mapping[str, str]:
    """Spaces of ``target`` whose vectors ``current`` holds under another name, which is the value: version 0.1 called
    ``scene`` motion."""
    scene, motion = target.space(SCENE), current.space(MOTION)
    same = scene is not None and motion is not None and replace(motion, name=SCENE) == scene
    return {SCENE: MOTION} if same and current.space(SCENE) is None else {}


def _fill(store: Store, generation: str, fresh: Mapping[str, Point | None]) -> None:
    """Write records into ``generation``.

    Args:
        fresh: id to the new point; None where the file could not be embedded.
    """
    target = store.schema(generation)
    current = store.schema(target.collection)
    kept = [field.space.name for field in target.fields if current.space(field.space.name) == field.space]
    called = renamed(target, current)
    stored = store.retrieve(target.collection, list(fresh), vectors=list({*kept, *called.values()}))
    made = [_joined(current, old, fresh[old.id], kept, target.by_name, called) for old in stored]
    if made:
        store.upsert(generation, made)


def _joined(
    schema: CollectionSchema,
    old: StoredPoint,
    new: Point | None,
    kept: Sequence[str],
    wanted: Mapping[str, object],
    called: Mapping[str, str],
) -> Point:
    before = MediaRecord.from_payload(old.payload)
    record = before if new is None else renewed(before, MediaRecord.from_payload(new.payload))
    if new is not None and record.borders != before.borders:  # vectors follow the borders, as features do
        kept = [name for name in kept if name not in WITHIN_BORDERS or name not in new.vectors]
    vectors: dict[str, Array] = {name: old.vectors[name] for name in kept if name in old.vectors}
    if new is not None:
        vectors |= {name: vector for name, vector in new.vectors.items() if name in wanted and name not in vectors}
    vectors |= {now: old.vectors[was] for now, was in called.items() if was in old.vectors and now not in vectors}
    if CONCEPTS in kept and CONCEPTS in old.vectors:  # its components are numbered by the vector that was kept
        record = replace(record, concept_frames=before.concept_frames)
    elif CONCEPTS not in vectors:
        record = replace(record, concept_frames=())
    if not any(name in HEARD and name not in kept for name in vectors):  # rows of sound are as they were
        record = replace(record, sound_runs=before.sound_runs, voice_runs=before.voice_runs)
    # What is kept keeps its checksum, and damaged facts theirs, so that damage is still found.
    checksums = {name: old.checksums[name] for name in kept if name in vectors and name in old.checksums}
    if OF_FACTS in prove(schema, old).damaged:
        checksums[OF_FACTS] = old.checksums[OF_FACTS]
    return Point(old.id, vectors, record.to_payload(), checksums)
