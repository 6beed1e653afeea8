"""What a server, or a proxy before it, takes in one request: sizes adapt, and no filter or order lacks its index."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import UTC, datetime

import httpx
import numpy as np
import pytest

from search.records.browse import ORDERS
from search.settings import Settings
from search.store.answers import MMR_CANDIDATES
from search.store.base import VectorQuery
from search.store.filters import Filter, IndexType, Match, NumberRange, facet_keys, filter_fields
from search.store.payloads import PAYLOAD_INDEXES, check_facet_key, check_order
from search.store.server.errors import TooLargeError
from search.store.server.filters import server_filter
from search.store.server.limits import Limits, exhaust
from search.store.server.points import numbers_of
from search.store.server.store import ServerStore

pytestmark = pytest.mark.filterwarnings("ignore:Local mode performs exact")


@pytest.fixture
def store(rest, images):
    made = ServerStore(rest.client(), Settings.model_validate({}))
    made.ensure(images)
    return made


@pytest.fixture
def points(make_image):
    return [make_image(n, size=n // 7) for n in range(60)]


def sizes(rest, method, path, key):
    return [len(body[key]) for body in rest.asked(method, path)]


def test_usual_sizes(vectors):
    def chunks(items):
        sent = []
        exhaust(Limits().points.each(items, lambda some: sent.append(len(some)), numbers_of))
        return sent

    assert chunks([{"visual": vectors(300, 1280)}] * 3) == [1, 1, 1]
    assert chunks([{"visual": vectors(1, 16)}] * 1001) == [500, 500, 1]


class TestStrictMode:
    def test_more_hits_than_are_given_at_once(self, rest, store, images, points, vectors):
        store.upsert("images", points)
        question = VectorQuery(images.fields[0].space, vectors(), 50)

        def ask(*questions):
            return [[(hit.id, pytest.approx(hit.score)) for hit in hits] for hits in store.query("images", questions)]

        whole = ask(question, replace(question, limit=3))
        rest.strict = {"max_query_limit": 20}
        assert ask(question, replace(question, limit=3)) == whole
        rest.requests.clear()
        assert [len(hits) for hits in ask(question)] == [50]
        (body,) = rest.asked("POST", ".*/query/batch")
        assert [(one["limit"], one.get("offset")) for one in body["searches"]] == [(20, None), (20, 20), (10, 40)]

    def test_diverse_ones(self, rest, store, images, points, vectors):
        store.upsert("images", points)
        question = VectorQuery(images.fields[0].space, vectors(), 50, diversity=0.5)
        whole = store.query("images", [question])
        rest.strict = {"max_query_limit": 20}
        (hits,) = store.query("images", [question])
        assert {hit.id for hit in hits} == {hit.id for hit in whole[0]}
        assert MMR_CANDIDATES > 20

    @pytest.mark.parametrize("descending", [False, True])
    @pytest.mark.parametrize("most", [3, 10])
    def test_more_records_than_are_given_at_once(self, rest, store, points, most, descending):
        """Seven have the same number each, which is more than a page and less."""
        store.upsert("images", points)
        where = Filter(exclude_ids=(points[0].id,))
        whole = store.ordered("images", "size", limit=45, descending=descending, where=where)
        rest.strict = {"max_query_limit": most}
        found = store.ordered("images", "size", limit=45, descending=descending, where=where)
        assert [point.payload["size"] for point in found] == [point.payload["size"] for point in whole]
        assert len({point.id for point in found} - {points[0].id}) == 45
        assert len(list(store.scroll("images"))) == len(store.ordered("images", "size", limit=99)) == 60
        assert len(store.facet("images", "kind", limit=50)) == 1
        rest.requests.clear()
        assert len(list(store.scroll("images"))) == 60
        assert {body["limit"] for body in rest.asked("POST", ".*/scroll")} == {most}, "what was learnt is remembered"

    def test_fewer_points_and_questions_in_a_request(self, rest, store, images, points):
        rest.strict = {"upsert_max_batchsize": 25, "search_max_batchsize": 4}
        store.upsert("images", points)
        assert sizes(rest, "PUT", ".*-1/points", "points") == [60, 25, 25, 10]
        asked = [VectorQuery(images.fields[0].space, point.vectors["visual"], 1) for point in points[:6]]
        assert [hits[0].id for hits in store.query("images", asked)] == [point.id for point in points[:6]]
        assert sizes(rest, "POST", ".*/query/batch", "searches") == [6, 4, 2]

    def test_a_filter_without_an_index_is_refused(self, rest, store):
        """So that whatever passes the contract suite, which the double runs in strict mode, has its index."""
        rest.strict = {"max_query_limit": 100}
        assert store.count("images", Filter(cameras=("Leica",))) == 0
        del rest.indexes["images-1"]["camera"]
        with pytest.raises(Exception, match="Index required but not found"):
            store.count("images", Filter(cameras=("Leica",)))


class TestTooLong:
    """A proxy answers 413 with a page of its own; a server answers 400."""

    def test_halves_and_remembers(self, rest, store, points):
        lengths = []
        rest.refuse = lambda request: lengths.append(len(request.content))
        rest.largest_body = 40_000
        store.upsert("images", points)
        assert store.count("images") == 60
        assert max(lengths) > 40_000
        lengths.clear()
        store.upsert("images", points)
        assert max(lengths) <= 40_000, "no request is refused again"

    def test_ids_edits_and_new_vectors(self, rest, store, points, vectors):
        store.upsert("images", points)
        rest.largest_body = 1500
        ids = [point.id for point in points]
        store.patch_payload("images", {id_: {"credit": "person"} for id_ in ids})
        store.patch_payload("images", {id_: {"added": float(n)} for n, id_ in enumerate(ids)})
        store.update_vectors("images", {id_: {"visual": vectors(seed=n)} for n, id_ in enumerate(ids)})
        found = store.retrieve("images", ids, vectors=["visual"])
        assert [point.payload["added"] for point in found] == list(range(60))
        assert {point.payload["credit"] for point in found} == {"person"}
        assert np.allclose(found[7].vectors["visual"], vectors(seed=7) / np.linalg.norm(vectors(seed=7)), atol=1e-6)
        store.delete("images", ids)
        assert store.count("images") == 0

    @pytest.mark.parametrize(
        "answer",
        [
            httpx.Response(413, text="<html>413 Request Entity Too Large</html>"),
            httpx.Response(
                400, json={"status": {"error": "Payload error: JSON payload (9 bytes) is larger than allowed"}}
            ),
        ],
    )
    def test_one_record_that_is_too_long_says_what_to_raise(self, rest, store, points, answer):
        rest.refuse = lambda request: answer if request.url.path.endswith("/points") else None
        with pytest.raises(TooLargeError, match=r"client_max_body_size.*max_request_size_mb") as caught:
            store.upsert("images", points)
        assert not caught.value.retryable
        assert sizes(rest, "PUT", ".*-1/points", "points") == [60, 30, 15, 7, 3, 1]


class TestIndexes:
    """Strict servers answer no filter and no order whose key has no index."""

    def keys(self, where):
        compiled = server_filter(where).model_dump(exclude_none=True)
        return {one["key"] for clause in compiled.values() for one in clause or () if "key" in one}

    def test_every_filter(self):
        samples = {
            Match.ANY_OF: ("a",), Match.BELOW: "/a", Match.WORDS: "a", Match.NEAR: (1.0, 2.0, 3.0),
        }  # fmt: skip
        reached = {"missing"}
        for name, row in filter_fields().items():
            moments = [datetime(2026, 1, 1), datetime(2026, 1, 1, tzinfo=UTC)]  # noqa: DTZ001  # by the clock there
            values = moments if row.index is IndexType.DATETIME else [samples.get(row.match, 1)]
            for value in values:
                reached |= self.keys(Filter(**{name: value}))
        for order in ORDERS.values():
            if order.key is not None:
                check_order(order.key, 1)
                reached |= self.keys(Filter(numbers=(NumberRange(order.key, gt=1.0),), lacking=order.key))
        for key in facet_keys():
            check_facet_key(key)
        reached |= self.keys(Filter(numbers=(NumberRange("decoding", gte=1),)))
        assert reached == set(PAYLOAD_INDEXES), "an index for each, and none that nothing asks for"
        asked = {field.name for field in fields(Filter)} - set(filter_fields())
        assert asked == {"has_space", "numbers", "lacking", "ids", "exclude_ids", "include_missing"}
