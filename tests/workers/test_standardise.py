"""Standardised sounds: the statistics that ship, and libraries that were standardised by others."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from search.errors import ModelError
from search.media import Kind
from search.model_descriptions.model_choice import ModelChoice, schemas_of
from search.settings import Settings
from search.store import open_store
from search.store.base import Point, Store
from workers.embedders.choice import ensure_collections
from workers.embedders.sound import standardise as module
from workers.embedders.sound.standardise import (
    KEY,
    OBSOLETE,
    UNDER_WAY,
    SoundStatistics,
    restandardise,
    shipped,
    standardise,
    with_sound,
)

CHOICE = ModelChoice("efficientnet_lite0", "frames_efficientnet_lite0", "logmel", style=False)
RNG = np.random.default_rng(5)
RAW = (RNG.normal(size=(40, 256)) * 2 - 4).astype(np.float32)


def uuid(number: int) -> str:
    return f"00000000-0000-4000-8000-{number:012d}"


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory with the collections of videos and sounds as the version before made them: unmarked."""
    home = tmp_path_factory.mktemp("sounds") / "home"
    made = open_store(Settings(home=home))
    for schema in schemas_of(CHOICE):
        if schema.kind is not Kind.IMAGE:
            made.ensure(schema)
    made.close()
    return home


@pytest.fixture
def store(make_settings: Callable[..., Settings], empty: Path) -> Iterator[Store]:
    settings = make_settings()
    shutil.copytree(empty, settings.home)
    opened = open_store(settings)
    yield opened
    opened.close()


def write(store: Store, collection: str, numbers: range) -> None:
    """Sounds as a library standardised them by its own statistics, some of them hidden; every fifth is silent."""
    kind = {"audio": "audio", "videos": "video"}[collection]
    own = (RAW - RAW.mean(0)) / RAW.std(0)
    store.upsert(
        collection,
        [
            Point(
                uuid(n),
                {} if n % 5 == 4 else {"sound_raw": RAW[n : n + 1], "sound": own[n : n + 1]},
                {"id": uuid(n), "kind": kind, "paths": [f"/{n}"], "missing": n % 7 == 0},
            )
            for n in numbers
        ],
    )
    old = {"version": 2, "n": 40, "mean": RAW.mean(0).tolist(), "std": RAW.std(0).tolist()}
    store.set_metadata(collection, {KEY: old, OBSOLETE: True})


def stored(store: Store, collection: str) -> dict[str, np.ndarray]:
    points = store.scroll(collection, vectors=("sound",))
    return {point.id: point.vectors["sound"][0] for point in points if point.vectors}


def check(store: Store, collection: str, numbers: range) -> None:
    wanted = standardise(RAW)
    found = stored(store, collection)
    assert found.keys() == {uuid(n) for n in numbers if n % 5 != 4}
    for id_, vector in found.items():
        np.testing.assert_allclose(vector, wanted[int(id_[-12:])], atol=1e-6)


def test_each_dimension_is_centred_scaled_and_clipped() -> None:
    mean, deviation = np.full(256, 2.0, np.float32), np.full(256, 0.5, np.float32)
    raw = np.full((1, 256), 2.0, np.float32)
    raw[0, :3] = 2.5, 1.0, 1e6  # one deviation above, two below, far beyond three
    unit = standardise(raw, SoundStatistics("x", mean, deviation))
    np.testing.assert_allclose(unit[0, :4], np.array([1, -2, 3, 0]) / np.sqrt(14), atol=1e-6)
    assert unit.dtype == np.float32


def test_what_ships_was_fitted_on_sounds_as_they_come_from_the_model() -> None:
    statistics = shipped()
    assert len(statistics.version) == 16
    levels, changes = statistics.mean[:64], statistics.mean[128:192]
    assert (levels > np.log(1e-5)).all(), "above the floor"
    assert (levels < 0).all(), "relative to the loudest cell"
    assert (changes > 0).all()
    assert (statistics.deviation > 0.1).all()


@pytest.mark.parametrize("raw", [np.zeros((3, 256), np.float32), shipped().mean[None], np.full((1, 256), 1e9)])
def test_every_sound_has_a_unit_vector(raw: np.ndarray) -> None:
    np.testing.assert_allclose(np.linalg.norm(standardise(raw), axis=1), 1, atol=1e-6)


def test_the_version_changes_with_the_file() -> None:
    def file(mean: float) -> bytes:
        written = BytesIO()
        np.savez(written, mean=np.full(256, mean, np.float32), deviation=np.ones(256, np.float32))
        return written.getvalue()

    assert SoundStatistics.of(file(0.0)).version != SoundStatistics.of(file(1.0)).version
    assert SoundStatistics.of(file(1.0)).version == SoundStatistics.of(file(1.0)).version


@pytest.mark.parametrize("arrays", [{}, {"mean": np.zeros(256)}, {"mean": np.zeros(3), "deviation": np.ones(3)}])
def test_statistics_that_are_not_whole_are_refused(arrays: dict[str, np.ndarray]) -> None:
    written = BytesIO()
    np.savez(written, **arrays)  # type: ignore[arg-type]
    with pytest.raises(ModelError, match="cannot be read"):
        SoundStatistics.of(written.getvalue())
    with pytest.raises(ModelError, match="cannot be read"):
        SoundStatistics.of(b"no archive")


def test_sounds_of_an_older_version_are_rewritten_in_both_collections_and_once(store: Store) -> None:
    write(store, "audio", range(25))
    write(store, "videos", range(25, 40))
    assert restandardise(store)
    check(store, "audio", range(25))
    check(store, "videos", range(25, 40))
    for collection in ("audio", "videos"):
        metadata = store.metadata(collection)
        assert metadata[KEY] == {"version": shipped().version}
        assert not {UNDER_WAY, OBSOLETE} & metadata.keys()
    assert not restandardise(store)


def test_a_rewriting_that_was_killed_goes_on_where_it_was(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PAGE", 10)
    write(store, "audio", range(40))
    real = store.update_vectors
    written: list[str] = []

    def watched(collection: str, vectors: Any) -> None:
        if len(written) == 20:
            raise KeyboardInterrupt
        written.extend(vectors)
        real(collection, vectors)

    with monkeypatch.context() as patch:
        patch.setattr(store, "update_vectors", watched)
        with pytest.raises(KeyboardInterrupt):
            restandardise(store)
    assert store.metadata("audio")[KEY]["version"] == 2, "it is not said to be done"
    assert store.metadata("audio")[UNDER_WAY] == {"version": shipped().version, "after": written[-1]}

    done = len(written)
    monkeypatch.setattr(
        store, "update_vectors", lambda collection, vectors: (written.extend(vectors), real(collection, vectors))
    )
    assert restandardise(store)
    assert len(written) == len(set(written)) == 32, "nothing is rewritten twice"
    assert done == 20
    check(store, "audio", range(40))


def test_a_rewriting_that_is_stopped_is_not_said_to_be_done(store: Store) -> None:
    write(store, "audio", range(10))
    write(store, "videos", range(10, 20))
    pages = iter([True, False])  # the sounds, then not the videos
    assert not restandardise(store, goes_on=lambda: next(pages))
    check(store, "audio", range(10))
    assert store.metadata("videos")[KEY]["version"] == 2
    assert restandardise(store)
    check(store, "videos", range(10, 20))


@pytest.mark.parametrize("sound", [{}, {"sound": RAW[:1]}])
def test_the_sound_of_any_worker_is_made_of_its_raw_sound(sound: dict[str, np.ndarray]) -> None:
    made = with_sound({"visual": RAW[1:2], "sound_raw": RAW[:1], **sound})
    np.testing.assert_array_equal(made["sound"], standardise(RAW[:1]))
    assert made.keys() == {"visual", "sound_raw", "sound"}
    again = with_sound(made)
    assert all((again[name] == made[name]).all() for name in made)


def test_what_has_no_raw_sound_of_log_mel_is_left_alone() -> None:
    assert with_sound({"visual": RAW[:1]}).keys() == {"visual"}
    other = {"sound_raw": RAW[:1, :8], "sound": RAW[1:2, :8]}
    np.testing.assert_array_equal(with_sound(other)["sound"], other["sound"])


def test_a_rewriting_begun_with_other_statistics_begins_anew(store: Store) -> None:
    write(store, "audio", range(10))
    store.set_metadata("audio", {UNDER_WAY: {"version": "others", "after": uuid(9)}})
    assert restandardise(store)
    check(store, "audio", range(10))


def test_generations_are_done_by_name(store: Store) -> None:
    write(store, "audio", range(10))
    assert restandardise(store, ["audio.1"])
    check(store, "audio", range(10))
    assert not restandardise(store, ["audio.1"])


def test_new_collections_have_nothing_to_be_done(make_settings: Callable[..., Settings]) -> None:
    opened = open_store(make_settings())
    ensure_collections(opened, CHOICE)
    assert KEY not in opened.metadata("images")
    assert opened.metadata("audio")[KEY] == opened.metadata("videos")[KEY] == {"version": shipped().version}
    assert not restandardise(opened)
    opened.close()
