"""The job that finds reused film and sound: over stored fingerprints, once for each content."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from ingest.jobs.kinds import OverlapsOptions
from ingest.ledger.database import Ledger
from ingest.maintenance.overlaps import FindOverlaps, FoundOverlaps
from search.media import Kind, MediaRecord, media_id
from search.settings import Settings
from search.similar.reuse.footprints import Footprints
from search.similar.reuse.overlaps import Overlap
from search.spaces import CollectionSchema, Space, VectorField
from search.store import open_store
from search.store.base import Point
from workers.storage.previews import Previews
from workers.storage.sealed_webp import with_footprints

WEBP = b"RIFF" + (12).to_bytes(4, "little") + b"WEBPVP8 " + bytes(4)
SPACE = Space("visual", "fake", "1", "hand", 4)


class Job:
    """What the task sees of its job."""

    def __init__(self, steps: int = 10**6) -> None:
        self.steps = steps
        self.total = self.done = 0

    def begin(self, total: int, *, done: int = 0) -> None:
        self.total = total

    def goes_on(self) -> bool:
        self.steps -= 1
        return self.steps >= 0

    def count(self, *, done: int) -> None:
        self.done += done


@pytest.fixture
def library(tmp_path: Any) -> Iterator[SimpleNamespace]:
    settings = Settings(home=tmp_path / "home")
    store = open_store(settings)
    store.ensure(CollectionSchema(Kind.VIDEO, (VectorField(SPACE, multi=True),)))
    ledger = Ledger(f"sqlite:///{tmp_path}/ledger.sqlite")
    task = FindOverlaps(settings, store, ledger)

    def add(name: str, frames: np.ndarray, decoding: int = 4) -> str:
        id_ = media_id(name)
        Previews(settings).save({id_: with_footprints(WEBP, Footprints(frames).to_bytes())})
        record = MediaRecord(id_, Kind.VIDEO, (f"/films/{name}",), decoding=decoding)
        store.upsert("videos", [Point(id_, {"visual": np.eye(1, 4, dtype=np.float32)}, record.to_payload())])
        return id_

    def run(job: Job, *, anew: bool = False) -> str:
        return task.run(OverlapsOptions(anew), job)  # type: ignore[arg-type]  # a double

    yield SimpleNamespace(add=add, run=run, store=store, found=FoundOverlaps(store, ledger))
    ledger.close()
    store.close()


def film(seed: int, frames: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (frames, 32), np.uint8)


def test_new_films_are_compared_with_all_and_old_ones_not_again(library: SimpleNamespace) -> None:
    whole = library.add("whole", film(1, 60))
    part = library.add("part", np.concatenate([film(2, 10), film(1, 60)[20:40]]))
    older = library.add("older", film(1, 60), decoding=3)
    assert library.found.uncompared() == 3
    job = Job()
    said = library.run(job)
    assert (job.total, job.done) == (2, 2)
    assert "1 were decoded by an older version" in said
    (one,) = library.found.of([whole])
    assert one.seen_from(part) == Overlap(part, whole, 2.5, 5.0, 5.0)
    assert library.found.uncompared() == 1
    copy = library.add("copy", film(2, 10))
    library.add("older", film(1, 60))  # decoded anew
    job = Job()
    library.run(job)
    assert (job.total, library.found.count(), library.found.uncompared()) == (2, 4, 0)
    assert {(each.seen_from(older).other, each.seconds) for each in library.found.of([older])} == {
        (whole, 15.0),
        (part, 5.0),
    }
    assert [each.seen_from(copy).other for each in library.found.of([copy])] == [part]
    library.store.delete("videos", [part])
    library.run(Job())
    assert library.found.count() == 1
    numbers = [number for number, _ in library.found.page(10)]
    assert library.found.page(10, numbers[0]) == []


def test_a_job_that_is_cut_off_keeps_nothing_by_halves(library: SimpleNamespace) -> None:
    for seed in range(3):
        library.add(f"film{seed}", film(1, 40))
    assert "goes on from there" in library.run(Job(steps=1))
    assert (library.found.count(), library.found.uncompared()) == (0, 3)
    library.run(Job())
    assert (library.found.count(), library.found.uncompared()) == (3, 0)
    library.run(Job(), anew=True)
    assert library.found.count() == 3
