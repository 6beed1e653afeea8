"""What is sent to a server: the layout and the searches that settings ask for, which the in-memory double ignores."""

from __future__ import annotations

import re
from dataclasses import replace

import httpx
import pytest

from search.errors import SpaceMismatchError, StoreError
from search.settings import Settings
from search.spaces import CollectionSchema, VectorField
from search.store.answers import MMR_CANDIDATES
from search.store.base import Point, SpaceNotAddedError, VectorQuery
from search.store.payloads import PAYLOAD_INDEXES
from search.store.server import names as server_names
from search.store.server.store import ServerStore

pytestmark = pytest.mark.filterwarnings("ignore:Local mode performs exact")


@pytest.fixture
def make_store(rest):
    def make(**settings):
        return ServerStore(rest.client(), Settings.model_validate(settings))

    return make


def said(value):
    """Without what is left to the server."""
    if isinstance(value, dict):
        return {key: said(part) for key, part in value.items() if part is not None}
    return value


class TestMaking:
    def test_everything_that_settings_say(self, rest, make_store, images):
        make_store(
            qdrant_prefix="archive_",
            qdrant_shards=6,
            qdrant_replicas=3,
            qdrant_write_consistency=2,
            qdrant_on_disk=True,
            qdrant_hnsw_m=24,
            qdrant_hnsw_ef_construct=200,
        ).ensure(images)
        (body,) = rest.asked("PUT", "/collections/archive_images-1")
        assert body["metadata"] == {"likewise_schema": images.to_json()}
        del body["metadata"]
        assert said(body) == {
            "vectors": {"visual": {"size": 16, "distance": "Cosine", "on_disk": True}},
            "shard_number": 6,
            "replication_factor": 3,
            "write_consistency_factor": 2,
            "on_disk_payload": True,
            "hnsw_config": {"m": 24, "ef_construct": 200},
        }

    def test_single_many_and_only_fetched_vectors(self, rest, make_store, videos):
        make_store(qdrant_quantization="int8").ensure(videos)
        (body,) = rest.asked("PUT", "/collections/videos-1")
        int8 = {"scalar": {"type": "int8", "quantile": 0.99, "always_ram": True}}
        assert said(body["vectors"]) == {
            "visual": {
                "size": 16,
                "distance": "Cosine",
                "multivector_config": {"comparator": "max_sim"},
                "quantization_config": int8,
            },
            "sound": {"size": 8, "distance": "Cosine", "quantization_config": int8},
            "sound_raw": {"size": 8, "distance": "Dot", "hnsw_config": {"m": 0}, "on_disk": True},
        }

    def test_binary_compression(self, rest, make_store, images):
        make_store(qdrant_quantization="binary").ensure(images)
        (body,) = rest.asked("PUT", "/collections/images-1")
        assert said(body["vectors"]["visual"]["quantization_config"]) == {"binary": {"always_ram": True}}

    @pytest.mark.parametrize(("settings", "on_disk"), [({}, {}), ({"qdrant_on_disk": True}, {"on_disk": True})])
    def test_sparse_vectors_are_indexed_as_float16(self, rest, make_store, tagged, settings, on_disk):
        make_store(qdrant_quantization="int8", **settings).ensure(tagged)
        (body,) = rest.asked("PUT", "/collections/images-1")
        assert set(body["vectors"]) == {"visual"}
        assert said(body["sparse_vectors"]) == {"concepts": {"index": {"datatype": "float16"} | on_disk}}

    def test_payload_is_indexed_before_anybody_can_write(self, rest, make_store, images):
        store = make_store()
        store.ensure(images)
        written = [path for method, path, _ in rest.requests if method != "GET"]
        assert written[0] == "/collections/images-1"
        assert written[1:-1] == ["/collections/images-1/index"] * len(PAYLOAD_INDEXES)
        assert written[-1] == "/collections/aliases"
        indexed = {body["field_name"]: body["field_schema"] for body in rest.asked("PUT", ".*/index")}
        assert indexed == {key: index.value for key, index in PAYLOAD_INDEXES.items()}

    def test_nothing_is_sent_twice(self, rest, make_store, images):
        make_store().ensure(images)
        rest.requests.clear()
        make_store().ensure(images)
        assert {method for method, _, _ in rest.requests} == {"GET"}

    def test_every_collection_and_alias_that_is_named_has_the_prefix(self, rest, make_store, images, make_image):
        store = make_store(qdrant_prefix="mine-")
        store.ensure(images)
        store.upsert("images", [make_image(1)])
        store.set_metadata("images", {"a": 1})
        store.hold_indexing("images", held=True)
        store.promote(store.begin_generation(images))
        store.drop_generation("images.1")
        named = [re.match(r"/collections/([^/]+)", path) for _, path, _ in rest.requests]
        assert {match[1] for match in named if match} <= {
            "mine-images",
            "mine-images-1",
            "mine-images-2",
            "aliases",
        } | {f"mine-{kind}" for kind in ("videos", "audio")}
        for body in rest.asked("POST", "/collections/aliases"):
            for action in body["actions"]:
                assert all(name.startswith("mine-") for change in action.values() for name in change.values())


class TestAddingASpace:
    def test_its_definition_its_placement_and_last_the_schema(self, rest, make_store, images, videos):
        store = make_store(qdrant_quantization="int8")
        store.ensure(images)
        rest.requests.clear()
        fields = (*images.fields, videos.by_name["sound"], videos.by_name["sound_raw"])
        store.ensure(CollectionSchema(images.kind, fields))
        written = [(method, path, said(body)) for method, path, body in rest.requests if method != "GET"]
        int8 = {"scalar": {"type": "int8", "quantile": 0.99, "always_ram": True}}
        assert written[:4] == [
            ("PUT", "/collections/images-1/vectors/sound", {"dense": {"size": 8, "distance": "Cosine"}}),
            ("PATCH", "/collections/images-1", {"vectors": {"sound": {"quantization_config": int8}}}),
            ("PUT", "/collections/images-1/vectors/sound_raw", {"dense": {"size": 8, "distance": "Dot"}}),
            ("PATCH", "/collections/images-1", {"vectors": {"sound_raw": {"hnsw_config": {"m": 0}, "on_disk": True}}}),
        ]
        assert [path for _, path, _ in written[4:]] == ["/collections/images-1"]
        assert len(written[4][2]["metadata"]["likewise_schema"]["fields"]) == 3

    @pytest.mark.parametrize("on_disk", [False, True])
    def test_a_sparse_one(self, rest, make_store, images, tagged, on_disk):
        store = make_store(qdrant_quantization="int8", qdrant_on_disk=on_disk)
        store.ensure(images)
        rest.requests.clear()
        store.ensure(tagged)
        written = [(method, path, said(body)) for method, path, body in rest.requests if method != "GET"]
        placed = {"sparse_vectors": {"concepts": {"index": {"datatype": "float16", "on_disk": True}}}}
        assert written[:-1] == [
            ("PUT", "/collections/images-1/vectors/concepts", {"sparse": {"datatype": "float16"}}),
            *([("PATCH", "/collections/images-1", placed)] if on_disk else []),
        ]
        assert written[-1][2]["metadata"]["likewise_schema"]["fields"][1]["sparse"] is True

    def test_a_server_that_is_too_old_for_a_sparse_one(self, rest, make_store, images, tagged):
        store = make_store()
        store.ensure(images)
        rest.refuse = lambda request: httpx.Response(405) if "/vectors/" in request.url.path else None
        with pytest.raises(SpaceNotAddedError, match=r"no space 'concepts'.*1\.18.*reembed --space concepts") as caught:
            store.ensure(tagged)
        assert caught.value.space == "concepts"
        assert store.schema("images") == images

    def test_a_server_that_is_too_old_for_it(self, rest, make_store, images, videos):
        store = make_store()
        store.ensure(images)
        rest.refuse = lambda request: httpx.Response(404) if "/vectors/" in request.url.path else None
        with pytest.raises(SpaceMismatchError, match=r"no space 'sound'.*1\.18.*likewise reembed --space sound"):
            store.ensure(CollectionSchema(images.kind, (*images.fields, videos.by_name["sound"])))
        assert store.schema("images") == images


class TestSearching:
    @pytest.mark.parametrize(
        ("settings", "query", "params"),
        [
            ({}, {}, {"quantization": {"rescore": True}}),
            ({}, {"ef": 64}, {"hnsw_ef": 64, "quantization": {"rescore": True}}),
            ({}, {"exact": True}, {"exact": True, "quantization": {"ignore": True}}),
            (
                {"qdrant_quantization": "int8"},
                {},
                {"quantization": {"rescore": True, "oversampling": 2.0}},
            ),
            (
                {"qdrant_quantization": "binary", "qdrant_oversampling": 4.0},
                {"ef": 64},
                {"hnsw_ef": 64, "quantization": {"rescore": True, "oversampling": 4.0}},
            ),
            (
                {"qdrant_quantization": "binary"},
                {"exact": True},
                {"exact": True, "quantization": {"ignore": True}},
            ),
        ],
    )
    def test_params(self, rest, make_store, images, vectors, settings, query, params):
        store = make_store(**settings)
        store.ensure(images)
        store.query("images", [VectorQuery(images.fields[0].space, vectors(), 5, **query)])
        (body,) = rest.asked("POST", "/collections/images-1/points/query/batch")
        sent = body["searches"][0]
        assert (sent["using"], sent["limit"]) == ("visual", 5)
        defaults = {"exact": False, "indexed_only": False}
        actual = said(sent.get("params"))
        if actual is not None:
            actual = {key: value for key, value in actual.items() if defaults.get(key) != value}
            if not actual.get("quantization", {}).get("ignore", True):
                del actual["quantization"]["ignore"]
        assert actual == params

    def test_a_sparse_question_and_a_diverse_one(self, rest, make_store, tagged, vectors, weights):
        store = make_store()
        store.ensure(tagged)
        visual, concepts = (field.space for field in tagged.fields)
        plain = VectorQuery(visual, vectors(), 5)
        queries = [VectorQuery(concepts, weights({3: 1, 9: 0.5}), 5), replace(plain, diversity=0.25), plain]
        store.query("images", queries)
        (body,) = rest.asked("POST", "/collections/images-1/points/query/batch")
        sparse, diverse, usual = body["searches"]
        assert said(sparse["query"])["nearest"] == {"indices": [3, 9], "values": [1.0, 0.5]}
        assert sparse["using"] == "concepts"
        assert diverse["query"]["mmr"] == {"diversity": 0.25, "candidates_limit": MMR_CANDIDATES}
        assert diverse["query"]["nearest"] == usual["query"]["nearest"]

    def test_an_order_is_asked_by_the_index_it_has(self, rest, make_store, images):
        store = make_store()
        store.ensure(images)
        assert store.ordered("images", "sort_time", descending=True, limit=7, payload=("size",)) == []
        (body,) = rest.asked("POST", "/collections/images-1/points/scroll")
        assert said(body["order_by"]) == {"key": "sort_time", "direction": "desc"}
        assert (body["limit"], body["with_payload"]) == (7, ["size"])
        rest.indexes["images-1"].pop("sort_time")
        with pytest.raises(StoreError, match=r"400.*No range index"):
            store.ordered("images", "sort_time", limit=1)


class TestRoundTrips:
    def test_what_is_there_costs_one_request_a_collection_and_one(self, rest, make_store, images, videos):
        store = make_store()
        store.ensure(images)
        store.ensure(videos)
        rest.requests.clear()
        assert set(store.collections()) == {"images", "videos"}
        assert [path for _, path, _ in rest.requests] == [
            "/aliases",
            "/collections/audio",
            "/collections/images-1",
            "/collections/videos-1",
        ]

    def test_a_question_costs_one_request_once_aliases_and_schema_are_known(
        self, rest, make_store, images, vectors, monkeypatch
    ):
        monkeypatch.setattr(server_names, "ALIASES_HELD", 3600.0)
        store = make_store()
        store.ensure(images)
        query = VectorQuery(images.fields[0].space, vectors(), 5)
        store.query("images", [query])
        rest.requests.clear()
        store.query("images", [query, replace(query, exact=True)])
        store.count("images")
        assert [path for _, path, _ in rest.requests] == [
            "/collections/images-1/points/query/batch",
            "/collections/images-1/points/count",
        ]

    def test_a_write_reads_the_aliases_and_waits(self, rest, make_store, images, make_image):
        waited = []
        store = make_store()
        store.ensure(images)
        rest.requests.clear()
        rest.refuse = lambda request: waited.append(request.url.params.get("wait"))
        store.upsert("images", [make_image(1)])
        assert [path for _, path, _ in rest.requests] == ["/aliases", "/collections/images-1/points"]
        assert waited[-1] == "true"


class TestSizes:
    def test_requests_stay_within_what_a_server_takes(self, rest, make_store, images, make_image):
        store = make_store()
        store._limits.ids.count = 4
        store.ensure(images)
        points = [make_image(n) for n in range(10)]
        ids = [point.id for point in points]
        store.upsert("images", points)
        store.patch_payload("images", {id_: {"credit": "person"} for id_ in ids})
        assert [len(b["operations"][0]["set_payload"]["points"]) for b in rest.asked("POST", ".*/batch")] == [4, 4, 2]
        assert [p.id for p in store.retrieve("images", ids)] == ids
        store.delete("images", ids)
        assert [len(body["points"]) for body in rest.asked("POST", ".*/points/delete")] == [4, 4, 2]
        assert store.count("images") == 0

    def test_questions_stay_within_what_a_server_takes(self, rest, make_store, images, make_image):
        """As many as a question about several videos asks at once: one for each key frame of each."""
        store = make_store()
        store._limits.questions.floats = 3 * 16
        store.ensure(images)
        points = [make_image(n) for n in range(7)]
        store.upsert("images", points)
        space = images.fields[0].space
        answers = store.query("images", [VectorQuery(space, point.vectors["visual"], 1) for point in points])
        assert [hits[0].id for hits in answers] == [point.id for point in points]
        assert [len(body["searches"]) for body in rest.asked("POST", ".*/query/batch")] == [3, 3, 1]

    def test_answers_with_vectors_stay_small_enough_to_take(self, rest, make_store, videos, vectors):
        store = make_store(key_frames=32)
        store._limits.answer_floats = 3 * 32 * 16
        store.ensure(videos)
        ids = [f"00000000-0000-0000-0000-{n:012}" for n in range(7)]
        store.upsert("videos", [Point(id_, {"visual": vectors(32)}, {}) for id_ in ids])
        assert [p.id for p in store.scroll("videos", vectors=["visual"], page=1000)] == ids
        assert [body["limit"] for body in rest.asked("POST", ".*/scroll")] == [3, 3, 3]
        assert [p.id for p in store.retrieve("videos", ids, vectors=["visual"])] == ids
        assert [len(body["ids"]) for body in rest.asked("POST", ".*/videos-1/points")] == [3, 3, 1]
        assert len(list(store.scroll("videos"))) == 7
        assert rest.asked("POST", ".*/scroll")[-1]["limit"] == 1000


@pytest.mark.parametrize("usual", [12_345, 0, None])
def test_indexing_is_held_and_let_go(rest, make_store, images, usual):
    store = make_store()
    store.ensure(images)
    rest.optimizers["images-1"]["indexing_threshold"] = usual
    store.hold_indexing("images", held=True)
    store.hold_indexing("images", held=True)
    assert rest.optimizers["images-1"]["indexing_threshold"] == 0
    make_store().hold_indexing("images", held=False)
    back = 10_000 if usual is None else usual
    assert rest.optimizers["images-1"]["indexing_threshold"] == back
    first, second, *_, last = rest.asked("PATCH", "/collections/images-1")
    remembered = {"likewise_indexing_threshold": back}
    assert said(first) == {"metadata": remembered}, "what to go back to is there before anything is changed"
    assert said(second) == {"optimizers_config": {"indexing_threshold": 0}, "metadata": remembered}
    assert last["metadata"] == {"likewise_indexing_threshold": None}


def test_a_vector_that_holds_no_graph_may_still_be_looked_for(rest, make_store, videos, vectors):
    store = make_store()
    store.ensure(CollectionSchema(videos.kind, (VectorField(videos.by_name["sound"].space, indexed=False),)))
    store.upsert("videos", [Point("00000000-0000-0000-0000-000000000001", {"sound": vectors(1, 8)}, {})])
    (hits,) = store.query("videos", [VectorQuery(videos.by_name["sound"].space, vectors(1, 8), 1)])
    assert len(hits) == 1
