"""What a process knows of a library's photographers: kept over starts, true right after a write, bounded."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from search.media import Kind, MediaRecord, media_id
from search.photographers import library_photos
from search.photographers.library_photos import Library, LibraryState
from search.spaces import CollectionSchema, Space, VectorField
from search.store.base import Point
from search.store.edge.store import EdgeStore

VISUAL = Space("visual", "drawn", "1", "none", 8)
NAMES = ("Ann", "\udcff<script>", "../x")


class Counting:
    """A store that counts how often points are read."""

    def __init__(self, store: EdgeStore) -> None:
        self._store, self.reads = store, 0

    def scroll(self, *arguments: Any, **choice: Any) -> Any:
        self.reads += 1
        return self._store.scroll(*arguments, **choice)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)


def _point(number: int, name: str) -> Point:
    identity = media_id(f"{number:064x}")
    record = MediaRecord(
        identity, Kind.IMAGE, (f"/photos/{number}.jpg",), photographer=name, credit="csv", taken_at=f"20{10 + number}"
    )
    return Point(identity, {"visual": np.eye(8, dtype=np.float32)[[number % 8]]}, record.to_payload())


@pytest.fixture
def store(tmp_path: Path) -> Counting:
    opened = EdgeStore(tmp_path / "store")
    opened.ensure(CollectionSchema(Kind.IMAGE, (VectorField(VISUAL),)))
    names = [name.encode("utf-8", "replace").decode() for name in NAMES]
    opened.upsert("images", [_point(at, names[at % 3]) for at in range(12)])
    return Counting(opened)


@pytest.fixture
def start(store: Counting, tmp_path: Path) -> Callable[[LibraryState], Library]:
    """Another process that begins in this state of the library."""
    return lambda state: Library(store, lambda: state, tmp_path / "cache" / "photographers.json")  # type: ignore[arg-type]


def test_the_list_outlives_a_process_and_no_change(store: Counting, start: Any, tmp_path: Path) -> None:
    rest = LibraryState(("done",), (12, ()), at_rest=True)
    first = start(rest).listed()
    assert [one.photos for one in first] == [4, 4, 4]
    assert all(one.samples for one in first)
    before = store.reads
    again = start(LibraryState(("done",), (12, ()), at_rest=True))
    assert again.listed() == again.listed() == first
    assert store.reads == before
    store.upsert("images", [_point(12, "Ann")])
    changed = start(LibraryState(("done", "and more"), (13, ()), at_rest=True))
    assert (changed.listed()[0].name, changed.listed()[0].photos) == ("Ann", 5)
    kept = tmp_path / "cache" / "photographers.json"
    for damage in (b"", b"{", b"[]", kept.read_bytes().replace(b'"id"', b'"no"')):
        kept.write_bytes(damage)
        assert start(LibraryState(("done", "and more"), (13, ()), at_rest=True)).listed() == changed.listed()


def test_no_page_waits_while_the_photos_are_read_after_a_change(store: Counting) -> None:
    states = [LibraryState(1, ())]
    library = Library(store, lambda: states[-1])  # type: ignore[arg-type]
    before = library.listed()
    store.upsert("images", [_point(12, "Ann")])
    states.append(LibraryState(2, ()))
    with library._reading:  # another thread reads them
        assert library.listed() is before
    assert library.listed()[0].name == "Ann"


def test_what_is_listed_while_a_job_writes_is_not_kept(start: Any, tmp_path: Path) -> None:
    assert start(LibraryState((), (12, ("job",)))).listed()
    assert not (tmp_path / "cache").exists()


def test_of_a_large_library_a_sample_is_shown_beside_exact_counts(
    store: Counting, start: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = start(LibraryState((), ())).listed()
    monkeypatch.setattr(library_photos, "MOST_SHOWN", 9)
    monkeypatch.setattr(library_photos, "STRATUM", 1)
    bounded = start(LibraryState((), ()))
    people = bounded.people()
    assert people is not None
    assert len(people.photos) == 9
    exact = [(one.name, one.photos, one.first, one.last, one.credits) for one in bounded.listed()]
    assert sorted(exact) == sorted((one.name, one.photos, one.first, one.last, one.credits) for one in whole)
    notes = people.shown("Ann").notes
    assert "Told from 3 of 4 pictures, drawn at random." in notes
