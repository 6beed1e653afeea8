"""Points that workers send back are stored as if their workers had stored them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from search.media import Kind, MediaRecord, media_id
from search.model_descriptions.model_choice import ModelChoice, schemas_of
from search.settings import Settings
from search.spaces import CollectionSchema, Space, VectorField
from search.store import open_store
from search.store.base import Array, Point, Store
from workers.batch.collecting_store import CollectingStore
from workers.batch.delivery import deliver
from workers.batch.processor import BatchProcessor
from workers.batch.report import Batch, Delivery, FileRef
from workers.cluster.serialization import report_from_json, report_to_json
from workers.embedders.sound.standardise import standardise

MakeFile = Callable[..., FileRef]
SPACES = {"images": ("visual",), "videos": ("visual", "motion", "sound", "sound_raw"), "audio": ("sound", "sound_raw")}
QUIET = ModelChoice("efficientnet_lite0", "frames_efficientnet_lite0")
KINDS = {".jpg": Kind.IMAGE, ".mp4": Kind.VIDEO, ".wav": Kind.AUDIO}


@pytest.fixture
def sent(settings: Settings, pool: Any, models: Any) -> Callable[..., tuple[Delivery, ...]]:
    """What a worker without a store sends back of files of one kind, over the wire."""

    def make(*files: FileRef) -> tuple[Delivery, ...]:
        outbox = CollectingStore()
        kind = KINDS[Path(files[0].path).suffix]
        report = BatchProcessor(settings, outbox, pool, models).process(Batch("b", "j", kind, files))
        return report_from_json(report_to_json(replace(report, deliveries=tuple(outbox.deliveries)))).deliveries

    return make


def contents(store: Store) -> dict[str, tuple[MediaRecord, dict[str, Array]]]:
    return {
        point.id: (replace(MediaRecord.from_payload(point.payload), job="", added=None), dict(point.vectors))
        for collection, spaces in SPACES.items()
        for point in store.scroll(collection, vectors=spaces)
    }


def test_the_store_holds_what_a_local_run_would_have_stored(
    settings: Settings, store: Store, pool: Any, models: Any, make_file: MakeFile, sent: Any
) -> None:
    groups = [
        [make_file(f"{number}{suffix}") for number in range(6)] + [make_file(f"twin{suffix}", f"0{suffix}")]
        for suffix in KINDS
    ]
    processor = BatchProcessor(settings, store, pool, models)
    for files in groups:
        processor.process(Batch("b", "j", KINDS[Path(files[0].path).suffix], tuple(files)))
    wanted = contents(store)
    for collection in SPACES:
        store.delete(collection, list(wanted))
    for _ in range(2):  # the second time changes nothing
        for files in groups:
            deliver(store, sent(*files))
        found = contents(store)
        assert {id_: record for id_, (record, _) in found.items()} == {
            id_: record for id_, (record, _) in wanted.items()
        }
        for id_, (_, vectors) in wanted.items():
            assert vectors.keys() == found[id_][1].keys()
            for space, vector in vectors.items():
                np.testing.assert_allclose(found[id_][1][space], vector, atol=1e-6)
    assert len(wanted) == 18


@pytest.fixture
def heard(make_settings: Callable[..., Settings], tmp_path: Path) -> Iterator[Store]:
    """A store whose sounds are log-mel's."""
    opened = open_store(make_settings(home=tmp_path / "heard"))
    (schema,) = (schema for schema in schemas_of(replace(QUIET, sound="logmel")) if schema.kind is Kind.AUDIO)
    opened.ensure(schema)
    yield opened
    opened.close()


@pytest.mark.parametrize("into", [None, "audio"])
def test_what_an_older_worker_sends_is_stored_as_this_version_makes_it(heard: Store, into: str | None) -> None:
    """It standardises sounds by those of its batch, and derives fewer keys of a record."""
    raw = (np.random.default_rng(3).normal(size=(1, 256)) * 2 - 4).astype(np.float32)
    record = MediaRecord(media_id("5" * 64), Kind.AUDIO, ("/music/a.wav",), ("lib",))
    payload = {key: value for key, value in record.to_payload().items() if not key.startswith("sort_")}
    if into is not None:  # only what is stored is filled
        heard.upsert("audio", [Point(record.id, {"sound_raw": raw}, payload)])
    deliver(heard, [Delivery("audio", Point(record.id, {"sound_raw": raw, "sound": raw}, payload))], into)
    (point,) = heard.scroll("audio", vectors=("sound",))
    np.testing.assert_allclose(point.vectors["sound"], standardise(raw), atol=1e-6)
    assert point.payload == record.to_payload()


def test_a_known_record_keeps_its_paths_and_libraries(store: Store, make_file: MakeFile, sent: Any) -> None:
    first = make_file("here/a.jpg", "same", library="here")
    second = make_file("there/a.jpg", "same", library="there", other_paths=("/elsewhere/a.jpg",))
    deliver(store, sent(first))
    store.patch_payload("images", {media_id(first.sha256): {"missing": True}})
    deliver(store, sent(second))
    (point,) = store.scroll("images")
    record = MediaRecord.from_payload(point.payload)
    assert record.paths == tuple(sorted([first.path, second.path, "/elsewhere/a.jpg"]))
    assert record.libraries == ("here", "there")
    # A store may round the last bit of a number.
    assert record.mtime == pytest.approx(max(first.mtime, second.mtime), rel=0, abs=1e-6)
    assert not record.missing


@pytest.mark.parametrize("into", [None, "images-2"])
def test_what_a_worker_has_stored_itself_asks_nothing_of_the_store(into: str | None) -> None:
    """A store that is away for the coordinator must not cost the report of a batch that is done."""
    untouchable: Any = None
    deliver(untouchable, (), into)


def test_points_for_a_generation_go_there_and_nowhere_else(
    store: Store, models: Any, make_file: MakeFile, sent: Any
) -> None:
    known, unknown = make_file("known.jpg", library="mine"), make_file("unknown.jpg")
    deliver(store, sent(known))
    before = contents(store)
    other = CollectionSchema(Kind.IMAGE, (VectorField(Space("visual", "other", "2", "first bytes", 8)),))
    generation = store.begin_generation(other)
    deliver(store, sent(known, unknown), generation)
    (point,) = store.scroll(generation, vectors=("visual",))
    assert point.id == media_id(known.sha256)
    assert MediaRecord.from_payload(point.payload).libraries == ("mine",)
    assert "visual" in point.vectors
    assert contents(store).keys() == before.keys()
