"""A batch embedded without a store comes to the same points as one embedded into it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from search.media import Kind
from search.settings import Settings
from search.store.base import Store
from workers.batch.collecting_store import CollectingStore
from workers.batch.processor import BatchProcessor
from workers.batch.report import Batch, FileRef, Status

MakeFile = Callable[..., FileRef]


def batch(*files: FileRef) -> Batch:
    return Batch("b1", "j1", Kind.VIDEO, files)


def delivered(outbox: CollectingStore) -> dict[str, dict[str, Any]]:
    return {delivery.point.id: dict(delivery.point.vectors) for delivery in outbox.deliveries}


def stored(store: Store, ids: Sequence[str]) -> dict[str, dict[str, Any]]:
    names = ("visual", "motion", "sound", "sound_raw")
    found: dict[str, dict[str, Any]] = {}
    for name, info in store.collections().items():
        has = [space for space in names if info.schema.space(space)]
        found |= {point.id: dict(point.vectors) for point in store.retrieve(name, ids, vectors=has)}
    return found


def test_collects_what_the_store_would_hold(
    settings: Settings, store: Store, pool: Any, models: Any, make_file: MakeFile
) -> None:
    files = batch(make_file("a.mp4"), make_file("b.wav"), make_file("c.jpg"), make_file("d.wav"))
    report = BatchProcessor(settings, store, pool, models).process(files)
    outbox = CollectingStore()
    again = BatchProcessor(settings, outbox, pool, models).process(files)
    assert [one.status for one in again.outcomes] == [one.status for one in report.outcomes] == [Status.EMBEDDED] * 4
    here, there = delivered(outbox), stored(store, [one.media_id or "" for one in report.outcomes])
    assert here.keys() == there.keys()
    for id_, vectors in here.items():
        assert vectors.keys() == there[id_].keys()
        for space, vector in vectors.items():
            np.testing.assert_allclose(vector, there[id_][space], atol=1e-6)


def test_one_point_for_files_of_one_content(settings: Settings, pool: Any, models: Any, make_file: MakeFile) -> None:
    files = make_file("a.jpg", "same"), make_file("b.jpg", "same", other_paths=("/elsewhere/c.jpg",))
    outbox = CollectingStore()
    report = BatchProcessor(settings, outbox, pool, models).process(batch(*files))
    assert [one.status for one in report.outcomes] == [Status.EMBEDDED, Status.DUPLICATE]
    (delivery,) = outbox.deliveries
    assert delivery.collection == "images"
    assert delivery.point.payload["paths"] == sorted([files[0].path, files[1].path, "/elsewhere/c.jpg"])
