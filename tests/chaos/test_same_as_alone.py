"""A job over two workers leaves what the same job leaves in one process: records, vectors, ledger, counts."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import select

from ingest.jobs.progress import JobProgress
from ingest.jobs.service import JobService
from ingest.ledger.database import Ledger
from ingest.ledger.tables import files, libraries
from search.media import MediaRecord
from search.model_descriptions.model_choice import schemas_of
from search.settings import Settings
from search.spaces import CollectionSchema
from search.store import open_store
from search.store.base import Array, Store
from workers.batch.local_runner import LocalRunner
from workers.batch.processor import BatchProcessor, MediaEmbedder
from workers.decode.sandbox.pool import DecodePool
from workers.embedders.choice import choose_models
from workers.embedders.models import Models

SAME = 0.9999
"""Least cosine of two vectors of one file."""

Contents = Mapping[str, tuple[MediaRecord, Mapping[str, Array]]]


def contents(store: Store, schemas: tuple[CollectionSchema, ...]) -> Contents:
    return {
        point.id: (replace(MediaRecord.from_payload(point.payload), added=None), point.vectors)
        for schema in schemas
        for point in store.scroll(schema.collection, vectors=tuple(schema.by_name))
    }


def rows(ledger: Ledger) -> list[tuple[object, ...]]:
    columns = [column for column in files.c if column.name != "library"]
    with ledger.read() as connection:
        found = connection.execute(select(*columns, libraries.c.name).join(libraries).order_by(files.c.path))
        return [tuple(row) for row in found]


def outcome(ended: JobProgress) -> JobProgress:
    return replace(ended, seconds=0.0, rate=0.0, created=0.0)


def run_alone(
    settings: Settings,
    media: Path,
    models: MediaEmbedder,
    schemas: tuple[CollectionSchema, ...],
    *,
    clips: bool,
    movement: bool = False,
) -> tuple[JobProgress, Contents, list[tuple[object, ...]]]:
    store, ledger = open_store(settings), Ledger(settings.ledger_url)
    for schema in schemas:
        store.ensure(schema)
    with DecodePool(settings, clips=clips, movement=movement) as pool:
        ingest = JobService(settings, store, ledger, LocalRunner(BatchProcessor(settings, store, pool, models)))
        ended = ingest.run(ingest.start([media]))
    left = outcome(ended), contents(store, schemas), rows(ledger)
    store.close()
    ledger.close()
    return left


def run_together(
    cluster: Any, media: Path, schemas: tuple[CollectionSchema, ...]
) -> tuple[JobProgress, Contents, list[tuple[object, ...]]]:
    cluster.begin(media)
    ended = cluster.finish(500)
    assert cluster.waiting() == []
    return outcome(ended), contents(cluster.store, schemas), rows(cluster.ledger)


def assert_same(alone: Any, together: Any) -> None:
    for one, other in zip(alone[2], together[2], strict=True):
        assert one == other
    assert alone[0] == together[0]
    assert alone[1].keys() == together[1].keys()
    for id_, (record, vectors) in alone[1].items():
        assert record == together[1][id_][0]
        assert vectors.keys() == together[1][id_][1].keys()
        for space, vector in vectors.items():
            other = together[1][id_][1][space]
            assert vector.shape == other.shape
            cosines = (vector * other).sum(1) / (np.linalg.norm(vector, axis=1) * np.linalg.norm(other, axis=1))
            assert cosines.min() > SAME, f"{record.paths[0]}: {space}"


def test_many_files_with_light_models(
    make_settings: Callable[..., Settings],
    cluster_settings: Any,
    make_cluster: Any,
    start_worker: Any,
    quick_models: Any,
    paint: Any,
    tmp_path: Path,
) -> None:
    media = paint(480)
    for number in range(10):
        shutil.copy(media / f"{40 * number:04}.png", media / f"twin-{number}.png")
    for number in range(5):
        (media / f"broken-{number}.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes([number]) * 100)
        (media / f"empty-{number}.png").touch()
    alone = run_alone(make_settings(home=tmp_path / "alone"), media, quick_models, quick_models.schemas, clips=False)
    settings = cluster_settings(in_flight=8)
    for _ in range(2):
        start_worker(settings)
    together = run_together(make_cluster(settings), media, quick_models.schemas)
    assert_same(alone, together)
    counted = together[0]
    assert (counted.total, counted.embedded, counted.duplicate, counted.failed) == (500, 480, 10, 10)


@pytest.mark.models
def test_files_of_every_kind_with_the_real_models(
    make_settings: Callable[..., Settings],
    broker: Any,
    make_cluster: Any,
    parts: Any,
    start_worker: Any,
    shared_data: Path,
    tmp_path: Path,
) -> None:
    media = tmp_path / "media"
    for folder, count in (("images_caltech101", 26), ("audio_samples_sonicpi", 10), ("video_scenes", 4)):
        found = sorted(path for path in (shared_data / folder).rglob("*") if path.suffix in (".jpg", ".flac", ".mp4"))
        for path in found[:: len(found) // count][:count]:
            place = media / path.relative_to(shared_data)
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, place)
    settings = make_settings(home=tmp_path / "alone", threads=1)
    choice = choose_models(settings, {})
    schemas = schemas_of(choice)
    clips = choice.needs_clips
    alone = run_alone(settings, media, Models(settings, choice), schemas, clips=clips, movement=choice.needs_movement)
    settings = make_settings(broker_url=broker.url, threads=1)
    parts.make_collections(settings, schemas)
    for _ in range(2):
        start_worker(settings, light=False)
    together = run_together(make_cluster(settings, choice=choice), media, schemas)
    assert_same(alone, together)
    assert together[0].embedded == 40
    assert {record.kind.value for record, _ in together[1].values()} == {"image", "video", "audio"}
