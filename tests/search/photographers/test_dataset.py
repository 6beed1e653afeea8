"""Photos as arrays: read from a store, taken apart, kept in a file."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from search.errors import ModelError, NotFoundError, UsageError
from search.media import Kind, MediaRecord, media_id
from search.photographers.photos.dataset import FEATURE_COUNT, PhotoSet, read_photos
from search.photographers.photos.features import FEATURES
from search.spaces import CollectionSchema, Distance, Space, VectorField
from search.store.base import Point
from search.store.edge.store import EdgeStore
from search.store.filters import Filter

VISUAL = Space("visual", "drawn", "1", "none", 3)
STYLE = Space("style", "drawn", "1", "none", 2)
APPEARANCE = Space("appearance", "drawn", "1", "none", 2, Distance.DOT)
MakePhotos = Callable[..., PhotoSet]


def _point(number: int, *, style: bool = True, **facts: object) -> Point:
    vectors = {"visual": np.eye(3, dtype=np.float32)[[number % 3]]}
    if style:
        vectors["style"] = np.eye(2, dtype=np.float32)[[number % 2]]
    identity = media_id(f"{number:064x}")
    record = MediaRecord(identity, Kind.IMAGE, (f"/photos/{number}.jpg",), **facts)  # type: ignore[arg-type]
    return Point(identity, vectors, record.to_payload())


@pytest.fixture
def store(tmp_path: Path) -> EdgeStore:
    opened = EdgeStore(tmp_path / "store")
    opened.ensure(CollectionSchema(Kind.IMAGE, (VectorField(VISUAL), VectorField(STYLE))))
    return opened


def test_features_are_as_many_as_there_are_definitions() -> None:
    assert len(FEATURES) == FEATURE_COUNT


def test_what_the_store_knows_comes_back_in_order_of_id(store: EdgeStore) -> None:
    features = tuple(None if at == 43 else float(at) for at in range(FEATURE_COUNT))
    store.upsert(
        "images",
        [
            _point(
                1,
                photographer="Ann",
                features=features,
                taken_at="2020-05-01T10:00:00",
                camera="K",
                lens="L",
                latitude=52.5,
                longitude=13.4,
            ),
            _point(2, fingerprints=("ab" * 32,), thumbnail="aa/2.webp"),
        ],
    )
    photos = read_photos(store)
    assert list(photos.ids) == sorted(photos.ids)
    ann = photos.names.index("Ann")
    assert photos.names[1 - ann] is None
    assert photos.taken_at[ann] == "2020-05-01T10:00:00"
    assert (photos.cameras[ann], photos.lenses[ann]) == ("K", "L")
    assert (photos.places[ann], photos.places[1 - ann]) == ((52.5, 13.4), None)
    assert np.isnan(photos.features[ann, 43])
    assert photos.features[ann, 44] == 44
    assert np.isnan(photos.features[1 - ann]).all(), "features that were never computed are not known"
    assert photos.fingerprints[1 - ann] == "ab" * 32
    assert photos.thumbnails[1 - ann] == "aa/2.webp"
    assert photos.visual_space == VISUAL
    assert photos.style_space == STYLE
    np.testing.assert_array_equal(photos.visual[ann], np.eye(3)[1])
    np.testing.assert_array_equal(photos.labelled, [name is not None for name in photos.names])


def test_a_photo_without_style_has_a_row_of_nan(store: EdgeStore) -> None:
    store.upsert("images", [_point(1), _point(2, style=False)])
    photos = read_photos(store)
    assert sorted(np.isnan(photos.style).any(axis=1).tolist()) == [False, True]


def test_a_library_without_style_has_none(tmp_path: Path) -> None:
    store = EdgeStore(tmp_path / "store")
    store.ensure(CollectionSchema(Kind.IMAGE, (VectorField(VISUAL),)))
    store.upsert("images", [_point(1, style=False)])
    photos = read_photos(store)
    assert photos.style.shape == (1, 0)
    assert photos.style_space is None


def test_missing_photos_and_those_not_meant_are_left_out(store: EdgeStore) -> None:
    store.upsert("images", [_point(1, photographer="Ann"), _point(2, photographer="Bob"), _point(3, missing=True)])
    assert len(read_photos(store)) == 2
    assert read_photos(store, Filter(photographers=("Bob",))).names == ("Bob",)
    with pytest.raises(UsageError, match="None of the pictures"):
        read_photos(store, Filter(photographers=("Cid",)))


def test_an_empty_library_says_what_to_do(store: EdgeStore) -> None:
    with pytest.raises(NotFoundError, match="likewise ingest"):
        read_photos(store)


def test_a_file_gives_back_what_was_saved(make_photos: MakePhotos, tmp_path: Path) -> None:
    places = ((-33.9, 151.2), None, (0.0, 0.0), None)
    photos = replace(make_photos(2, 1, 2), names=("<script>", "../../x", None, "ends with NUL\0"), places=places)
    photos.save(tmp_path / "photos.npz")
    loaded = PhotoSet.load(tmp_path / "photos.npz")
    assert (loaded.names, loaded.places) == (photos.names, places)
    assert loaded.digest == photos.digest
    assert loaded.visual_space == photos.visual_space
    np.testing.assert_array_equal(loaded.features, photos.features)
    assert [path.name for path in tmp_path.iterdir()] == ["photos.npz"]


@pytest.mark.parametrize("format_", [1, 2], ids=["without places", "without appearance"])
def test_a_file_of_a_version_before_is_read_without_what_it_lacks(
    format_: int, make_photos: MakePhotos, tmp_path: Path
) -> None:
    path = tmp_path / "photos.npz"
    photos = make_photos(2, 1, 2)
    photos.save(path)
    with np.load(path) as arrays:
        stored = dict(arrays)
    facts = json.loads(stored["facts"].tobytes())
    if format_ == 1:
        del facts["columns"]["places"]
    del stored["appearance"], stored["borders"]
    text = json.dumps(facts | {"format": format_, "spaces": facts["spaces"][:2]}).encode()
    np.savez(path, **stored | {"facts": np.frombuffer(text, np.uint8)})
    loaded = PhotoSet.load(path)
    assert loaded.digest == photos.digest
    assert (loaded.appearance.shape, loaded.borders.shape) == ((4, 0), (4, 4))


def test_appearance_and_borders_are_known_where_somebody_looked(tmp_path: Path) -> None:
    store = EdgeStore(tmp_path / "store")
    fields = (VectorField(VISUAL), VectorField(APPEARANCE, indexed=False))
    store.ensure(CollectionSchema(Kind.IMAGE, fields))
    cut = _point(1, style=False, borders=(0.1, 0.0, 0.1, 0.0), decoding=3)
    seen = np.array([[3.0, -4.0]], np.float32)
    cut = replace(cut, vectors={**cut.vectors, "appearance": seen})
    uncut, older = _point(2, style=False, decoding=3), _point(3, style=False, decoding=2)
    damaged = _point(4, style=False, borders=(0.1, 0.2), decoding=3)
    store.upsert("images", [cut, uncut, older, damaged])
    photos = read_photos(store)
    rows = [photos.ids.index(point.id) for point in (cut, uncut, older, damaged)]
    np.testing.assert_array_equal(photos.appearance[rows], [[3, -4], *[[np.nan] * 2] * 3])
    np.testing.assert_allclose(photos.borders[rows], [[0.1, 0, 0.1, 0], [0] * 4, *[[np.nan] * 4] * 2])
    assert (photos.style.shape, photos.style_space, photos.appearance_space) == ((4, 0), None, APPEARANCE)

    photos.save(tmp_path / "photos.npz")
    loaded = PhotoSet.load(tmp_path / "photos.npz")
    assert (loaded.digest, loaded.appearance_space) == (photos.digest, APPEARANCE)
    assert photos.digest != replace(photos, borders=np.zeros((4, 4), np.float32)).digest
    np.testing.assert_array_equal(loaded.take([rows[0]]).appearance, seen)


def test_a_damaged_file_is_said_to_be(make_photos: MakePhotos, tmp_path: Path) -> None:
    path = tmp_path / "photos.npz"
    make_photos(2, 1, 2).save(path)
    whole = path.read_bytes()
    for broken in (b"", b"nonsense", whole[: len(whole) // 2]):
        path.write_bytes(broken)
        with pytest.raises(ModelError, match=r"photos\.npz"):
            PhotoSet.load(path)
    with pytest.raises(ModelError):
        PhotoSet.load(tmp_path / "absent.npz")


def test_the_digest_tells_any_change(make_photos: MakePhotos) -> None:
    photos = make_photos(2, 1, 2)
    other = photos.features.copy()
    other[0, 5] += 1
    changed = (
        replace(photos, features=other),
        replace(photos, names=("someone else", *photos.names[1:])),
        replace(photos, visual_space=replace(photos.visual_space, revision="2")),
    )
    assert len({photos.digest, *(one.digest for one in changed)}) == 4
    assert photos.take(np.arange(len(photos))).digest == photos.digest


def test_some_photos_are_taken_by_position_or_by_truth_value(make_photos: MakePhotos) -> None:
    photos = make_photos(2, 1, 2)
    some = photos.take([2, 0])
    assert some.ids == (photos.ids[2], photos.ids[0])
    np.testing.assert_array_equal(some.visual, photos.visual[[2, 0]])
    assert photos.take(np.array([False, True, False, False])).ids == (photos.ids[1],)
    assert len(photos.take([])) == 0


def test_columns_of_unequal_length_are_refused(make_photos: MakePhotos) -> None:
    photos = make_photos(2, 1, 2)
    with pytest.raises(ValueError, match="names"):
        replace(photos, names=photos.names[1:])
