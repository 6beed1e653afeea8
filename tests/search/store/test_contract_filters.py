"""Every condition of a Filter, alone and together, on every store."""

from __future__ import annotations

import unicodedata
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone

import pytest

from search.errors import UsageError
from search.media import Kind
from search.store.base import Point, VectorQuery
from search.store.filters import Filter, IndexType, Match, filter_indexes, row
from search.store.payloads import PAYLOAD_INDEXES

RECORDS = {
    "a": {
        "paths": ("/pics/2020/a_one.jpg",),
        "libraries": ("home",),
        "taken_at": "2020-06-01T12:00:00",
        "camera": "Leica Q",
        "lens": "28mm",
        "photographer": "Ada",
        "tags": ("cat", "tabby cat"),
        "size": 1000,
        "width": 30,
        "height": 20,
    },
    "b": {
        "paths": ("/pics/2021/b.jpg", "/backup/b.jpg"),
        "libraries": ("home", "backup"),
        "taken_at": "2021-06-01T12:00:00+02:00",
        "camera": "Nikon D5",
        "photographer": "Bo",
        "tags": ("dog",),
        "size": 2000,
        "width": 20,
        "height": 30,
    },
    "c": {"paths": ("/pics2/c.jpg",), "libraries": ("away",), "size": 3000, "width": 9, "height": 9, "duration": 61.5},
    "d": {"paths": ("/pics/2020/d.jpg",), "libraries": ("home",), "size": 4000, "duration": 10.0, "missing": True},
    "e": {"paths": ("/über/été.jpg",), "size": 5000, "tags": ("cat",)},
}


def moment(*parts, zone=UTC):
    return datetime(*parts, tzinfo=zone)


CASES = [
    (Filter(), "abce"),
    (Filter(include_missing=True), "abcde"),
    (Filter(kinds=("image",)), "abce"),
    (Filter(kinds=("video",)), ""),
    (Filter(kinds=("video", "image")), "abce"),
    (Filter(libraries=("backup",)), "b"),
    (Filter(libraries=("backup", "away")), "bc"),
    (Filter(path_prefix="/pics"), "ab"),
    (Filter(path_prefix="/pics/"), "ab"),
    (Filter(path_prefix="/pics/2020", include_missing=True), "ad"),
    (Filter(path_prefix="/backup"), "b"),
    (Filter(path_prefix="/"), "abce"),
    (Filter(path_prefix="/pics/2020/a_one.jpg"), ""),
    (Filter(path_prefix="/über"), "e"),
    (Filter(taken_from=moment(2020, 6, 2)), "b"),
    (Filter(taken_to=moment(2020, 6, 1, 12)), "a"),
    (Filter(taken_from=moment(2020, 6, 1, 12), taken_to=moment(2021, 6, 1, 10)), "ab"),
    (Filter(taken_to=moment(2021, 6, 1, 9, 59)), "a"),
    (Filter(taken_from=datetime(2021, 6, 1, 12)), "b"),  # noqa: DTZ001 the clock where it was taken
    (Filter(taken_from=datetime(2021, 6, 1, 12, 1)), ""),  # noqa: DTZ001
    (Filter(taken_from=moment(2021, 6, 1, 12, zone=timezone(timedelta(hours=2)))), "b"),
    (Filter(cameras=("Leica Q",)), "a"),
    (Filter(cameras=("Leica",)), ""),
    (Filter(cameras=("Leica Q", "Nikon D5")), "ab"),
    (Filter(lenses=("28mm",)), "a"),
    (Filter(photographers=("Bo", "Ada")), "ab"),
    (Filter(tags=("cat",)), "ae"),
    (Filter(tags=("tabby cat", "dog")), "ab"),
    (Filter(min_size=2000), "bce"),
    (Filter(max_size=2000), "ab"),
    (Filter(min_size=1001, max_size=2999), "b"),
    (Filter(min_duration=61.5), "c"),
    (Filter(max_duration=61.0, include_missing=True), "d"),
    (Filter(orientations=("landscape",)), "a"),
    (Filter(orientations=("portrait", "square")), "bc"),
    (Filter(words="cat"), "ae"),
    (Filter(words="tabby ONE"), "a"),
    (Filter(words="cat dog"), ""),
    (Filter(words="été"), "e"),
    (Filter(words=unicodedata.normalize("NFD", "ÉTÉ!")), "e"),
    (Filter(words="?!"), ""),
    (Filter(words="a_one.jpg"), "a"),
    (Filter(words="  "), "abce"),
    (Filter(has_space="visual"), "abc"),
    (Filter(tags=("cat",), photographers=("Ada",), min_size=500, path_prefix="/pics", words="leica"), "a"),
    (Filter(tags=("cat",), min_size=1001, has_space="visual"), ""),
]


PLACES = {
    "paris": (48.8566, 2.3522),
    "versailles": (48.8049, 2.1204),  # 18 km away
    "fiji west": (-17.0, 179.9),
    "fiji east": (-17.0, -179.9),  # 21 km away, across the date line
    "nowhere": (None, 2.0),
}

CIRCLES = [
    ((48.8566, 2.3522, 1.0), {"paris"}),
    ((48.8566, 2.3522, 15_000.0), {"paris"}),
    ((48.8566, 2.3522, 20_000.0), {"paris", "versailles"}),
    ((-17.0, 180.0, 15_000.0), {"fiji west", "fiji east"}),
    ((-17, -180, 5_000), set()),
    ((0.0, 0.0, 21_000_000.0), {"paris", "versailles", "fiji west", "fiji east"}),
]


@pytest.mark.by_grpc
def test_places_within_a_radius(store, images, make_image):
    store.ensure(images)
    points = {name: make_image(n, latitude=at[0], longitude=at[1]) for n, (name, at) in enumerate(PLACES.items())}
    store.upsert("images", list(points.values()))
    names = {point.id: name for name, point in points.items()}
    for near, expected in CIRCLES:
        assert {names[p.id] for p in store.scroll("images", where=Filter(near=near), vectors=["visual"])} == expected
        assert store.count("images", Filter(near=near, min_size=0)) == len(expected)


@pytest.mark.parametrize(
    "near",
    [(91, 0, 1), (-90.1, 0, 1), (0, 181, 1), (0, 0, 0), (0, 0, -5), (0, 0, float("inf")), (float("nan"), 0, 1), (0, 0)],
)
def test_what_is_no_place(near):
    with pytest.raises(UsageError, match="place"):
        Filter(near=near)


@pytest.fixture
def five(store, images, make_image):
    """The records above in the store, by their letter; ``e`` has no vector."""
    store.ensure(images)
    points = {letter: make_image(n, **facts) for n, (letter, facts) in enumerate(RECORDS.items())}
    points["e"] = Point(points["e"].id, {}, points["e"].payload)
    store.upsert("images", list(points.values()))
    return points


@pytest.mark.by_grpc
def test_every_condition_alone_and_together(store, five):
    letters = {point.id: letter for letter, point in five.items()}
    wrong = {}
    for where, expected in CASES:
        found = "".join(sorted(letters[p.id] for p in store.scroll("images", where=where, vectors=["visual"])))
        if found != expected or store.count("images", where) != len(expected):
            wrong[str(where)] = (found, store.count("images", where), expected)
    assert not wrong


@dataclass(frozen=True, slots=True)
class FilterWithMore(Filter):
    moods: tuple[str, ...] = field(default=(), metadata=row("mood", IndexType.KEYWORD, Match.ANY_OF, "Of this mood."))
    min_iso: float | None = field(default=None, metadata=row("iso", IndexType.FLOAT, Match.AT_LEAST, "At least so."))
    max_iso: float | None = field(default=None, metadata=row("iso", IndexType.FLOAT, Match.AT_MOST, "At most so."))


def test_a_filter_that_is_added_to_the_table_narrows_on_either_engine(store, images, make_image, monkeypatch):
    for key, index in filter_indexes(FilterWithMore).items():
        monkeypatch.setitem(PAYLOAD_INDEXES, key, index)
    store.ensure(images)
    points = [make_image(iso, iso=float(iso), missing=iso == 400) for iso in (100, 200, 400, 800)]
    store.upsert("images", points)
    store.patch_payload("images", {points[1].id: {"mood": "gay"}})

    assert store.count("images", FilterWithMore(min_iso=200)) == 2
    assert store.count("images", FilterWithMore(min_iso=200, max_iso=400, include_missing=True)) == 2
    assert store.count("images", FilterWithMore(min_iso=0, moods=("gay",))) == 1


@pytest.mark.by_grpc
def test_ids_and_exclusions(store, five):
    a, b, d = (five[letter].id for letter in "abd")
    nobody = str(uuid.uuid4())
    found = {p.id for p in store.scroll("images", where=Filter(ids=(a, b, d, nobody)), vectors=["visual"])}
    assert found == {a, b}
    assert store.count("images", Filter(ids=(a, b), exclude_ids=(b, nobody))) == 1
    assert store.count("images", Filter(exclude_ids=(a,))) == 3
    assert store.count("images", Filter(ids=("no uuid",))) == 0


@pytest.mark.by_grpc
def test_conditions_narrow_similarity_and_facets_alike(store, five, images, vectors):
    query = VectorQuery(images.fields[0].space, vectors(), 10, where=Filter(path_prefix="/pics"))
    (hits,) = store.query("images", [query])
    assert {h.id for h in hits} == {five["a"].id, five["b"].id}
    facets = store.facet("images", "libraries", where=Filter(path_prefix="/pics"))
    assert [(f.value, f.count) for f in facets] == [("home", 2), ("backup", 1)]
    assert store.facet("images", "kind")[0].value == Kind.IMAGE


def test_a_missing_record_is_shown_again_once_found(store, five):
    store.patch_payload("images", {five["d"].id: {"missing": False}, five["a"].id: {"missing": True}})
    assert store.count("images", Filter(ids=(five["d"].id, five["a"].id))) == 1
