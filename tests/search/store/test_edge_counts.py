"""Counts of a collection are known without asking the engine, and are right after every write."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from search.errors import StoreError
from search.media import Kind, MediaRecord, media_id
from search.spaces import CollectionSchema, Space, VectorField
from search.store.base import Point
from search.store.edge.store import EdgeStore


def test_counts_follow_every_write_and_end_with_the_store(tmp_path: Path) -> None:
    store = EdgeStore(tmp_path)
    store.ensure(CollectionSchema(Kind.IMAGE, (VectorField(Space("visual", "m", "1", "p", 4)),)))

    def points() -> int:
        return store.collections()["images"].points

    record = MediaRecord(media_id("a"), Kind.IMAGE, ("/a.jpg",))
    assert points() == points() == 0
    store.upsert("images", [Point(record.id, {"visual": np.ones((1, 4), np.float32)}, record.to_payload())])
    assert points() == points() == 1
    store.delete("images", [record.id])
    assert points() == 0
    store.close()
    with pytest.raises(StoreError):
        points()
