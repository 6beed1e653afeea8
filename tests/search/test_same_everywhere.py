"""One library in the embedded store, copied into another, and on a server over REST: the same answers."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from search.media import Kind
from search.records.lookup import probe_of
from search.similar.find import find_similar
from search.similar.questions import Probe, Question, SimilarAnswer
from search.store.base import Store
from search.store.edge.store import EdgeStore
from search.store.server import collections as server_collections
from search.store.server import names as server_names
from search.store.server.store import ServerStore
from search.transfer import Copy


@pytest.fixture
def rest() -> Any:
    """The double of ``tests/search/store/qdrant_rest.py``, which counts requests."""
    path = Path(__file__).parent / "store" / "qdrant_rest.py"
    spec = importlib.util.spec_from_file_location("qdrant_rest", path)
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules.setdefault("qdrant_rest", importlib.util.module_from_spec(spec))
    spec.loader.exec_module(module)
    return module.QdrantRest()


@pytest.fixture
def rest_store(rest: Any) -> Iterator[Store]:
    """A store that speaks HTTP to the double."""
    store = ServerStore(rest.client())
    yield store
    store.close()


def copied(source: Store, target: Store) -> Store:
    copy = Copy(source, target, "here")
    for collection in source.collections():
        for steps in (copy.copy(collection), copy.compare(collection)):
            assert sum(steps) == source.count(collection)
        copy.finish(collection)
    return target


def test_the_same_library_answers_alike_wherever_it_lies(
    embedded_library: Any, rest_store: Store, tmp_path: Path
) -> None:
    library = embedded_library
    rng = np.random.default_rng(4)
    prints = [rng.bytes(32).hex() for _ in range(3)]
    pictures = library.many_images(rng.normal(size=(60, 4)))
    edits = [library.image(f"edit {at}", rng.normal(size=4), fingerprints=(prints[0],)) for at in range(2)]
    films = [library.video(f"film {at}", rng.normal(size=(1 + at, 4)), sound=rng.normal(size=4)) for at in range(12)]
    sounds = [library.audio(f"sound {at}", rng.normal(size=4), fingerprints=(prints[at % 3],)) for at in range(12)]
    elsewhere = copied(library.store, EdgeStore(tmp_path / "other"))
    server = copied(library.store, rest_store)

    for asked in (*pictures[:4], *edits, *films[:4], *sounds[:4]):
        question = Question((asked,), limit=100)
        here = shown(find_similar(library.store, question))
        for store in (elsewhere, server):
            there = shown(find_similar(store, question))
            assert [hit[:5] for hit in there] == [hit[:5] for hit in here]
            assert [hit[5:] for hit in there] == [pytest.approx(hit[5:], abs=1e-4) for hit in here]
    elsewhere.close()


def test_requests_that_a_question_costs(
    embedded_library: Any, rest: Any, rest_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What collections there are, their spaces and their curves are held: by upload one request for each collection
    that is searched, by id one more to fetch the example; one more where videos bring their vectors apart."""
    monkeypatch.setattr(server_collections, "DESCRIPTION_HELD", 3600.0)
    for module in (server_collections, server_names):
        monkeypatch.setattr(module, "ALIASES_HELD", 3600.0)
    library, rng = embedded_library, np.random.default_rng(5)
    rows = rng.normal(size=(40, 4))
    pictures = library.many_images(rows)
    sounds = [library.audio(f"sound {at}", rng.normal(size=4)) for at in range(30)]
    films = [library.video(f"film {at}", rng.normal(size=(3, 4)), sound=rng.normal(size=4)) for at in range(30)]
    library.video("silent film", rng.normal(size=(3, 4)))  # so that those that hold a space are counted
    server = copied(library.store, rest_store)

    def asked(like: Any, *collections: str) -> list[str]:
        question = Question((like,), limit=10, collections=collections)
        find_similar(server, question)  # learns curves, and keeps them on the server
        find_similar(server, question)
        rest.requests.clear()
        there = find_similar(server, question)
        requests = [path for _, path, _ in rest.requests]
        assert len(there.hits) == 10
        assert [hit.id for hit in there.hits] == [hit.id for hit in find_similar(library.store, question).hits]
        return requests

    def upload(id_: str) -> Probe:
        return replace(probe_of(library.store, id_), media_id="", fingerprints=())

    fetch, query = "/collections/{}-1/points", "/collections/{}-1/points/query/batch"
    assert asked(upload(pictures[0]), "images") == [query.format("images")]
    assert asked(upload(sounds[0]), "audio") == [query.format("audio")]
    assert asked(upload(pictures[0]), "videos") == [query.format("videos"), fetch.format("videos")]
    assert asked(sounds[0], "audio") == [fetch.format("audio"), query.format("audio")]
    assert asked(upload(sounds[0]), "videos") == [query.format("videos")]
    by_id = asked(pictures[0], "images")
    assert by_id == [fetch.format("audio"), fetch.format("images"), query.format("images")], "an id names no collection"
    by_id = asked(films[0], "images", "videos")
    assert by_id[:3] == [fetch.format(kind) for kind in ("audio", "images", "videos")]
    assert by_id[3:] == [query.format("images"), query.format("videos"), fetch.format("videos")]


def shown(answer: SimilarAnswer) -> list[tuple[Any, ...]]:
    """What of each hit has to be equal, then score, likeness and match."""
    rows = [answer.hits, *answer.by_collection.values()]
    return [
        (hit.id, hit.band, hit.relation, hit.moment, hit.kind is Kind.VIDEO, hit.score, hit.likeness, hit.match)
        for row in rows
        for hit in row
    ]
