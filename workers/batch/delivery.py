"""Write the points that workers send back into a store that only this process can write."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from search.media import MediaRecord
from search.spaces import CollectionSchema
from search.store.base import Point, Store
from search.store.vectors import as_stored
from workers.batch.backfill import renew
from workers.batch.records import credited, find_records
from workers.batch.report import Delivery
from workers.embedders.sound.standardise import with_sound


def deliver(store: Store, deliveries: Sequence[Delivery], into: str | None = None) -> None:
    """Write points as a worker with access to the store writes them: all of them, or none where one does not fit.

    A stored record keeps its paths and libraries. ``sound`` and the derived payload keys are computed by this version,
    whichever version the worker has. Writing the same points twice changes nothing.

    Args:
        into: the generation to fill; None writes into the current ones.

    Raises:
        SpaceMismatchError: a vector is not of the collection's spaces; nothing has been written.
        StoreError: the store refused.
        ModelError: the statistics of sounds cannot be read.
    """
    if not deliveries:  # the worker has written them, and the store is not asked
        return
    points: dict[str, list[Point]] = {}
    for delivery in deliveries:
        point = delivery.point
        points.setdefault(delivery.collection, []).append(Point(point.id, with_sound(point.vectors), point.payload))
    for collection, group in points.items():
        _check(store.schema(collection if into is None else into), group, all_known=into is None)
    if into is not None:
        renew(store, into, [point for group in points.values() for point in group])
        return
    known = find_records(store, [delivery.point.id for delivery in deliveries])
    for collection, group in points.items():
        store.upsert(
            collection,
            [Point(point.id, point.vectors, _merged(point, known.get(point.id))) for point in group],
        )


def _check(schema: CollectionSchema, points: Sequence[Point], *, all_known: bool) -> None:
    """
    Args:
        all_known: whether the collection has to have every space that the points have vectors of. A generation that is
            filled may lack some.

    Raises:
        SpaceMismatchError, StoreError: as ``search.store.vectors.as_stored``.
    """
    spaces = schema.by_name
    for point in points:
        as_stored(schema, {name: v for name, v in point.vectors.items() if all_known or name in spaces})


def _merged(point: Point, known: MediaRecord | None) -> dict[str, object]:
    record = MediaRecord.from_payload(point.payload)
    if known is None:
        return record.to_payload()
    photographer, credit = credited(record.kind, record.artist, known)
    return replace(
        record,
        photographer=photographer,
        credit=credit,
        added=known.added,
        paths=tuple(sorted({*record.paths, *known.paths})),
        libraries=tuple(sorted({*record.libraries, *known.libraries})),
        mtime=max(record.mtime, known.mtime),
    ).to_payload()
