"""A small library whose pictures and videos have concepts, on every store."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest
from qdrant_client import QdrantClient

from search.media import Kind, MediaRecord, media_id
from search.spaces import CollectionSchema, Distance, Space, VectorField
from search.store.base import Array, Point, Store
from search.store.edge.store import EdgeStore
from search.store.server.store import ServerStore
from search.words.table import SPACE, table

CONCEPTS = Space(SPACE, "hand", f"1/{table().version}", "none", table().dim, Distance.DOT)
SOUND = Space("sound", "hand", "1", "none", 4)


class Shown:
    """Adds media by name with what they show: words of concepts or colours, and values."""

    def __init__(self, store: Store, concepts: Space = CONCEPTS) -> None:
        self.store = store
        self.concepts = concepts
        field = VectorField(concepts, sparse=True)
        for schema in (
            CollectionSchema(Kind.IMAGE, (field,)),
            CollectionSchema(Kind.VIDEO, (field,)),
            CollectionSchema(Kind.AUDIO, (VectorField(SOUND),)),
        ):
            store.ensure(schema)

    def image(self, name: str, shows: Mapping[str, float] | None, **facts: object) -> str:
        return self._add(Kind.IMAGE, name, {} if shows is None else {SPACE: self.vector(shows)}, facts)

    def audio(self, name: str, **facts: object) -> str:
        return self._add(Kind.AUDIO, name, {"sound": np.ones((1, 4), np.float32)}, facts)

    def video(self, name: str, shows: Mapping[str, float], frames: Mapping[str, int], **facts: object) -> str:
        """``frames``: which key frame gave each of ``shows``; they are ten seconds apart."""
        by_component = sorted((component_of(word), frames[word]) for word in shows)
        facts = {
            "concept_frames": tuple(frame for _, frame in by_component),
            "moments": tuple(10.0 * n for n in range(1 + max(frames.values()))),
        } | facts
        return self._add(Kind.VIDEO, name, {SPACE: self.vector(shows)}, facts)

    def many(self, start: int, number: int, shows: Mapping[str, float], **facts: object) -> list[str]:
        vector = self.vector(shows)
        records = [
            MediaRecord(media_id(f"many {n}"), Kind.IMAGE, **({"paths": (f"/m/{n}.jpg",)} | facts))
            for n in range(start, start + number)
        ]
        self.store.upsert("images", [Point(r.id, {SPACE: vector}, r.to_payload()) for r in records])
        return [record.id for record in records]

    @staticmethod
    def vector(shows: Mapping[str, float]) -> Array:
        vector = np.zeros((1, table().dim), np.float32)
        for word, value in shows.items():
            vector[0, component_of(word)] = value
        return vector

    def _add(self, kind: Kind, name: str, vectors: Mapping[str, Array], facts: Mapping[str, object]) -> str:
        record = MediaRecord(id=media_id(name), kind=kind, **({"paths": (f"/x/{name}.jpg",)} | facts))
        self.store.upsert(kind.collection, [Point(record.id, vectors, record.to_payload())])
        return record.id


def component_of(word: str) -> int:
    """Of a colour, where there is one, else of the usual sense of a word."""
    t = table()
    if word in ("red", "blue", "black", "white", "orange", "gray"):
        return t.colour(word)
    if word == "orange fruit":
        word = "orange"
    return next(concept for concept, rare_sense in t.words[tuple(word.split())] if not rare_sense)


@pytest.fixture(params=["memory", "edge"])
def shown(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Shown]:
    store: Store = ServerStore(QdrantClient(":memory:")) if request.param == "memory" else EdgeStore(tmp_path / "home")
    yield Shown(store)
    store.close()


@pytest.fixture
def embedded(tmp_path: Path) -> Iterator[Shown]:
    store = EdgeStore(tmp_path / "home")
    yield Shown(store)
    store.close()


@pytest.fixture
def other_table(tmp_path: Path) -> Iterator[Shown]:
    """Made with a table of concepts that this version does not know."""
    store = EdgeStore(tmp_path / "home")
    yield Shown(store, Space(SPACE, "hand", "1/00000000", "none", table().dim, Distance.DOT))
    store.close()


def ids(hits: Sequence[object]) -> list[str]:
    return [hit.id for hit in hits]  # type: ignore[attr-defined]
