"""What every store must do, checked on the embedded store, the server's double and (``QDRANT_URL``) a live server."""

from __future__ import annotations

import uuid
from dataclasses import replace

import numpy as np
import pytest

from search.errors import NotFoundError, SpaceMismatchError, StoreError, UsageError
from search.media import MediaRecord
from search.spaces import CollectionSchema, VectorField
from search.store.base import Point, VectorQuery
from search.store.filters import Filter

NOBODY = str(uuid.uuid4())


def cosine(a, b):
    return float(a @ b / np.linalg.norm(a) / np.linalg.norm(b))


def other_model(schema, name):
    """The schema with one space made by another model of the same dimension."""
    fields = tuple(
        replace(field, space=replace(field.space, model="other-model")) if field.space.name == name else field
        for field in schema.fields
    )
    return CollectionSchema(schema.kind, fields)


@pytest.fixture
def thirty(store, images, make_image):
    """Thirty images in the store; number 0 is missing."""
    store.ensure(images)
    points = [make_image(n, missing=n == 0) for n in range(30)]
    store.upsert("images", points)
    return points


class TestCollections:
    def test_none_at_first(self, store):
        assert store.collections() == {}

    def test_ensure_twice_is_one_collection_that_says_what_it_is(self, store, images, videos):
        store.ensure(images)
        store.ensure(videos)
        store.ensure(images)
        assert set(store.collections()) == {"images", "videos"}
        assert store.collections()["images"].schema == store.schema("images") == images
        assert store.schema("videos") == videos

    def test_another_model_of_the_same_size_is_refused_and_both_are_named(self, store, images):
        store.ensure(images)
        with pytest.raises(SpaceMismatchError, match=r"test-model.*other-model.*likewise reembed --space visual"):
            store.ensure(other_model(images, "visual"))

    def test_a_space_the_collection_lacks_is_added_and_points_hold_it_once_they_are_given_it(
        self, store, adds_spaces, thirty, images, videos, vectors
    ):
        """A space of every form: compared one to one, set against set, and one that is only ever fetched."""
        frames = replace(videos.by_name["visual"], space=replace(videos.by_name["visual"].space, name="frames"))
        added = (videos.by_name["sound"], videos.by_name["sound_raw"], frames)
        wider = CollectionSchema(images.kind, (*images.fields, *added))
        before = store.retrieve("images", [thirty[3].id], vectors=["visual"])[0]
        if not adds_spaces:
            with pytest.raises(SpaceMismatchError, match=r"1\.18.*likewise reembed --space sound"):
                store.ensure(wider)
            assert store.schema("images") == images
            return
        store.ensure(wider)
        store.ensure(wider)
        store.ensure(images)
        assert store.schema("images").by_name == wider.by_name
        assert store.count("images") == 30
        assert store.count("images", Filter(has_space="sound")) == 0
        after = store.retrieve("images", [thirty[3].id], vectors=["visual", "sound"])[0]
        assert (after.payload, set(after.vectors)) == (before.payload, {"visual"})
        np.testing.assert_array_equal(after.vectors["visual"], before.vectors["visual"])

        sound, many = vectors(1, 8, seed=3), vectors(3, 16, seed=4)
        store.update_vectors("images", {thirty[3].id: {"sound": sound, "sound_raw": sound, "frames": many}})
        store.upsert("images", [Point(thirty[4].id, {"visual": vectors(), "sound": vectors(1, 8)}, thirty[4].payload)])
        (found,) = store.retrieve("images", [thirty[3].id], vectors=["sound_raw", "frames"])
        np.testing.assert_allclose(found.vectors["sound_raw"], sound, rtol=1e-6)
        assert found.vectors["frames"].shape == (3, 16)
        by_sound, by_frames = (
            store.query("images", [VectorQuery(field.space, vector, 5)])[0]
            for field, vector in ((added[0], sound), (frames, many))
        )
        assert [hit.id for hit in by_sound] == [thirty[3].id, thirty[4].id]
        assert [(hit.id, hit.score) for hit in by_frames] == [(thirty[3].id, pytest.approx(1, abs=1e-5))]
        assert store.count("images", Filter(has_space="sound")) == 2

    def test_single_and_multivectors_are_not_mistaken_for_each_other(self, store, images):
        store.ensure(images)
        with pytest.raises(SpaceMismatchError, match="likewise reembed"):
            store.ensure(CollectionSchema(images.kind, (VectorField(images.fields[0].space, multi=True),)))

    def test_info_counts_points(self, store, thirty):
        assert store.collections()["images"].points == 30

    @pytest.mark.parametrize(
        "call",
        [
            lambda s: s.schema("audio"),
            lambda s: s.upsert("audio", [Point(NOBODY, {}, {})]),
            lambda s: s.update_vectors("audio", {NOBODY: {}}),
            lambda s: s.patch_payload("audio", {NOBODY: {"size": 1}}),
            lambda s: s.delete("audio", [NOBODY]),
            lambda s: s.retrieve("audio", [NOBODY]),
            lambda s: list(s.scroll("audio")),
            lambda s: s.count("audio"),
            lambda s: s.ordered("audio", "size", limit=1),
            lambda s: s.facet("audio", "tags"),
            lambda s: s.sample("audio", "sound", 1),
            lambda s: s.metadata("audio"),
            lambda s: s.set_metadata("audio", {"a": 1}),
            lambda s: s.optimise("audio"),
            lambda s: s.hold_indexing("audio", held=True),
            lambda s: s.is_indexing_held("audio"),
        ],
    )
    def test_a_collection_that_is_not_there(self, store, call):
        with pytest.raises(NotFoundError, match="'audio'"):
            call(store)


class TestHoldingIndexing:
    def test_held_until_let_go_by_whoever_does_so(self, store, thirty, images):
        holds = store.engine == "server"
        assert not store.is_indexing_held("images")
        store.hold_indexing("images", held=False)
        for _ in range(2):
            store.hold_indexing("images", held=True)
            assert store.is_indexing_held("images") is holds
        store.set_metadata("images", {"mean": 1})
        (hits,) = store.query("images", [VectorQuery(images.fields[0].space, thirty[5].vectors["visual"], 1)])
        assert hits[0].id == thirty[5].id
        assert store.is_indexing_held("images") is holds
        for _ in range(2):
            store.hold_indexing("images", held=False)
            assert not store.is_indexing_held("images")
        assert store.metadata("images") == {"mean": 1}

    def test_generations_hold_apart(self, store, thirty, images):
        name = store.begin_generation(images)
        store.hold_indexing(name, held=True)
        assert not store.is_indexing_held("images")
        assert store.is_indexing_held(name) is (store.engine == "server")


class TestWriting:
    @pytest.mark.by_grpc
    def test_upserting_again_changes_nothing(self, store, thirty):
        before = list(store.scroll("images"))
        store.upsert("images", thirty)
        assert [p.payload for p in store.scroll("images")] == [p.payload for p in before]
        assert store.count("images") == 30

    def test_upserting_replaces_payload_and_vector(self, store, thirty, vectors):
        id_ = thirty[3].id
        store.upsert("images", [Point(id_, {"visual": vectors(seed=99)}, {"id": id_, "kind": "image"})])
        (found,) = store.retrieve("images", [id_], vectors=["visual"])
        assert found.payload == {"id": id_, "kind": "image"}
        assert cosine(found.vectors["visual"][0], vectors(seed=99)[0]) == pytest.approx(1, abs=1e-5)

    def test_upserting_nothing(self, store, images):
        store.ensure(images)
        store.upsert("images", [])
        assert store.count("images") == 0

    @pytest.mark.by_grpc
    def test_payload_comes_back_as_it_was_given(self, store, images, make_image):
        store.ensure(images)
        facts = {
            "paths": ("/a/é 1.jpg", "/b/2.jpg"),
            "taken_at": "2021-05-06T07:08:09",
            "latitude": -1.5,
            "missing": True,
            "moments": (0.5, 2.0),
            "features": (1.0, None, 2.5),
            "tags": ("cat", "tabby cat"),
        }
        point = make_image(1, **facts)
        store.upsert("images", [point])
        (found,) = store.retrieve("images", [point.id])
        assert found.payload == point.payload
        assert MediaRecord.from_payload(found.payload).missing is True

    @pytest.mark.by_grpc
    def test_more_points_than_one_request_takes(self, store, images, make_image):
        store.ensure(images)
        store.upsert("images", [make_image(n) for n in range(603)])
        assert store.count("images") == 603

    def test_update_vectors_keeps_the_others(self, store, videos, vectors):
        store.ensure(videos)
        id_ = str(uuid.uuid4())
        frames, raw = vectors(3), vectors(1, 8, seed=1)
        store.upsert("videos", [Point(id_, {"visual": frames, "sound_raw": raw}, {"id": id_})])
        sound = vectors(1, 8, seed=2)
        store.update_vectors("videos", {id_: {"sound": sound}, NOBODY: {"sound": sound}})
        (found,) = store.retrieve("videos", [id_], vectors=["visual", "sound", "sound_raw"])
        assert found.payload == {"id": id_}
        np.testing.assert_allclose(found.vectors["sound_raw"], raw, rtol=1e-6)
        np.testing.assert_allclose(found.vectors["sound"], sound / np.linalg.norm(sound), rtol=1e-5)
        assert found.vectors["visual"].shape == (3, 16)
        assert store.count("videos") == 1

    def test_patch_sets_removes_and_ignores_the_unknown(self, store, thirty):
        first, second = thirty[1].id, thirty[2].id
        store.patch_payload(
            "images",
            {first: {"camera": "Leica", "size": None}, second: {"missing": True}, NOBODY: {"camera": "Leica"}},
        )
        a, b = store.retrieve("images", [first, second])
        assert a.payload["camera"] == "Leica"
        assert "size" not in a.payload
        assert a.payload["paths"] == ["/pictures/1.jpg"]
        assert b.payload["missing"] is True
        assert store.count("images") == 30
        assert store.count("images", Filter(cameras=("Leica",))) == 1

    def test_delete(self, store, thirty):
        store.delete("images", [thirty[4].id, NOBODY])
        assert store.count("images") == 29
        assert store.retrieve("images", [thirty[4].id]) == []

    def test_ids_that_are_no_uuids_do_not_exist(self, store, thirty):
        assert store.retrieve("images", ["cat.jpg", thirty[0].id.upper(), ""]) == []
        store.delete("images", ["cat.jpg"])
        store.patch_payload("images", {"cat.jpg": {"size": 1}})
        assert store.count("images", Filter(ids=("cat.jpg",))) == 0
        assert store.count("images") == 30

    @pytest.mark.parametrize(
        "wrong",
        [np.ones((1, 15), np.float32), np.ones((2, 16), np.float32), np.ones(16, np.float32), np.ones((0, 16), "f4")],
        ids=["dimension", "many for one", "flat", "empty"],
    )
    def test_a_vector_of_the_wrong_shape_is_refused_before_anything_is_written(self, store, images, make_image, wrong):
        store.ensure(images)
        with pytest.raises(SpaceMismatchError, match="16"):
            store.upsert("images", [make_image(1), replace(make_image(2), vectors={"visual": wrong})])
        assert store.count("images") == 0

    def test_a_vector_for_a_space_the_collection_lacks_is_refused(self, store, images, vectors):
        store.ensure(images)
        with pytest.raises(SpaceMismatchError, match="'sound'"):
            store.upsert("images", [Point(NOBODY, {"sound": vectors(1, 8)}, {})])

    def test_a_vector_with_nan_is_refused(self, store, images):
        store.ensure(images)
        with pytest.raises(StoreError, match="NaN"):
            store.upsert("images", [Point(NOBODY, {"visual": np.full((1, 16), np.nan, np.float32)}, {})])

    @pytest.mark.parametrize("number", [float("nan"), float("inf")])
    @pytest.mark.parametrize("wrap", [lambda x: x, lambda x: [1.0, x], lambda x: {"a": (x,)}], ids=["", "list", "deep"])
    def test_a_payload_with_nan_is_refused(self, store, thirty, wrap, number):
        before = store.retrieve("images", [thirty[1].id])
        with pytest.raises(StoreError, match="'features' of a record holds NaN"):
            store.upsert("images", [replace(thirty[1], payload=thirty[1].payload | {"features": wrap(number)})])
        with pytest.raises(StoreError, match="'features' of a record holds NaN"):
            store.patch_payload("images", {thirty[1].id: {"features": wrap(number)}})
        assert store.retrieve("images", [thirty[1].id]) == before


class TestReading:
    @pytest.mark.by_grpc
    def test_retrieve_keeps_the_order_asked(self, store, thirty):
        asked = [thirty[7].id, NOBODY, thirty[2].id, thirty[29].id]
        assert [p.id for p in store.retrieve("images", asked)] == [thirty[7].id, thirty[2].id, thirty[29].id]

    @pytest.mark.by_grpc
    def test_retrieve_fetches_only_what_is_asked(self, store, thirty):
        (bare,) = store.retrieve("images", [thirty[1].id], payload=False)
        assert (bare.payload, bare.vectors) == ({}, {})
        (some,) = store.retrieve("images", [thirty[1].id], payload=("size", "missing"))
        assert some.payload == {"size": 101, "missing": False}

    @pytest.mark.parametrize(
        "call",
        [
            lambda s, id_: s.retrieve("images", [id_], vectors=["visual", "style"]),
            lambda s, id_: list(s.scroll("images", vectors=["style"], payload=False)),
            lambda s, id_: s.sample("images", "style", 1),
        ],
    )
    def test_vectors_of_a_space_that_the_collection_lacks_are_refused(self, store, thirty, call):
        with pytest.raises(SpaceMismatchError, match="'images' has no space 'style'"):
            call(store, thirty[1].id)

    @pytest.mark.parametrize("page", [1, 7, 1000])
    def test_scroll_gives_each_once_in_order_of_id(self, store, thirty, page):
        assert [p.id for p in store.scroll("images", page=page)] == sorted(p.id for p in thirty)

    @pytest.mark.by_grpc
    def test_scroll_after_an_id_with_a_filter_and_vectors(self, store, thirty):
        ordered = sorted((p for p in thirty if not p.payload["missing"]), key=lambda p: p.id)
        found = list(store.scroll("images", where=Filter(), vectors=["visual"], payload=False, after=ordered[9].id))
        assert [p.id for p in found] == [p.id for p in ordered[10:]]
        assert found[0].vectors["visual"].shape == (1, 16)
        assert found[0].vectors["visual"].dtype == np.float32

    def test_scroll_after_what_is_no_id_is_refused_and_after_the_last_ends(self, store, thirty):
        with pytest.raises(UsageError, match=r"'cat\.jpg'"):
            next(store.scroll("images", after="cat.jpg"))
        assert list(store.scroll("images", after=str(uuid.UUID(int=2**128 - 1)))) == []

    def test_count_without_filter_includes_the_missing(self, store, thirty):
        assert store.count("images") == 30
        assert store.count("images", Filter()) == 29

    @pytest.mark.by_grpc
    def test_a_sample_is_what_comes_first_of_what_holds_the_space(self, store, videos, vectors):
        store.ensure(videos)
        with_sound = [str(uuid.uuid4()) for _ in range(40)]
        silent = [str(uuid.uuid4()) for _ in range(5)]
        store.upsert("videos", [Point(i, {"visual": vectors(2), "sound": vectors(1, 8)}, {}) for i in with_sound])
        store.upsert("videos", [Point(i, {"visual": vectors(2)}, {}) for i in silent])
        for _ in range(2):
            drawn = store.sample("videos", "sound", 10)
            assert [p.id for p in drawn] == sorted(with_sound)[:10]
            assert all(p.vectors["sound"].shape == (1, 8) and set(p.vectors) == {"sound"} for p in drawn)
            assert all(p.payload == {} for p in drawn)
        assert len(store.sample("videos", "sound", 100)) == 40
        assert store.sample("videos", "sound", 0) == []

    def test_metadata(self, store, images):
        store.ensure(images)
        assert store.metadata("images") == {}
        store.set_metadata("images", {"calibration": {"visual": [0.1, 0.9]}, "version": 3})
        store.set_metadata("images", {"version": None, "other": "x"})
        assert store.metadata("images") == {"calibration": {"visual": [0.1, 0.9]}, "other": "x"}
        store.set_metadata("images", {"calibration": {"sound": [1]}})
        assert store.metadata("images")["calibration"] == {"sound": [1]}, "a value is replaced, not merged into"
        assert store.schema("images") == images


@pytest.mark.by_grpc
class TestQuery:
    def test_scores_are_exact_cosines_best_first(self, store, thirty, images, vectors):
        asked = vectors(seed=1000)
        (hits,) = store.query("images", [VectorQuery(images.fields[0].space, asked, 30)])
        truth = {p.id: cosine(asked[0], p.vectors["visual"][0]) for p in thirty if not p.payload["missing"]}
        assert [h.id for h in hits] == sorted(truth, key=truth.__getitem__, reverse=True)
        assert [h.score for h in hits] == pytest.approx([truth[h.id] for h in hits], abs=1e-5)
        assert all(h.payload is None for h in hits)

    def test_several_questions_at_once_with_limits_payload_and_filters(self, store, thirty, images):
        space = images.fields[0].space
        queries = [
            VectorQuery(space, thirty[5].vectors["visual"], 1, with_payload=True),
            VectorQuery(space, thirty[6].vectors["visual"], 3, with_payload=("size",), exact=True),
            VectorQuery(space, thirty[5].vectors["visual"], 3, where=Filter(exclude_ids=(thirty[5].id,)), ef=64),
        ]
        first, second, third = store.query("images", queries)
        assert first[0].payload == thirty[5].payload
        assert [second[0].id, second[0].payload] == [thirty[6].id, {"size": 106}]
        assert len(third) == 3
        assert thirty[5].id not in {h.id for h in third}
        assert store.query("images", []) == []

    def test_multivectors_score_the_mean_of_best_matches(self, store, videos, vectors):
        store.ensure(videos)
        frames = {str(uuid.uuid4()): vectors(n + 1, seed=n) for n in range(12)}
        store.upsert("videos", [Point(i, {"visual": v}, {}) for i, v in frames.items()])
        space = videos.by_name["visual"].space
        for asked in (vectors(1, seed=50), vectors(4, seed=51)):
            (hits,) = store.query("videos", [VectorQuery(space, asked, 12)])
            truth = {i: np.mean([max(cosine(q, f) for f in v) for q in asked]) for i, v in frames.items()}
            assert {h.id: h.score for h in hits} == pytest.approx(truth, abs=1e-5)
            assert [h.id for h in hits] == sorted(truth, key=truth.__getitem__, reverse=True)

    def test_dot_spaces_keep_lengths(self, store, videos, vectors):
        store.ensure(videos)
        id_, raw = str(uuid.uuid4()), vectors(1, 8) * 7
        store.upsert("videos", [Point(id_, {"sound_raw": raw}, {})])
        (hits,) = store.query("videos", [VectorQuery(videos.by_name["sound_raw"].space, raw, 1)])
        assert hits[0].score == pytest.approx(float(raw[0] @ raw[0]), rel=1e-5)

    def test_points_without_the_space_are_no_hits(self, store, videos, vectors):
        store.ensure(videos)
        store.upsert("videos", [Point(str(uuid.uuid4()), {"visual": vectors(2)}, {})])
        assert store.query("videos", [VectorQuery(videos.by_name["sound"].space, vectors(1, 8), 5)]) == [[]]

    def test_a_query_of_another_model_is_refused(self, store, thirty, images, vectors):
        space = other_model(images, "visual").fields[0].space
        with pytest.raises(SpaceMismatchError, match=r"test-model.*other-model"):
            store.query("images", [VectorQuery(space, vectors(), 1)])

    @pytest.mark.parametrize("shape", [(1, 15), (2, 16), (16,)])
    def test_a_query_of_the_wrong_shape_is_refused(self, store, thirty, images, shape):
        with pytest.raises(SpaceMismatchError):
            store.query("images", [VectorQuery(images.fields[0].space, np.ones(shape, np.float32), 1)])
