"""Generations of a collection: filled unasked, promoted in one step, the old one kept until it is dropped."""

from __future__ import annotations

from dataclasses import replace

import pytest

from search.errors import NotFoundError, SpaceMismatchError, UsageError
from search.spaces import CollectionSchema, VectorField
from search.store.base import Point, VectorQuery


@pytest.fixture
def better(images):
    """The images' schema with ``visual`` made by another model, of another size."""
    space = replace(images.fields[0].space, model="better-model", dim=8)
    return CollectionSchema(images.kind, (VectorField(space),))


@pytest.fixture
def ten(store, images, make_image):
    store.ensure(images)
    points = [make_image(n) for n in range(10)]
    store.upsert("images", points)
    store.set_metadata("images", {"mean": [1, 2]})
    return points


def fill(store, name, points, vectors):
    store.upsert(name, [Point(p.id, {"visual": vectors(1, 8, seed=n)}, p.payload) for n, p in enumerate(points)])


def test_one_generation_until_another_is_begun(store, ten, images):
    (only,) = store.generations("images")
    assert (only.name, only.schema, only.points, only.current) == ("images.1", images, 10, True)
    assert store.count("images.1") == 10


def test_questions_go_to_the_old_one_until_promotion_and_to_the_new_one_after(store, ten, images, better, vectors):
    name = store.begin_generation(better)
    assert name == "images.2"
    fill(store, name, ten[:6], vectors)
    assert store.schema("images") == images
    assert store.schema(name) == better
    assert (store.count("images"), store.count(name)) == (10, 6)
    assert set(store.collections()) == {"images"}
    assert store.collections()["images"].points == 10
    old = VectorQuery(images.fields[0].space, ten[3].vectors["visual"], 1)
    new = VectorQuery(better.fields[0].space, vectors(1, 8, seed=3), 1)
    assert store.query("images", [old])[0][0].id == ten[3].id
    assert store.query(name, [new])[0][0].id == ten[3].id
    with pytest.raises(SpaceMismatchError, match="better-model"):
        store.query("images", [new])

    store.promote(name)
    assert store.schema("images") == better
    assert store.collections()["images"].points == store.count("images") == 6
    assert store.query("images", [new])[0][0].id == ten[3].id
    with pytest.raises(SpaceMismatchError, match="better-model"):
        store.query("images", [old])
    assert [(g.name, g.current, g.points) for g in store.generations("images")] == [
        ("images.1", False, 10),
        ("images.2", True, 6),
    ]
    store.ensure(better)
    assert store.query("images.1", [old])[0][0].id == ten[3].id


def test_metadata_is_copied_when_a_generation_is_made_and_then_its_own(store, ten, better):
    name = store.begin_generation(better)
    assert store.metadata(name) == {"mean": [1, 2]}
    store.set_metadata(name, {"mean": None, "coverage": 0.5})
    assert store.metadata("images") == {"mean": [1, 2]}
    store.promote(name)
    assert store.metadata("images") == {"coverage": 0.5}


def test_beginning_again_finds_what_was_begun(store, ten, images, better, vectors):
    name = store.begin_generation(better)
    fill(store, name, ten[:4], vectors)
    assert store.begin_generation(better) == name
    assert store.count(name) == 4
    with pytest.raises(UsageError, match=r"images\.2"):
        store.begin_generation(images)
    store.drop_generation(name)
    assert store.begin_generation(images) == "images.2"


def test_dropping(store, ten, better):
    name = store.begin_generation(better)
    with pytest.raises(UsageError, match=r"images\.1"):
        store.drop_generation("images.1")
    store.promote(name)
    store.drop_generation("images.1")
    store.drop_generation("images.1")
    store.drop_generation("images.9")
    assert [g.name for g in store.generations("images")] == ["images.2"]
    with pytest.raises(NotFoundError, match=r"images\.1"):
        store.count("images.1")
    assert store.begin_generation(better) == "images.3"


def test_going_back_to_the_generation_before(store, ten, images, better):
    store.promote(store.begin_generation(better))
    store.promote("images.1")
    store.promote("images.1")
    assert store.schema("images") == images
    assert store.count("images") == 10


def test_collections_have_generations_of_their_own(store, ten, videos, better):
    store.ensure(videos)
    store.promote(store.begin_generation(better))
    assert [g.name for g in store.generations("videos")] == ["videos.1"]
    assert store.schema("videos") == videos


@pytest.mark.parametrize(
    "call",
    [
        lambda s: s.generations("audio"),
        lambda s: s.promote("images.7"),
        lambda s: s.count("images.7"),
        lambda s: s.metadata("images.7"),
    ],
)
def test_what_is_not_there(store, ten, call):
    with pytest.raises(NotFoundError):
        call(store)


@pytest.mark.parametrize("name", ["images", "images.", "images.0", "images.x", "shoes.1"])
def test_what_is_no_name_of_a_generation(store, ten, name):
    with pytest.raises(UsageError):
        store.promote(name)
    with pytest.raises(UsageError):
        store.drop_generation(name)


def test_a_generation_of_nothing(store, better):
    with pytest.raises(NotFoundError):
        store.begin_generation(better)
