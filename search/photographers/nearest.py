"""The photos of some photographers that are nearest to a photo, by style and by subject."""

from __future__ import annotations

from collections.abc import Iterable

from search.media import Kind, MediaRecord
from search.photographers.answers import Photo
from search.records.lookup import thumbnail_address
from search.spaces import Space
from search.store.base import Array, Store, VectorQuery
from search.store.filters import Filter

NEAREST = 4
"""Photos of each photographer, half of them nearest by style, half by subject."""


def nearest_photos(
    store: Store, names: Iterable[str], media_id: str | None, vectors: Iterable[tuple[Space | None, Array | None]]
) -> dict[str, tuple[Photo, ...]]:
    """Photographer to the photos nearest in each space, without the photo that is asked about.

    Args:
        media_id: of the photo; None where it is not stored.
        vectors: of the photo, float32 ``(dim,)`` each, with their spaces; at least one.
    """
    asked = [(space, vector) for space, vector in vectors if space is not None and vector is not None]
    each = NEAREST // len(asked)
    queries = [
        (name, VectorQuery(space, vector[None], each, _of(name, media_id), with_payload=True))
        for name in names
        for space, vector in asked
    ]
    found: dict[str, dict[str, Photo]] = {}
    answers = store.query(Kind.IMAGE.collection, [query for _, query in queries])
    for (name, query), hits in zip(queries, answers, strict=True):
        for hit in hits:
            record = MediaRecord.from_payload(hit.payload or {})
            found.setdefault(name, {}).setdefault(hit.id, _photo(record, hit.score, query.space.name))
    return {name: tuple(photos.values()) for name, photos in found.items()}


def _of(photographer: str, without: str | None) -> Filter:
    return Filter(photographers=(photographer,), exclude_ids=(without,) if without else ())


def _photo(record: MediaRecord, score: float, space: str) -> Photo:
    path = record.paths[0] if record.paths else ""
    return Photo(record.id, path, thumbnail_address(record), score, space, record.taken_at)
