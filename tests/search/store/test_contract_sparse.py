"""Sparse vectors: what is kept of them, and how they answer, on every store."""

from __future__ import annotations

import uuid
from dataclasses import replace

import numpy as np
import pytest

from search.errors import SpaceMismatchError, StoreError, UsageError
from search.spaces import CollectionSchema
from search.store.base import Point, VectorQuery
from search.store.filters import Filter
from search.transfer import Copy, same_point

HELD = {
    "dog": {3: 0.9, 7: 0.9, 39: 0.05},
    "boat": {11: 0.8, 12: 0.5},
    "both": {3: 0.25, 11: 0.5},
    "grey": {},
}


@pytest.fixture
def concepts(tagged):
    return tagged.by_name["concepts"].space


@pytest.fixture
def five(store, tagged, vectors, weights):
    """The points above by name, and one without a sparse vector."""
    store.ensure(tagged)
    points = {}
    for seed, (name, values) in enumerate(HELD.items()):
        held = {"visual": vectors(seed=seed), "concepts": weights(values)}
        points[name] = Point(str(uuid.uuid5(uuid.NAMESPACE_OID, name)), held, {"size": seed})
    points["old"] = Point(str(uuid.uuid4()), {"visual": vectors(seed=9)}, {"size": 9})
    store.upsert("images", list(points.values()))
    return points


def asked(store, five, query):
    """Names and scores of the hits."""
    names = {point.id: name for name, point in five.items()}
    return [(names[hit.id], pytest.approx(hit.score, abs=1e-6)) for hit in store.query("images", [query])[0]]


def kept(vector):
    """As it is stored: with the precision of float16."""
    return vector.astype(np.float16).astype(np.float32)


@pytest.mark.by_grpc
def test_it_comes_back_dense_to_the_precision_of_float16(store, five):
    found = store.retrieve("images", [five["dog"].id, five["grey"].id, five["old"].id], vectors=["visual", "concepts"])
    dog, grey, old = (point.vectors for point in found)
    assert (dog["concepts"].shape, dog["concepts"].dtype) == ((1, 40), np.float32)
    np.testing.assert_array_equal(dog["concepts"], kept(five["dog"].vectors["concepts"]))
    np.testing.assert_allclose(dog["concepts"], five["dog"].vectors["concepts"], rtol=5e-4)
    assert not grey["concepts"].any()
    assert set(old) == {"visual"}
    scrolled = {p.id: p.vectors["concepts"] for p in store.scroll("images", vectors=["concepts"]) if p.vectors}
    assert len(scrolled) == 4
    np.testing.assert_array_equal(scrolled[five["both"].id], kept(five["both"].vectors["concepts"]))


@pytest.mark.by_grpc
def test_scores_are_dot_products_of_what_is_in_common(store, five, concepts, weights):
    near = pytest.approx
    assert asked(store, five, VectorQuery(concepts, weights({3: 1}), 10)) == [
        ("dog", near(0.9, abs=1e-3)),
        ("both", 0.25),
    ]
    assert asked(store, five, VectorQuery(concepts, weights({3: 1, 11: 0.5}), 10)) == [
        ("dog", near(0.9, abs=1e-3)),
        ("both", 0.5),
        ("boat", near(0.4, abs=1e-3)),
    ]
    assert asked(store, five, VectorQuery(concepts, weights({20: 1}), 10)) == []
    assert asked(store, five, VectorQuery(concepts, weights({}), 10)) == []


@pytest.mark.parametrize("exact", [False, True])
def test_conditions_narrow_it(store, five, concepts, weights, exact):
    where = Filter(min_size=2, include_missing=True)
    assert asked(store, five, VectorQuery(concepts, weights({3: 1}), 10, where=where, exact=exact)) == [("both", 0.25)]


@pytest.mark.by_grpc
def test_dense_and_sparse_questions_in_one_call_with_payload(store, five, tagged, concepts, weights):
    visual = VectorQuery(tagged.by_name["visual"].space, five["boat"].vectors["visual"], 1, with_payload=True)
    words = VectorQuery(concepts, weights({12: 1}), 5, with_payload=("size",))
    first, second = store.query("images", [visual, words])
    assert [hit.id for hit in (*first, *second)] == [five["boat"].id] * 2
    assert [hit.payload for hit in (*first, *second)] == [{"size": 1}] * 2


@pytest.mark.by_grpc
def test_a_vector_of_zeros_is_held_all_the_same(store, five, weights):
    holding = Filter(has_space="concepts")
    assert store.count("images", holding) == 4
    assert store.count("images", replace(holding, ids=(five["grey"].id,))) == 1
    assert store.count("images", Filter(has_space="visual")) == 5
    store.update_vectors(
        "images", {five["dog"].id: {"concepts": weights({})}, five["old"].id: {"concepts": weights({})}}
    )
    assert store.count("images", holding) == 5
    assert {p.id for p in store.sample("images", "concepts", 10)} == {p.id for p in five.values()}


def test_updating_it_keeps_the_others(store, five, concepts, weights):
    before = store.retrieve("images", [five["dog"].id], vectors=["visual"])[0]
    store.update_vectors("images", {five["dog"].id: {"concepts": weights({20: 0.5})}})
    after = store.retrieve("images", [five["dog"].id], vectors=["visual", "concepts"])[0]
    np.testing.assert_array_equal(after.vectors["visual"], before.vectors["visual"])
    assert np.flatnonzero(after.vectors["concepts"]).tolist() == [20]
    assert asked(store, five, VectorQuery(concepts, weights({20: 1}), 10)) == [("dog", 0.5)]
    assert asked(store, five, VectorQuery(concepts, weights({3: 1}), 10)) == [("both", 0.25)]
    store.delete("images", [five["both"].id])
    assert asked(store, five, VectorQuery(concepts, weights({3: 1}), 10)) == []


def test_a_collection_that_exists_is_given_it(store, adds_spaces, images, tagged, make_image, concepts, weights):
    store.ensure(images)
    points = [make_image(n) for n in range(3)]
    store.upsert("images", points)
    if not adds_spaces:
        with pytest.raises(SpaceMismatchError, match=r"1\.18.*likewise reembed --space concepts"):
            store.ensure(tagged)
        return
    store.ensure(tagged)
    store.ensure(tagged)
    assert store.schema("images") == tagged
    assert store.count("images", Filter(has_space="concepts")) == 0
    store.update_vectors("images", {points[1].id: {"concepts": weights({5: 0.5})}})
    (hits,) = store.query("images", [VectorQuery(concepts, weights({5: 2}), 5, with_payload=True)])
    assert [(hit.id, hit.score, hit.payload) for hit in hits] == [(points[1].id, 1.0, points[1].payload)]


def test_a_generation_holds_it(store, five, tagged, concepts, weights):
    name = store.begin_generation(tagged)
    store.upsert(name, [five["boat"]])
    store.promote(name)
    assert asked(store, five, VectorQuery(concepts, weights({11: 1}), 5)) == [("boat", pytest.approx(0.8, abs=1e-3))]


def test_another_form_or_model_of_it_is_refused(store, five, tagged, concepts, weights):
    dense = replace(tagged.by_name["concepts"], sparse=False)
    with pytest.raises(SpaceMismatchError, match=r"keeps sparse vectors of 'concepts', not dense ones"):
        store.ensure(CollectionSchema(tagged.kind, (*tagged.fields[:1], dense)))
    with pytest.raises(SpaceMismatchError, match=r"test-concepts.*other"):
        store.query("images", [VectorQuery(replace(concepts, model="other"), weights({3: 1}), 5)])


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        (np.zeros((1, 39), np.float32), SpaceMismatchError),
        (np.zeros((2, 40), np.float32), SpaceMismatchError),
        (np.zeros(40, np.float32), SpaceMismatchError),
        (np.full((1, 40), np.nan, np.float32), StoreError),
        (np.full((1, 40), 1e5, np.float32), StoreError),
    ],
    ids=["dimension", "many", "flat", "nan", "beyond float16"],
)
def test_what_no_sparse_vector_can_be_is_refused(store, five, concepts, wrong, error):
    with pytest.raises(error, match="'concepts'"):
        store.update_vectors("images", {five["dog"].id: {"concepts": wrong}})
    if np.abs(wrong).max() != 1e5:  # what asks is not stored
        with pytest.raises(error, match="'concepts'"):
            store.query("images", [VectorQuery(concepts, wrong, 5)])


def test_it_cannot_be_made_diverse(store, five, concepts, weights):
    with pytest.raises(UsageError, match=r"'concepts'.*sparse"):
        store.query("images", [VectorQuery(concepts, weights({3: 1}), 5, diversity=0.5)])


def test_what_was_fetched_and_stored_again_is_the_same(store, five, tagged, concepts, weights):
    before = [Point(p.id, p.vectors, p.payload) for p in store.scroll("images", vectors=["visual", "concepts"])]
    store.upsert("images", before)
    after = list(store.scroll("images", vectors=["visual", "concepts"]))
    assert [same_point(tagged, one, other) for one, other in zip(before, after, strict=True)] == [True] * 5


@pytest.mark.by_grpc
def test_a_copy_in_another_store_is_the_same(store, five, other_store, concepts, weights):
    copy = Copy(store, other_store, "here")
    copy.check()
    for step in (copy.copy, copy.compare):
        list(step("images"))
    copy.finish("images")
    assert copy.repaired == 0
    query = VectorQuery(concepts, weights({3: 1, 11: 0.5}), 10)
    assert asked(other_store, five, query) == asked(store, five, query) != []
