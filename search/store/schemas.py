"""Checks that a collection exists and holds the spaces that are meant, for either engine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from search.errors import NotFoundError, SpaceMismatchError
from search.spaces import CollectionSchema, VectorField
from search.store.base import SpaceNotAddedError


def no_collection(name: str) -> NotFoundError:
    return NotFoundError(f"There is no collection '{name}'.", "Ingest something of that kind first.")


def check_same_spaces(existing: CollectionSchema, wanted: CollectionSchema) -> None:
    """Spaces that only one of the two has are fine: nothing writes to them, or they can be added.

    Raises:
        SpaceMismatchError: a wanted space is there with another fingerprint, or held in another form.
    """
    for field in wanted.fields:
        if field.space.name not in existing.by_name:
            continue
        found = existing.require(field.space)
        if found.multi != field.multi:
            raise SpaceMismatchError(
                f"Collection '{existing.collection}' keeps {'many vectors' if found.multi else 'one vector'} "
                f"of '{field.space.name}' a point, not {'many' if field.multi else 'one'}.",
                "Make it anew with `likewise reembed`.",
            )
        if found.sparse != field.sparse:
            raise SpaceMismatchError(
                f"Collection '{existing.collection}' keeps {'sparse' if found.sparse else 'dense'} vectors "
                f"of '{field.space.name}', not {'sparse' if field.sparse else 'dense'} ones.",
                "Make it anew with `likewise reembed`.",
            )


def spaces_to_add(existing: CollectionSchema, wanted: CollectionSchema) -> tuple[VectorField, ...]:
    """The wanted fields that ``existing`` lacks."""
    return tuple(field for field in wanted.fields if field.space.name not in existing.by_name)


def with_added(existing: CollectionSchema, fields: Sequence[VectorField]) -> CollectionSchema:
    return replace(existing, fields=(*existing.fields, *fields))


def lacks(schema: CollectionSchema, field: VectorField, reason: str) -> SpaceNotAddedError:
    """The error for a space that cannot be added to a collection."""
    return SpaceNotAddedError(
        f"Collection '{schema.collection}' has no space '{field.space.name}', {reason}.",
        f"Make it anew with `likewise reembed --space {field.space.name}`.",
        field.space.name,
    )
