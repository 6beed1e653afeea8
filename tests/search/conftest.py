"""A small library whose vectors are written by hand, in a real store.

The in-memory server, which is made at once; the contract suite holds it and the embedded store alike.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
from qdrant_client import QdrantClient

from search.media import Kind, MediaRecord, media_id
from search.spaces import CollectionSchema, Space, VectorField
from search.store.base import Array, Point, Store
from search.store.edge.store import EdgeStore
from search.store.server.store import ServerStore

VISUAL = Space("visual", "hand", "1", "none", 4)
STYLE = Space("style", "hand", "1", "none", 4)
MOTION = Space("motion", "hand", "1", "none", 4)
SOUND = Space("sound", "hand", "1", "none", 4)
SOUND_RAW = Space("sound_raw", "hand", "1", "none", 4)

SCHEMAS = (
    CollectionSchema(Kind.IMAGE, (VectorField(VISUAL), VectorField(STYLE))),
    CollectionSchema(
        Kind.VIDEO,
        (
            VectorField(VISUAL, multi=True),
            VectorField(STYLE, multi=True),
            VectorField(MOTION),
            VectorField(SOUND),
            VectorField(SOUND_RAW, indexed=False),
        ),
    ),
    CollectionSchema(Kind.AUDIO, (VectorField(SOUND), VectorField(SOUND_RAW, indexed=False))),
)

Vector = Sequence[float]


class Library:
    """Adds media by name; an id is that of the name's bytes."""

    spaces: ClassVar = {"visual": VISUAL, "style": STYLE, "motion": MOTION, "sound": SOUND}

    def __init__(self, store: Store) -> None:
        self.store = store
        for schema in SCHEMAS:
            store.ensure(schema)

    def image(self, name: str, visual: Vector, **facts: object) -> str:
        return self.add(Kind.IMAGE, name, {"visual": [visual]}, **facts)

    def audio(self, name: str, sound: Vector, **facts: object) -> str:
        return self.add(Kind.AUDIO, name, {"sound": [sound], "sound_raw": [sound]}, **facts)

    def video(
        self,
        name: str,
        frames: Sequence[Vector],
        *,
        sound: Vector | None = None,
        motion: Vector | None = None,
        **facts: object,
    ) -> str:
        single = {"sound": sound, "sound_raw": sound, "motion": motion}
        vectors = {"visual": frames} | {space: [v] for space, v in single.items() if v is not None}
        facts = {"moments": tuple(float(at) for at in range(len(frames)))} | facts
        return self.add(Kind.VIDEO, name, vectors, **facts)

    def add(self, kind: Kind, name: str, vectors: dict[str, Sequence[Vector]], **facts: object) -> str:
        record = MediaRecord(id=media_id(name), kind=kind, **({"paths": (f"/library/{name}",)} | facts))
        rows = {space: np.array(vector, np.float32) for space, vector in vectors.items()}
        self.store.upsert(kind.collection, [Point(record.id, rows, record.to_payload())])
        return record.id

    def many_images(self, vectors: Array, start: int = 0) -> list[str]:
        records = [
            MediaRecord(id=media_id(f"many {at}"), kind=Kind.IMAGE, paths=(f"/library/many/{at}.jpg",))
            for at in range(start, start + len(vectors))
        ]
        points = [
            Point(r.id, {"visual": row[None].astype(np.float32)}, r.to_payload())
            for r, row in zip(records, vectors, strict=True)
        ]
        self.store.upsert("images", points)
        return [record.id for record in records]


@pytest.fixture
def library() -> Iterator[Library]:
    store = ServerStore(QdrantClient(":memory:"))
    yield Library(store)
    store.close()


@pytest.fixture
def embedded_library(tmp_path: Path) -> Iterator[Library]:
    store = EdgeStore(tmp_path / "home")
    yield Library(store)
    store.close()
