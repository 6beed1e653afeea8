"""Collections copied between stores of either kind: whole, resumable, and never believed unseen."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from qdrant_client import QdrantClient

from search.errors import SpaceMismatchError, StoreError, UsageError
from search.media import Kind
from search.spaces import CollectionSchema, Space, VectorField
from search.store.base import Point, Store
from search.store.edge.store import EdgeStore
from search.store.filters import Filter
from search.store.server.store import ServerStore
from search.transfer import COPYING, Copy, differing, estimate, pages, same_point, unfinished_copies

IMAGES = 700


@pytest.fixture
def source(embedded_library: Any) -> Store:
    """A store on disk with pictures, videos of differently many frames, sounds, and what is known of them."""
    library = embedded_library
    library.many_images(np.random.default_rng(1).normal(size=(IMAGES, 4)))
    library.image("gone.jpg", (1, 2, 3, 4), missing=True, iso=0.1 + 0.2, features=(0.1, None, 3.0), tags=("a", "b"))
    library.video("talk.mp4", [(1, 2, 3, 4), (4, 3, 2, 1), (0, 1, 0, 1)], sound=(5, 6, 7, 8), motion=(1, 1, 1, 2))
    library.video("still.mp4", [(9, 9, 9, 1)])
    library.audio("rain.wav", (1e-3, 2, 3e3, 4), mtime=1_700_000_000.123)
    store: Store = library.store
    store.set_metadata("audio", {"sound_standardisation": {"mean": [0.1, 0.2], "n": 7}})
    store.set_metadata("images", {"calibration": {"visual": [1, 2.5]}})
    return store


@pytest.fixture
def make_target(tmp_path: Path) -> Iterator[Callable[[str], Store]]:
    made: list[Store] = []

    def make(engine: str) -> Store:
        made.append(ServerStore(QdrantClient(":memory:")) if engine == "server" else EdgeStore(tmp_path / "target"))
        return made[-1]

    yield make
    for store in made:
        store.close()


def copy_all(source: Store, target: Store, origin: str = "here") -> Copy:
    copy = Copy(source, target, origin)
    copy.check()
    for collection in source.collections():
        assert sum(copy.copy(collection)) == source.count(collection)
        assert sum(copy.compare(collection)) == source.count(collection)
    for collection in source.collections():
        copy.finish(collection)
    return copy


def check_equal(source: Store, target: Store) -> None:
    assert source.collections().keys() == target.collections().keys()
    for name in source.collections():
        assert target.schema(name) == source.schema(name)
        assert target.metadata(name) == source.metadata(name)
        assert target.count(name) == source.count(name)
        assert target.count(name, Filter()) == source.count(name, Filter())
        assert not target.is_indexing_held(name)
        for page in pages(source, name):
            assert differing(target, name, page) == []


@pytest.mark.parametrize("engine", ["edge", "server"])
def test_everything_arrives(source: Store, make_target: Callable[[str], Store], engine: str) -> None:
    target = make_target(engine)
    assert copy_all(source, target).repaired == 0
    check_equal(source, target)
    assert unfinished_copies(target) == []


def test_there_and_back_changes_nothing(source: Store, make_target: Callable[[str], Store]) -> None:
    server, back = make_target("server"), make_target("edge")
    copy_all(source, server)
    copy_all(server, back, "there")
    check_equal(source, back)


def test_vectors_survive_to_the_last_bit_between_embedded_stores(
    source: Store, make_target: Callable[[str], Store]
) -> None:
    target = make_target("edge")
    copy_all(source, target)
    for name in source.collections():
        spaces = [*source.schema(name).by_name]
        for one, other in zip(source.scroll(name, vectors=spaces), target.scroll(name, vectors=spaces), strict=True):
            assert one.vectors.keys() == other.vectors.keys()
            for space, vector in one.vectors.items():
                np.testing.assert_array_equal(vector, other.vectors[space])


def test_a_copy_that_stops_goes_on(
    source: Store, make_target: Callable[[str], Store], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("search.transfer.MARK_EVERY", 1)
    target = make_target("server")
    first = Copy(source, target, "here").copy("images")
    assert next(first) == 0
    brought = next(first)
    assert 0 < brought < IMAGES
    first.close()
    assert unfinished_copies(target) == ["images"]
    assert target.is_indexing_held("images")

    written: list[int] = []
    upsert = target.upsert
    monkeypatch.setattr(target, "upsert", lambda name, points: (written.append(len(points)), upsert(name, points)))
    again = Copy(source, target, "here")
    again.check()
    steps = again.copy("images")
    assert next(steps) == brought, "what was marked is not brought again"
    assert brought + sum(steps) == source.count("images")
    assert sum(written) == source.count("images") - brought
    copy_all(source, target)
    check_equal(source, target)


def test_what_differs_is_written_again(source: Store, make_target: Callable[[str], Store]) -> None:
    target = make_target("server")
    copy = Copy(source, target, "here")
    list(copy.copy("images"))
    ids = [point.id for point in target.scroll("images", payload=False)]
    target.update_vectors("images", {ids[3]: {"visual": np.array([[1, 0, 0, 0]], np.float32)}})
    target.patch_payload("images", {ids[5]: {"missing": True}, ids[6]: {"tags": ["other"]}})
    target.delete("images", [ids[9]])
    stranger = "00000000-0000-4000-8000-000000000000"
    target.upsert("images", [Point(stranger, {"visual": np.ones((1, 4), np.float32)}, {"id": stranger})])
    list(copy.compare("images"))
    assert copy.repaired == 4
    copy.finish("images")
    assert target.retrieve("images", [stranger]) == []
    for page in pages(source, "images"):
        assert differing(target, "images", page) == []


def test_a_target_that_loses_what_it_is_sent_is_found_out(
    source: Store, make_target: Callable[[str], Store], monkeypatch: pytest.MonkeyPatch
) -> None:
    target = make_target("server")
    copy = Copy(source, target, "here")
    list(copy.copy("audio"))
    ids = [point.id for point in target.scroll("audio", payload=False)]
    target.delete("audio", ids)
    monkeypatch.setattr(target, "upsert", lambda name, points: None)
    with pytest.raises(StoreError, match="does not keep"):
        list(copy.compare("audio"))
    assert "audio" in unfinished_copies(target)


def test_records_of_its_own_are_left_alone(source: Store, make_target: Callable[[str], Store]) -> None:
    target = make_target("server")
    copy_all(source, target)
    with pytest.raises(UsageError, match="did not come from here"):
        Copy(source, target, "here").check()


def test_half_a_copy_from_elsewhere_is_not_gone_on_with(source: Store, make_target: Callable[[str], Store]) -> None:
    target = make_target("server")
    list(Copy(source, target, "elsewhere").copy("audio"))
    with pytest.raises(UsageError, match="'audio'"):
        Copy(source, target, "here").check()


def test_half_a_copy_is_not_copied_on(source: Store, make_target: Callable[[str], Store]) -> None:
    half = make_target("server")
    list(Copy(source, half, "here").copy("audio"))
    with pytest.raises(StoreError, match="only part"):
        Copy(half, make_target("edge"), "half").check()
    assert COPYING in half.metadata("audio")


def test_other_spaces_are_refused(source: Store, make_target: Callable[[str], Store]) -> None:
    target = make_target("server")
    target.ensure(CollectionSchema(Kind.IMAGE, (VectorField(Space("visual", "other", "1", "none", 4)),)))
    with pytest.raises(SpaceMismatchError):
        list(Copy(source, target, "here").copy("images"))


def test_equal_means_equal(source: Store) -> None:
    schema = source.schema("audio")
    (one,) = source.scroll("audio", vectors=("sound", "sound_raw"))

    def like(payload: dict[str, Any] | None = None, **vectors: Any) -> Point:
        return Point(one.id, {**one.vectors, **vectors}, one.payload if payload is None else payload)

    assert same_point(schema, like(), one)
    assert same_point(schema, like(sound=one.vectors["sound"] * np.float32(1 + 1e-7)), one), "rounding of a cosine"
    assert not same_point(schema, like(sound=one.vectors["sound"] + np.float32(1e-5)), one)
    assert not same_point(schema, Point(one.id, {"sound": one.vectors["sound"]}, one.payload), one)
    assert not same_point(schema, like({**one.payload, "size": 1}), one)
    assert not same_point(schema, like({**one.payload, "more": None}), one)
    assert same_point(schema, like({**one.payload, "mtime": float(np.nextafter(one.payload["mtime"], 0))}), one)


def test_room_is_estimated_by_a_sample(source: Store) -> None:
    exact = sum(
        sum(v.nbytes for v in point.vectors.values()) + len(str(point.payload))
        for page in pages(source, "images")
        for point in page
    )
    assert estimate(source, "images") == pytest.approx(exact, rel=0.2)
    assert estimate(source, "images", lambda points: 10 * len(points)) == 10 * source.count("images")
