"""Calibrations of a store: learnt when needed, kept, and learnt anew when they no longer fit."""

from __future__ import annotations

import gc
import weakref
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from qdrant_client import QdrantClient

from search.likeness import percentile_curves, percentiles
from search.likeness.percentile_curves import METADATA_KEY, PercentileCurves, percentile_curves_of
from search.likeness.percentiles import prior
from search.spaces import CollectionSchema
from search.store.base import Point
from search.store.server.store import ServerStore


def vectors(n: int, seed: int = 0) -> Any:
    return np.random.default_rng(seed).normal(size=(n, 4)).astype(np.float32)


def curve(
    curves: PercentileCurves, library: Any, asking: str = "images", asked: str = "images", space: str = "visual"
) -> Any:
    return curves.curve(space, asking, asked, library.store.collections())


def forbid_sampling(library: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("sampled again")

    monkeypatch.setattr(library.store, "sample", refuse)


def test_a_small_collection_uses_the_prior_and_a_larger_one_its_own_pairs(library: Any) -> None:
    library.many_images(vectors(10))
    assert curve(PercentileCurves(library.store), library) == prior("visual")

    library.many_images(vectors(30, seed=1), start=10)
    learnt = curve(PercentileCurves(library.store), library)

    assert learnt.pairs == 40 * 39
    # Cosines of random directions are symmetric about zero.
    assert learnt.match(0.0) == pytest.approx(50, abs=8)


def test_a_curve_is_kept_until_the_collection_has_grown_by_a_fifth(
    library: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    curves = PercentileCurves(library.store)
    library.many_images(vectors(50))
    first = curve(curves, library)

    library.many_images(vectors(9, seed=1), start=50)
    with monkeypatch.context() as patched:
        forbid_sampling(library, patched)
        assert curve(curves, library) is first

    library.many_images(vectors(2, seed=2), start=59)
    assert curve(curves, library).pairs == 61 * 60


def test_copies_of_one_picture_do_not_make_copies_unremarkable(library: Any) -> None:
    random = np.random.default_rng(3)
    prints = [random.bytes(32).hex() for _ in range(25)]
    for at, (row, text) in enumerate(zip(vectors(25), prints, strict=True)):
        library.image(f"{at}.jpg", row, fingerprints=(text,))
    copied = vectors(25)[0]
    for at in range(75):
        edited = copied + random.normal(0, 0.01, 4)
        library.image(f"copy {at}.jpg", edited, fingerprints=(f"{int(prints[0], 16) ^ (1 << at):064x}",))

    learnt = curve(PercentileCurves(library.store), library)

    assert learnt.pairs == 25 * 24
    assert learnt.match(0.999) > 95


def test_a_restart_answers_from_what_the_store_keeps(library: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    library.many_images(vectors(40))
    first = curve(PercentileCurves(library.store), library)
    assert library.store.metadata("images")[METADATA_KEY]

    forbid_sampling(library, monkeypatch)
    assert curve(PercentileCurves(library.store), library) == first


def test_a_photo_against_videos_has_another_curve_than_a_video(library: Any) -> None:
    library.many_images(vectors(30))
    frames = np.random.default_rng(5).normal(size=(30, 6, 4))
    for at, rows in enumerate(frames):
        library.video(f"film {at}", rows)
    curves = PercentileCurves(library.store)

    photo = curve(curves, library, asking="images", asked="videos")
    film = curve(curves, library, asking="videos", asked="videos")
    back = curve(curves, library, asking="videos", asked="images")

    assert photo.pairs == 30 * 30
    # The best of 36 pairs of frames scores higher by chance than the best of six.
    assert film.scores[-1] > photo.scores[-1]
    assert back.match(0.5) == pytest.approx(photo.match(0.5), abs=3)


def test_without_media_of_the_questions_kind_the_collection_stands_in(library: Any) -> None:
    library.many_images(vectors(40))

    assert curve(PercentileCurves(library.store), library, asking="videos").pairs == 40 * 39


def test_sounds_are_calibrated_anew_when_standardised_anew(library: Any) -> None:
    for at, row in enumerate(vectors(30)):
        library.audio(f"sound {at}", row)
    curves = PercentileCurves(library.store)
    library.store.set_metadata("audio", {"sound_standardisation": {"version": 1}})
    first = curve(curves, library, "audio", "audio", "sound")
    assert curve(curves, library, "audio", "audio", "sound") is first

    library.store.set_metadata("audio", {"sound_standardisation": {"version": 2}})

    assert curve(curves, library, "audio", "audio", "sound") is not first


def test_a_curve_is_learnt_anew_as_a_space_is_filled_in(library: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The number of records stays the same all the while."""
    monkeypatch.setattr(percentile_curves, "COUNTED_SECONDS", -1.0)
    ids = library.many_images(vectors(300))
    curves = PercentileCurves(library.store)
    styles = {id_: {"style": row[None]} for id_, row in zip(ids, vectors(300, seed=1), strict=True)}

    def fill(start: int, end: int) -> Any:
        library.store.update_vectors("images", {id_: styles[id_] for id_ in ids[start:end]})
        return curve(curves, library, space="style")

    assert fill(0, 10) == prior("style")
    assert fill(10, 40).pairs == 40 * 39
    assert fill(40, 45).pairs == 40 * 39
    assert fill(45, 60).pairs == 60 * 59
    assert fill(60, 250).pairs == 192 * 191
    assert fill(250, 300).pairs == 192 * 191


def test_a_curve_of_another_model_serves_no_more(library: Any) -> None:
    library.many_images(vectors(40))
    curves = PercentileCurves(library.store)
    first = curve(curves, library)
    schema = library.store.schema("images")
    visual = replace(schema.by_name["visual"], space=replace(schema.by_name["visual"].space, revision="2"))
    made = library.store.begin_generation(CollectionSchema(schema.kind, (visual, schema.by_name["style"])))
    old = list(library.store.scroll("images"))
    library.store.upsert(
        made, [Point(p.id, {"visual": v[None]}, p.payload) for p, v in zip(old, vectors(40, 2), strict=True)]
    )
    library.store.promote(made)

    for asked in (curves, PercentileCurves(library.store)):
        second = curve(asked, library)
        assert second.scores != first.scores
    assert curve(curves, library).pairs == 40 * 39


def test_a_curve_of_another_formula_serves_no_more(library: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    library.many_images(vectors(40))
    curve(PercentileCurves(library.store), library)
    [(key, kept)] = library.store.metadata("images")[METADATA_KEY].items()
    assert kept["version"].startswith("2/")  # as version 0.1.0 keeps it

    monkeypatch.setattr(percentiles, "REVISION", percentiles.REVISION + 1)
    library.store.set_metadata(
        "images", {METADATA_KEY: {key: {"version": kept["version"], "curve": "of another form"}}}
    )
    learnt = curve(PercentileCurves(library.store), library)

    assert learnt.pairs == 40 * 39
    assert library.store.metadata("images")[METADATA_KEY][key]["version"].startswith(f"{percentiles.REVISION}/")


def test_a_curve_of_version_0_1_is_read_and_a_damaged_one_learnt_anew(
    library: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    library.many_images(vectors(40))
    first = curve(PercentileCurves(library.store), library)
    [(key, kept)] = library.store.metadata("images")[METADATA_KEY].items()

    library.store.set_metadata("images", {METADATA_KEY: {key: {name: kept[name] for name in kept if name != "few"}}})
    with monkeypatch.context() as patched:
        forbid_sampling(library, patched)
        assert curve(PercentileCurves(library.store), library) == first
    library.store.set_metadata("images", {METADATA_KEY: {key: kept | {"curve": {}}}})
    assert curve(PercentileCurves(library.store), library) == first


def test_a_store_has_one_matcher_and_is_not_kept_alive_by_it() -> None:
    one, other = (ServerStore(QdrantClient(":memory:")) for _ in range(2))
    assert percentile_curves_of(one) is percentile_curves_of(one)
    assert percentile_curves_of(one) is not percentile_curves_of(other)

    gone = weakref.ref(one)
    del one
    gc.collect()
    assert gone() is None


def test_questions_from_many_threads_learn_a_curve_once(library: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    library.many_images(vectors(40))
    sampled: list[str] = []
    sample = library.store.sample

    def counting(collection: str, space: str, n: int) -> Any:
        sampled.append(space)
        return sample(collection, space, n)

    monkeypatch.setattr(library.store, "sample", counting)
    curves = PercentileCurves(library.store)
    infos = library.store.collections()

    with ThreadPoolExecutor(8) as threads:
        curves = list(threads.map(lambda _: curves.curve("visual", "images", "images", infos), range(32)))

    assert sampled == ["visual"]
    assert all(learnt is curves[0] for learnt in curves)
