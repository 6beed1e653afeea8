"""Records move into a new generation with fresh vectors where the model changed, and with their own everywhere else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from search.media import Kind, MediaRecord, media_id
from search.settings import Settings
from search.spaces import CollectionSchema, Distance, Space, VectorField
from search.store.base import Point, Store
from search.store.checksums import prove
from workers.batch.backfill import BackfillStore, carry_over, renew
from workers.batch.collecting_store import CollectingStore
from workers.batch.delivery import deliver
from workers.batch.processor import BatchProcessor
from workers.batch.records import find_records
from workers.batch.report import Batch, BatchReport, FileRef, Status
from workers.embedders.models import Embedded

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
        return BatchProcessor(settings, BackfillStore(store, [into]), pool, OtherModels(models)).process(batch)

    def sent_back(batch: Batch, into: str) -> BatchReport:
        outbox = CollectingStore()
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
    processor = BatchProcessor(settings, BackfillStore(store, [generation]), pool, OtherModels(models))
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


STYLE = VectorField(Space("style", "fake", "1", "first bytes", 8))
CONCEPTS = VectorField(Space("concepts", "fake", "1", "first bytes", 8, Distance.DOT), sparse=True)


def test_only_what_is_complete_counts_as_stored_where_records_are_filled_in(store: Store) -> None:
    rows, features = np.ones((1, 8), np.float32), (0.5, None) * 39
    stored = {
        "complete": (Kind.IMAGE, ("visual", "style", "concepts"), features),
        "without features": (Kind.IMAGE, ("visual", "style", "concepts"), ()),
        "without style": (Kind.IMAGE, ("visual", "concepts"), features),
        "without concepts": (Kind.IMAGE, ("visual", "style"), features),
        "video": (Kind.VIDEO, ("visual", "style", "concepts"), ()),
        "video without style": (Kind.VIDEO, ("visual", "concepts"), ()),
        "video without concepts": (Kind.VIDEO, ("visual", "style"), ()),
    }
    for kind in (Kind.IMAGE, Kind.VIDEO):
        schema = store.schema(kind.collection)
        store.ensure(replace(schema, fields=(*schema.fields, STYLE, CONCEPTS)))
    ids = {name: media_id(name) for name in stored}
    for name, (kind, spaces, known) in stored.items():
        record = MediaRecord(ids[name], kind, (f"/{name}",), features=known)
        store.upsert(kind.collection, [Point(record.id, dict.fromkeys(spaces, rows), record.to_payload())])

    found = find_records(BackfillStore(store, ["images", "videos"]), list(ids.values()))

    assert found.keys() == {ids["complete"], ids["video"]}


def test_a_space_that_cannot_be_had_is_not_asked_for(store: Store) -> None:
    """Where the server is too old to add concepts, a photo with style and features is all that it can be."""
    schema = store.schema("images")
    store.ensure(replace(schema, fields=(*schema.fields, STYLE)))
    rows = np.ones((1, 8), np.float32)
    record = MediaRecord(media_id("a"), Kind.IMAGE, ("/a",), features=(0.5, None) * 39)
    store.upsert("images", [Point(record.id, {"visual": rows, "style": rows}, record.to_payload())])
    assert find_records(BackfillStore(store, ["images"]), [record.id]).keys() == {record.id}


def test_frames_go_with_the_concepts_they_are_of(store: Store) -> None:
    """What is there stays, vector and frames; what is filled in brings its own; what is lost takes them with it."""
    schema = store.schema("videos")
    store.ensure(replace(schema, fields=(*schema.fields, CONCEPTS)))
    rows, told = np.ones((1, 8), np.float32), np.eye(1, 8, dtype=np.float32)
    ids = [media_id(name) for name in ("has", "lacks")]
    for id_, vectors, of in ((ids[0], {"visual": rows, "concepts": told}, (4,)), (ids[1], {"visual": rows}, ())):
        record = MediaRecord(id_, Kind.VIDEO, (f"/{id_}",), concept_frames=of)
        store.upsert("videos", [Point(id_, vectors, record.to_payload())])

    def frames(generation: str) -> list[tuple[int, ...]]:
        return [MediaRecord.from_payload(point.payload).concept_frames for point in store.retrieve(generation, ids)]

    fresh = [MediaRecord(id_, Kind.VIDEO, (f"/{id_}",), concept_frames=(2, 1)) for id_ in ids]
    other = np.full((1, 8), 0.5, np.float32)
    renew(store, "videos", [Point(record.id, {"concepts": other}, record.to_payload()) for record in fresh])
    assert frames("videos") == [(4,), (2, 1)]
    kept, filled = store.retrieve("videos", ids, vectors=("concepts",))
    np.testing.assert_array_equal(kept.vectors["concepts"], told)
    np.testing.assert_array_equal(filled.vectors["concepts"], other)

    changed = replace(CONCEPTS, space=replace(CONCEPTS.space, revision="2"))
    generation = store.begin_generation(replace(schema, fields=(*schema.fields, changed)))
    carry_over(store, generation, ids)
    assert frames(generation) == [(), ()]
    assert not any("concepts" in point.vectors for point in store.scroll(generation, vectors=("concepts",)))


def test_style_is_measured_anew_with_the_features_where_borders_are_found(store: Store) -> None:
    schema = store.schema("images")
    store.ensure(replace(schema, fields=(*schema.fields, STYLE)))
    rows, other = np.eye(1, 8, dtype=np.float32), np.eye(1, 8, 1, dtype=np.float32)
    ids = [media_id(name) for name in ("framed", "plain")]
    for id_, borders in zip(ids, ((0.1, 0.1, 0.1, 0.1), ()), strict=True):
        record = MediaRecord(id_, Kind.IMAGE, (f"/{id_}",), features=(0.5,) * 78)
        store.upsert("images", [Point(id_, {"visual": rows, "style": rows}, record.to_payload())])
        fresh = replace(record, features=(0.25,) * 78, borders=borders)
        renew(store, "images", [Point(id_, {"visual": other, "style": other}, fresh.to_payload())])
    framed, plain = store.retrieve("images", ids, vectors=("visual", "style"))
    np.testing.assert_array_equal(framed.vectors["style"], other)
    for kept in (framed.vectors["visual"], plain.vectors["visual"], plain.vectors["style"]):
        np.testing.assert_array_equal(kept, rows)
    assert prove(store.schema("images"), framed).damaged == ()
