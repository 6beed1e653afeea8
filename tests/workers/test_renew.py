"""Records move into a new generation with fresh vectors where the model changed, and with their own everywhere else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from search.media import Kind, MediaRecord, media_id
from search.settings import Settings
from search.spaces import CollectionSchema, Space, VectorField
from search.store.base import Point, Store
from workers.batch import BatchProcessor
from workers.delivery import deliver
from workers.embedders.models import Embedded
from workers.outbox import Outbox
from workers.records import find_records
from workers.renew import Renewal, carry_over
from workers.report import Batch, BatchReport, FileRef, Status

SPACES = ("visual", "motion", "sound", "sound_raw")


class OtherModels:
    """Models whose ``visual`` looks the other way, and which see another thing in every picture."""

    def __init__(self, models: Any) -> None:
        self._models = models
        self.schemas = models.schemas

    def load(self) -> None:
        pass

    def embed(self, items: Any) -> list[Embedded]:
        return [
            Embedded(dict(made.vectors) | {"visual": -made.vectors["visual"]}, ("tiger",))
            for made in self._models.embed(items)
        ]


@pytest.fixture
def videos(make_file: Callable[..., FileRef]) -> Batch:
    return Batch("b1", "j1", Kind.VIDEO, tuple(make_file(f"{name}.mp4", other_paths=("/copy",)) for name in "abc"))


@pytest.fixture
def generation(settings: Settings, store: Store, pool: Any, models: Any, videos: Batch) -> str:
    """A generation whose ``visual`` is of another revision, empty, beside one that holds the videos."""
    BatchProcessor(settings, store, pool, models).process(videos)
    schema = store.schema("videos")
    changed = VectorField(replace(schema.by_name["visual"].space, revision="2"), multi=True)
    return store.begin_generation(CollectionSchema(Kind.VIDEO, (changed, *schema.fields[1:])))


Route = Callable[[Batch, str], BatchReport]


@pytest.fixture(params=["a worker that reaches the store", "a worker that sends back what it made"])
def route(request: pytest.FixtureRequest, settings: Settings, store: Store, pool: Any, models: Any) -> Route:
    def direct(batch: Batch, into: str) -> BatchReport:
        return BatchProcessor(settings, Renewal(store, [into]), pool, OtherModels(models)).process(batch)

    def sent_back(batch: Batch, into: str) -> BatchReport:
        outbox = Outbox()
        report = BatchProcessor(settings, outbox, pool, OtherModels(models)).process(batch)
        deliver(store, outbox.deliveries, into)
        return report

    return direct if "reaches" in request.param else sent_back


def test_only_what_the_model_changes_is_new(store: Store, route: Route, videos: Batch, generation: str) -> None:
    report = route(videos, generation)
    assert [outcome.status for outcome in report.outcomes] == [Status.EMBEDDED] * 3
    before = {point.id: point for point in store.scroll("videos", vectors=SPACES)}
    after = {point.id: point for point in store.scroll(generation, vectors=SPACES)}
    assert after.keys() == before.keys()
    assert len(after) == 3
    for id_, old in before.items():
        new = after[id_]
        np.testing.assert_allclose(new.vectors["visual"], -old.vectors["visual"], atol=1e-6)
        for space in SPACES[1:]:
            np.testing.assert_array_equal(new.vectors[space], old.vectors[space])
        assert (old.payload["tags"], new.payload["tags"]) == (["tabby"], ["tiger"])
        assert "tiger" in new.payload["words"].split()
        same = {"tags", "words"}
        assert {k: v for k, v in new.payload.items() if k not in same} == {
            k: v for k, v in old.payload.items() if k not in same
        }
        assert "/copy" in new.payload["paths"]


def test_a_record_that_has_gone_meanwhile_does_not_come_back(
    store: Store, route: Route, videos: Batch, generation: str
) -> None:
    gone = media_id(videos.files[0].sha256)
    store.delete("videos", [gone])
    route(videos, generation)
    assert store.count(generation) == 2
    assert store.retrieve(generation, [gone]) == []


def test_what_the_generation_holds_is_not_embedded_again(
    settings: Settings, store: Store, pool: Any, models: Any, videos: Batch, generation: str
) -> None:
    processor = BatchProcessor(settings, Renewal(store, [generation]), pool, OtherModels(models))
    processor.process(videos)
    asked = len(pool.asked)
    again = processor.process(videos)
    assert [outcome.status for outcome in again.outcomes] == [Status.DUPLICATE] * 3
    assert len(pool.asked) == asked


def test_what_cannot_be_embedded_keeps_what_is_still_comparable(store: Store, videos: Batch, generation: str) -> None:
    ids = [media_id(file.sha256) for file in videos.files]
    carry_over(store, generation, ids)
    for point in store.scroll(generation, vectors=SPACES):
        assert point.vectors.keys() == {"motion", "sound", "sound_raw"}
    assert store.count(generation) == 3


def test_only_what_is_complete_counts_as_stored_where_records_are_filled_in(store: Store) -> None:
    rows, features = np.ones((1, 8), np.float32), (0.5, None) * 39
    style = Space("style", "fake", "1", "first bytes", 8)
    stored = {
        "complete": (Kind.IMAGE, ("visual", "style"), features),
        "without features": (Kind.IMAGE, ("visual", "style"), ()),
        "without style": (Kind.IMAGE, ("visual",), features),
        "video": (Kind.VIDEO, ("visual", "style"), ()),
        "video without style": (Kind.VIDEO, ("visual",), ()),
    }
    for kind in (Kind.IMAGE, Kind.VIDEO):
        schema = store.schema(kind.collection)
        store.ensure(replace(schema, fields=(*schema.fields, VectorField(style))))
    ids = {name: media_id(name) for name in stored}
    for name, (kind, spaces, known) in stored.items():
        record = MediaRecord(ids[name], kind, (f"/{name}",), features=known)
        store.upsert(kind.collection, [Point(record.id, dict.fromkeys(spaces, rows), record.to_payload())])

    found = find_records(Renewal(store, ["images", "videos"]), list(ids.values()))

    assert found.keys() == {ids["complete"], ids["video"]}
