"""A library that an older Likewise made: spaces that came later stand last in it, wherever a new library has them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ingest.jobs.service import JobState
from ingest.maintenance.upkeep import bring_up_to_date
from search.media import PAYLOAD_REVISION, Kind, MediaRecord
from search.records.lookup import answers_unnamed
from search.records.status import earlier_layout, store_status
from search.settings import Settings
from search.store import open_store
from search.store.filters import Filter
from workers.batch.records import REVISION_KEY
from workers.embedders.choice import choose_models
from workers.embedders.sound.standardise import KEY, shipped, standardise


@pytest.fixture
def older(make_settings: Callable[..., Settings], media: Path, renewing: Any) -> Iterator[Any]:
    """A library whose collections were made before there were ``style``, ``concepts`` and ``appearance``, and got them
    since."""
    renewing.fill(media, 3)
    settings = make_settings()
    store = open_store(settings)
    for schema in renewing.schemas_of(replace(renewing.BEFORE, style=False, concepts=False, appearance=False)):
        store.ensure(schema)
    store.close()
    made = renewing.Library(settings, media)
    made.take_in()
    yield made
    made.close()


@pytest.mark.parametrize("space", ["style", "concepts", "appearance"])
def test_a_space_is_filled_in_where_it_came_after_the_others(older: Any, renewing: Any, space: str) -> None:
    older.forget(3, space)

    ended = older.reembed(space, space)

    assert ended.message.startswith("Every picture and video has its style and concepts")
    store = older.store
    assert {name: store.count(name, Filter(has_space=space)) for name in ("images", "videos")} == {
        "images": 3,
        "videos": 0 if space == "appearance" else 2,
    }
    assert [[made.name for made in store.generations(name)] for name in ("images", "videos")] == [
        ["images.1"],
        ["videos.1"],
    ]
    assert older.reembed(renewing.BEFORE.image).message == "'visual' is made with resnet18 already."


def test_going_back_to_a_model_takes_up_the_generation_that_spaces_came_late_to(older: Any, renewing: Any) -> None:
    older.reembed(renewing.AFTER.image)
    older.reembed(renewing.BEFORE.image)

    assert [(made.name, made.current) for made in older.store.generations("videos")] == [
        ("videos.1", True),
        ("videos.2", False),
    ]


@pytest.fixture
def before(make_settings: Callable[..., Settings], media: Path, renewing: Any) -> Iterator[Any]:
    """A library as version 0.1 left it: no concepts, no appearance, sounds standardised by its own statistics,
    payloads with the keys of then, and nothing in the metadata that says otherwise."""
    renewing.fill(media, 3)
    choice = replace(renewing.BEFORE, sound="logmel", concepts=False, appearance=False)
    made = renewing.Library(make_settings(), media, choice)
    made.take_in()
    for name in made.store.collections():
        later = ("sort_time", "sort_name", "location", "added", "concept_frames")
        points = list(made.store.scroll(name))
        made.store.patch_payload(name, {point.id: dict.fromkeys(later) for point in points})
        made.store.set_metadata(name, {REVISION_KEY: None})
    rng = np.random.default_rng(3)
    for name in ("videos", "audio"):
        raw = {p.id: rng.normal(-4, 2, (1, 256)).astype(np.float32) for p in made.store.scroll(name)}
        own = {id_: {"sound_raw": row, "sound": row / np.linalg.norm(row)} for id_, row in raw.items()}
        made.store.update_vectors(name, own)
        made.store.set_metadata(name, {KEY: {"version": 1, "n": 3, "mean": [0.0] * 256, "std": [1.0] * 256}})
    made.close()
    made.open()
    yield made
    made.close()


def test_a_library_of_the_version_before_opens_is_migrated_and_completed(before: Any, renewing: Any) -> None:
    store = before.store
    assert sum(store.count(name) for name in store.collections()) == 6

    bring_up_to_date(store, before.ledger)

    (started,) = {round(job.created, 3) for job in before.ingest.jobs()}
    for name in store.collections():
        assert store.metadata(name)[REVISION_KEY] == PAYLOAD_REVISION
        for point in store.scroll(name):
            assert point.payload == MediaRecord.from_payload(point.payload).to_payload()
            assert point.payload["added"] == pytest.approx(started)
    for name in ("videos", "audio"):
        assert store.metadata(name)[KEY]["version"] == shipped().version
        for point in store.scroll(name, vectors=("sound", "sound_raw")):
            np.testing.assert_allclose(point.vectors["sound"], standardise(point.vectors["sound_raw"]), atol=1e-6)

    assert store.schema("images").space("concepts") is None
    ended = before.reembed("concepts", "concepts")

    assert (ended.state, ended.embedded) == (JobState.DONE, 5)
    assert [len(store.generations(name)) for name in ("images", "videos", "audio")] == [1, 1, 1]
    for kind in (Kind.IMAGE, Kind.VIDEO):
        wanted = renewing.expected(before.media, renewing.BEFORE, kind)
        for point in store.scroll(kind.collection, vectors=("visual", "concepts")):
            vectors = wanted[Path(point.payload["paths"][0]).name]
            np.testing.assert_allclose(point.vectors["concepts"], vectors["concepts"], atol=1e-3)
            np.testing.assert_allclose(point.vectors["visual"], vectors["visual"], atol=1e-6)
            assert point.payload["added"] == pytest.approx(started)


def test_videos_whose_motion_was_their_key_frames_get_scene_and_movement(
    make_settings: Callable[..., Settings], media: Path, renewing: Any
) -> None:
    renewing.fill(media, 1)
    library = renewing.Library(make_settings(), media)
    library.take_in()
    store = library.store
    old = {point.id: point.vectors for point in store.scroll("videos", vectors=("visual", "motion"))}
    schema = store.schema("videos")
    assert answers_unnamed(schema, "motion")  # as it always did
    chosen = choose_models(library.settings, {name: info.schema for name, info in store.collections().items()})
    assert (chosen.video, chosen.scene_space) == ("frames_resnet18", None)
    assert any("reembed --space scene" in note for note in chosen.notes)
    assert any("reembed --space scene" in sentence for sentence in earlier_layout(store_status(store, media)))

    (media / "two.mp4").unlink()
    ended = library.reembed("frames", "scene")

    assert "1 could not be embedded anew" in ended.message
    schema = store.schema("videos")
    assert [schema.space(name).model for name in ("scene", "motion")] == ["frames_resnet18", "flow"]
    assert (answers_unnamed(schema, "scene"), answers_unnamed(schema, "motion")) == (True, False)
    assert earlier_layout(store_status(store, media)) == ()
    points = {
        Path(p.payload["paths"][0]).name: p for p in store.scroll("videos", vectors=("visual", "scene", "motion"))
    }
    for point in points.values():
        np.testing.assert_allclose(point.vectors["visual"], old[point.id]["visual"], atol=1e-6)
    assert points["one.mp4"].vectors.keys() == {"visual", "scene", "motion"}
    gone = points["two.mp4"]
    assert gone.vectors.keys() == {"visual", "scene"}
    np.testing.assert_allclose(gone.vectors["scene"], old[gone.id]["motion"], atol=1e-6)
    library.close()
