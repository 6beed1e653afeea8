"""Looks up one record, the vectors of an example, and the values of facets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from search.errors import NotFoundError
from search.media import Kind, MediaRecord
from search.model_descriptions.registry import MOTION, SCENE, SOUND, SOUND_VOICE, VOICE
from search.similar.questions import Probe
from search.similar.shots import SHOT_KEYS, Shot
from search.spaces import MEANING, CollectionSchema, VectorField
from search.store.base import Facet, PayloadChoice, Store, StoredPoint
from search.store.filters import Filter

ASKED_BY_NAME = frozenset({"style", MEANING})
"""Spaces that answer only a question that names them: alike in style is not alike in what is shown, and ``meaning`` is
there for words; ``visual`` compares pictures already."""

PARTS = frozenset({SOUND, VOICE})
"""What :data:`SOUND_VOICE` combines; where a collection holds that, these answer only a question that names them."""

CARRIED = frozenset({"appearance"})
"""Spaces that no question by example uses, but whose vectors an example has: photographers are told apart by them."""

SHOWN = (
    *("kind", "paths", "mime", "duration", "tags", "fingerprints", "moments", "sound_runs", "voice_runs", "borders"),
    *SHOT_KEYS,
)
"""Payload keys that examples, hits and tiles are made from; whole records take several times as long to fetch."""


def find_record(store: Store, media_id: str, payload: PayloadChoice = True) -> MediaRecord:
    """The record of an id, whichever collection holds it; with what :data:`SHOWN` names, ``search.records.shown`` has
    it sooner.

    Args:
        payload: all facts, or those of these keys, among them ``id``, ``kind`` and ``paths``.

    Raises:
        NotFoundError: no collection does.
    """
    for collection in store.collections():
        for point in store.retrieve(collection, [media_id], payload=payload):
            return MediaRecord.from_payload(point.payload)
    raise not_stored(media_id)


def probe_of(store: Store, media_id: str) -> Probe:
    """Stored media as the example of a question.

    Raises:
        NotFoundError: no collection holds the id.
    """
    return probes_of(store, [media_id])[0]


def probes_of(store: Store, media_ids: Sequence[str]) -> list[Probe]:
    """One probe an id, in the order given, with one round trip a collection at most.

    Raises:
        NotFoundError: naming the first id that no collection holds.
    """
    found: dict[str, Probe] = {}
    for collection, info in store.collections().items():
        wanted = [media_id for media_id in media_ids if media_id not in found]
        if not wanted:
            break
        spaces = [field.space.name for field in carried_fields(info.schema)]
        for point in store.retrieve(collection, wanted, vectors=spaces, payload=SHOWN):
            found[point.id] = _probe(info.schema, point)
    for media_id in media_ids:
        if media_id not in found:
            raise not_stored(media_id)
    return [found[media_id] for media_id in media_ids]


def asked_fields(schema: CollectionSchema) -> tuple[VectorField, ...]:
    """The spaces that questions by example may use: internal ones (``*_raw``) are never asked or shown, and sparse ones
    answer words."""
    return tuple(
        field for field in schema.fields if field.indexed and not field.sparse and not field.space.name.endswith("_raw")
    )


def answers_unnamed(schema: CollectionSchema, space: str) -> bool:
    """Whether a space answers questions that name none. ``motion`` does not where there is ``scene``, since what moves
    alike shows other things; elsewhere it holds what is ``scene`` now, as version 0.1 made it."""
    if space == MOTION:
        return schema.space(SCENE) is None
    return space not in ASKED_BY_NAME and not (space in PARTS and schema.space(SOUND_VOICE) is not None)


def carried_fields(schema: CollectionSchema) -> tuple[VectorField, ...]:
    """The spaces of which an example has vectors: those of :func:`asked_fields` and :data:`CARRIED`."""
    return asked_fields(schema) + tuple(field for field in schema.fields if field.space.name in CARRIED)


def facets(
    store: Store, keys: Sequence[str], where: Filter | None = None, limit: int = 50
) -> Mapping[str, tuple[Facet, ...]]:
    """Values of indexed payload keys with their counts over all collections, most frequent first, then by name.

    Raises:
        UsageError: a key has no index that can be counted.
    """
    counts: dict[str, dict[str, int]] = {key: {} for key in keys}
    for collection in store.collections():
        for key in keys:
            for facet in store.facet(collection, key, where=where or Filter(), limit=limit):
                counts[key][facet.value] = counts[key].get(facet.value, 0) + facet.count
    return {
        key: tuple(Facet(value, n) for value, n in sorted(values.items(), key=lambda item: (-item[1], item[0]))[:limit])
        for key, values in counts.items()
    }


def thumbnail_address(record: MediaRecord) -> str | None:
    """Where the page finds a record's preview picture; None when there is none."""
    return f"/media/{record.id}/preview" if record.thumbnail else None


def _probe(schema: CollectionSchema, point: StoredPoint) -> Probe:
    record = MediaRecord.from_payload(point.payload)
    return Probe(
        kind=record.kind,
        vectors=point.vectors,
        spaces={name: field.space.fingerprint for name, field in schema.by_name.items() if name in point.vectors},
        media_id=record.id,
        fingerprints=record.fingerprints,
        moments=record.moments,
        name=record.paths[0] if record.paths else "",
        duration=record.duration,
        borders=record.borders,
        sound_runs=record.sound_runs,
        voice_runs=record.voice_runs,
        shot=Shot.of(record) if record.kind is Kind.IMAGE else None,
    )


def not_stored(media_id: str) -> NotFoundError:
    """The error for an id that no collection holds."""
    return NotFoundError(f"Nothing is stored under the id '{media_id}'.", "Ids are shown by `likewise similar --json`.")
