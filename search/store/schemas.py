"""Checks that a collection exists and is the one that is meant, the same for either engine."""

from __future__ import annotations

from search.errors import NotFoundError, SpaceMismatchError
from search.spaces import CollectionSchema


def no_collection(name: str) -> NotFoundError:
    return NotFoundError(f"There is no collection '{name}'.", "Ingest something of that kind first.")


def check_same_spaces(existing: CollectionSchema, wanted: CollectionSchema) -> None:
    """Spaces that ``existing`` has beyond ``wanted`` are fine: nobody writes to them.

    Raises:
        SpaceMismatchError: a wanted space is absent, of another fingerprint, or held in another form.
    """
    for field in wanted.fields:
        found = existing.require(field.space)
        if found.multi != field.multi:
            raise SpaceMismatchError(
                f"Collection '{existing.collection}' keeps {'many vectors' if found.multi else 'one vector'} "
                f"of '{field.space.name}' a point, not {'many' if field.multi else 'one'}.",
                "Use a new data directory (LIKEWISE_HOME).",
            )
