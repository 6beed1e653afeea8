"""Counts of a library, and samples that give everybody an even share."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ingest.photographers.training import MOST_PHOTOS
from search.errors import NotFoundError
from search.media import Kind, MediaRecord, media_id
from search.photographers.model_registry import ModelKind
from search.photographers.photos import dataset
from search.photographers.photos.dataset import read_photos
from search.photographers.photos.sample import Counted, census, read_sample, stratified
from search.spaces import CollectionSchema, Space, VectorField
from search.store.base import Point
from search.store.edge.store import EdgeStore
from workers.photographers.classifier import training_set
from workers.training import pictures

VISUAL = Space("visual", "drawn", "1", "none", 3)


def _point(number: int, name: str | None, taken: str | None = None, *, visual: bool = True) -> Point:
    identity = media_id(f"{number:064x}")
    credit = None if name is None else ("folder", "exif")[number % 2]
    record = MediaRecord(
        identity, Kind.IMAGE, (f"/photos/{number}.jpg",), photographer=name, credit=credit, taken_at=taken
    )
    vectors = {"visual": np.eye(3, dtype=np.float32)[[number % 3]]} if visual else {}
    return Point(identity, vectors, record.to_payload())


@pytest.fixture
def store(tmp_path: Path) -> EdgeStore:
    opened = EdgeStore(tmp_path / "store")
    opened.ensure(CollectionSchema(Kind.IMAGE, (VectorField(VISUAL),)))
    return opened


def test_a_census_counts_what_the_photos_come_to(store: EdgeStore, tmp_path: Path) -> None:
    with pytest.raises(NotFoundError):
        census(EdgeStore(tmp_path / "nothing"))
    points = [_point(at, "Ann", f"20{10 + at}-01-01") for at in range(4)] + [_point(4, "Bo"), _point(5, None)]
    store.upsert("images", [*points, _point(6, "Ann", "1990-01-01", visual=False)])
    known = census(store)
    assert (len(known), known.credited) == (6, 5)
    assert known.counted == {
        "Ann": Counted(4, "2010-01-01", "2013-01-01", {"folder": 2, "exif": 2}),
        "Bo": Counted(1, None, None, {"folder": 1}),
    }
    whole = read_sample(store, known, 6, credited=False)
    assert (whole.ids, whole.digest) == (read_photos(store).ids, read_photos(store).digest)
    assert set(read_sample(store, known, 6, credited=True).names) == {"Ann", "Bo"}


def test_a_sample_is_read_in_order_without_what_has_gone(store: EdgeStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dataset, "AT_ONCE", 3)
    store.upsert("images", [_point(at, f"P{at % 2}") for at in range(20)])
    known = census(store)
    sample = read_sample(store, known, 8, credited=True, seed=1)
    assert len(sample) == 8
    assert list(sample.ids) == sorted(sample.ids)
    assert sorted(map(sample.names.count, ("P0", "P1"))) == [3, 5]
    store.delete("images", sample.ids[:3])
    assert read_sample(store, known, 8, credited=True, seed=1).ids == sample.ids[3:]


def test_everybody_has_an_even_share_and_nobody_a_remnant() -> None:
    owners = np.repeat(np.arange(4, dtype=np.int32), (100, 50, 4, 2))
    drawn = [np.bincount(owners[stratified(owners, most, seed=2)], minlength=4).tolist() for most in (3, 7, 30, 156)]
    assert drawn == [[3, 0, 0, 0], [3, 3, 1, 0], [12, 12, 4, 2], [100, 50, 4, 2]]
    assert stratified(owners, 30, 3).tolist() == stratified(owners, 30, 3).tolist()
    assert stratified(owners, 30, 3).tolist() != stratified(owners, 30, 4).tolist()


def test_a_training_reads_as_many_photos_as_are_looked_at() -> None:
    assert MOST_PHOTOS == {ModelKind.CLASSIFIER: training_set.MOST_PHOTOS, ModelKind.JOINT: pictures.MOST}
