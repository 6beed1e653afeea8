"""Filling a new generation of a collection: spaces of another model come from fresh embeddings, the rest is kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from search.media import MediaRecord
from search.store.base import Array, Point, Store, StoredPoint


def renew(store: Store, generation: str, fresh: Sequence[Point]) -> None:
    """Put records into ``generation`` with what was just embedded of them.

    Args:
        fresh: ids of records in the current generation, with vectors of (at least) the spaces that differ. Their tags
            are taken over; all else a record says stays as it is. A record that has gone meanwhile is left out.

    Raises:
        StoreError: the store refused.
    """
    fill(store, generation, {point.id: point for point in fresh})


def carry_over(store: Store, generation: str, ids: Sequence[str]) -> None:
    """Put records into ``generation`` that could not be embedded anew: they keep what is still comparable.

    Raises:
        StoreError: the store refused.
    """
    fill(store, generation, dict.fromkeys(ids))


def fill(store: Store, generation: str, fresh: Mapping[str, Point | None]) -> None:
    """What :func:`renew` and :func:`carry_over` have in common: id to what was embedded of it, if anything."""
    target = store.schema(generation)
    current = store.schema(target.collection)
    kept = [
        name
        for name, field in target.by_name.items()
        if (before := current.space(name)) is not None and before.fingerprint == field.space.fingerprint
    ]
    stored = store.retrieve(target.collection, list(fresh), vectors=kept)
    made = [_joined(old, fresh[old.id], kept, target.by_name) for old in stored]
    if made:
        store.upsert(generation, made)


def _joined(old: StoredPoint, new: Point | None, kept: Sequence[str], wanted: Mapping[str, object]) -> Point:
    vectors: dict[str, Array] = {name: old.vectors[name] for name in kept if name in old.vectors}
    if new is None:
        return Point(old.id, vectors, old.payload)
    vectors |= {name: vector for name, vector in new.vectors.items() if name in wanted and name not in kept}
    record = replace(MediaRecord.from_payload(old.payload), tags=tuple(new.payload.get("tags", ())))
    return Point(old.id, vectors, record.to_payload())
