"""Answers further down, diverse ones, and listings in the order of a number, on every store."""

from __future__ import annotations

import uuid

import numpy as np
import pytest

from search.errors import UsageError
from search.store import answers
from search.store.base import Point, VectorQuery
from search.store.edge import store as edge
from search.store.filters import Filter, NumberRange
from search.store.server import questions as server

UNIT = np.eye(16, dtype=np.float32)


def name(n):
    return str(uuid.UUID(int=n + 1))


@pytest.fixture
def burst(store, images):
    """Ten near copies of one picture, then six others, each less like the question ``UNIT[0]`` than the one before."""
    store.ensure(images)
    rows = [UNIT[0] + 0.01 * (n + 1) * UNIT[1] for n in range(10)]
    rows += [UNIT[0] + (0.2 + 0.1 * n) * UNIT[2 + n] for n in range(6)]
    store.upsert("images", [Point(name(n), {"visual": row[None]}, {"size": n}) for n, row in enumerate(rows)])
    return [row / np.linalg.norm(row) for row in rows]


def found(store, images, limit, **how):
    return store.query("images", [VectorQuery(images.fields[0].space, UNIT[:1], limit, **how)])[0]


def said(hits):
    return [(hit.id, pytest.approx(hit.score, abs=1e-6)) for hit in hits]


def ids(points):
    return [uuid.UUID(point.id).int - 1 for point in points]


@pytest.mark.by_grpc
class TestDiversity:
    def test_a_burst_does_not_fill_the_page(self, store, images, burst):
        assert ids(found(store, images, 7)) == list(range(7))
        diverse = ids(found(store, images, 7, diversity=0.7))
        assert diverse[0] == 0
        assert set(diverse[1:]) == set(range(10, 16))

    def test_scores_are_cosines_all_the_same(self, store, images, burst):
        for hit in found(store, images, 16, diversity=0.6, with_payload=True):
            n = hit.payload["size"]
            assert hit.score == pytest.approx(float(burst[n][0]), abs=1e-5)

    def test_none_of_it_is_the_order_of_scores(self, store, images, burst):
        assert said(found(store, images, 16, diversity=0.0)) == said(found(store, images, 16))

    def test_beyond_what_is_rearranged_hits_follow_by_score(self, store, images, burst, monkeypatch):
        for module in (answers, edge, server):
            monkeypatch.setattr(module, "MMR_CANDIDATES", 12)
        whole = found(store, images, 16, diversity=0.7)
        assert set(ids(whole[:12])) == set(range(12))
        assert ids(whole[12:]) == [12, 13, 14, 15]
        assert said(found(store, images, 14, diversity=0.7)) == said(whole[:14])

    def test_with_a_filter_and_beside_a_plain_question(self, store, images, burst):
        space = images.fields[0].space
        where = Filter(exclude_ids=(name(0),))
        diverse, plain = store.query(
            "images",
            [VectorQuery(space, UNIT[:1], 3, where, diversity=0.7), VectorQuery(space, UNIT[:1], 3)],
        )
        assert ids(diverse)[0] == 1
        assert set(ids(diverse)[1:]) <= set(range(10, 16))
        assert ids(plain) == [0, 1, 2]

    def test_out_of_range(self, store, images, burst):
        for diversity in (-0.1, 1.1, float("nan")):
            with pytest.raises(UsageError, match="0 to 1"):
                found(store, images, 5, diversity=diversity)

    def test_of_many_vectors(self, store, videos, vectors):
        store.ensure(videos)
        with pytest.raises(UsageError, match=r"'visual'.*many"):
            store.query("videos", [VectorQuery(videos.by_name["visual"].space, vectors(), 5, diversity=0.5)])


@pytest.fixture
def sized(store, images, make_image):
    """Sizes 100 to 129, but some twice; durations of every third; number 0 is missing, 29 has no size."""
    store.ensure(images)
    points = []
    for n in range(30):
        facts = {"size": 100 + n - n % 5, "missing": n == 0}
        if n % 3 == 0:
            facts["duration"] = 0.1 * n
        points.append(make_image(n, **facts))
    del points[29].payload["size"]
    store.upsert("images", points)
    return points


class TestOrdered:
    def test_by_an_integer_and_by_a_float_both_ways(self, store, sized):
        for key in ("size", "duration"):
            expected = sorted(round(p.payload[key], 12) for p in sized if key in p.payload)
            up = store.ordered("images", key, limit=100)
            down = store.ordered("images", key, descending=True, limit=100)
            assert [p.payload[key] for p in up] == expected
            assert [p.payload[key] for p in down] == expected[::-1]
            assert {p.id for p in up} == {p.id for p in down} == {p.id for p in sized if key in p.payload}

    def test_with_a_limit_a_filter_and_some_payload(self, store, sized):
        least = sorted(p.payload["size"] for p in sized if "size" in p.payload)[:7]
        assert [p.payload for p in store.ordered("images", "size", limit=7, payload=("size",))] == [
            {"size": size} for size in least
        ]
        where = Filter(numbers=(NumberRange("duration", lte=1.0),))
        down = store.ordered("images", "duration", descending=True, limit=100, where=where)
        assert [p.payload["duration"] for p in down] == pytest.approx([0.9, 0.6, 0.3])
        assert down[0].payload["kind"] == "image"
        (bare,) = store.ordered("images", "size", limit=1, payload=False)
        assert (bare.payload, bare.vectors) == ({}, {})

    def test_by_what_is_no_number(self, store, sized):
        for key in ("camera", "taken_at", "words", "location", "nonsense"):
            with pytest.raises(UsageError, match=rf"'{key}'.*These are: .*duration.*size.*sort_time"):
                store.ordered("images", key, limit=1)

    def test_no_entries(self, store, sized):
        with pytest.raises(UsageError, match="0 entries"):
            store.ordered("images", "size", limit=0)


class TestNumbers:
    def test_bounds(self, store, sized):
        cases = [
            ({"gt": 110, "lt": 120}, [115] * 5),
            ({"gte": 110, "lt": 115}, [110] * 5),
            ({"gt": 115, "lte": 120}, [120] * 5),
            ({"gte": 125}, [125] * 4),
            ({}, sorted([*range(100, 130, 5)] * 5)[:-1]),
            ({"lte": 99.5}, []),
        ]
        for bounds, expected in cases:
            where = Filter(numbers=(NumberRange("size", **bounds),), include_missing=True)
            assert sorted(p.payload["size"] for p in store.scroll("images", where=where)) == expected
            assert store.count("images", where) == len(expected)

    def test_several_at_once_and_with_other_conditions(self, store, sized):
        both = (NumberRange("size", gte=110), NumberRange("duration", lt=2.0))
        assert {p.id for p in store.scroll("images", where=Filter(numbers=both))} == {sized[n].id for n in (12, 15, 18)}

    def test_what_lacks_a_number(self, store, sized):
        assert [p.id for p in store.scroll("images", where=Filter(lacking="size"))] == [sized[29].id]
        assert store.count("images", Filter(lacking="duration")) == 20
        assert store.count("images", Filter(lacking="sort_time")) == 0

    def test_of_what_is_no_number(self, store, sized):
        for where in (Filter(numbers=(NumberRange("tags", gt=1),)), Filter(lacking="tags")):
            with pytest.raises(UsageError, match="'tags'"):
                store.count("images", where)

    def test_numbers_as_great_as_a_float_holds_exactly(self, store, images, make_image):
        store.ensure(images)
        great = 2**53 - 1
        points = [make_image(n) for n in range(3)]
        for n, point in enumerate(points):
            point.payload["sort_name"] = great - n
        store.upsert("images", points)
        assert [p.payload["sort_name"] for p in store.ordered("images", "sort_name", limit=9)] == [
            great - 2,
            great - 1,
            great,
        ]
        equal = Filter(numbers=(NumberRange("sort_name", gte=great - 1, lte=great - 1),))
        assert [p.id for p in store.scroll("images", where=equal)] == [points[1].id]
