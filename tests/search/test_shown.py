"""Records that answers show are kept only while the store holds them as they are."""

from __future__ import annotations

from typing import Any

import pytest

from search.errors import NotFoundError
from search.records.shown import shown_record, shown_records
from search.store.edge.changes import Changes

X = [1.0, 0, 0, 0]
ABSENT = "00000000-0000-0000-0000-000000000000"


@pytest.fixture
def fetched(library: Any, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Ids that the store is asked for."""
    ids: list[str] = []
    retrieve = library.store.retrieve

    def noted(collection: str, some: Any, **rest: Any) -> Any:
        ids.extend(some)
        return retrieve(collection, some, **rest)

    monkeypatch.setattr(library.store, "retrieve", noted)
    return ids


def test_what_is_written_is_read_anew_and_nothing_else(library: Any, fetched: list[str]) -> None:
    store, asked = library.store, fetched
    one, other, third = (library.image(name, X, tags=(name,)) for name in ("one", "other", "third"))

    def tags(*ids: str) -> dict[str, tuple[str, ...]]:
        asked.clear()
        return {id_: record.tags for id_, record in shown_records(store, "images", ids).items()}

    everything = {one: ("one",), other: ("other",), third: ("third",)}
    assert tags(one, other, ABSENT) == {one: ("one",), other: ("other",)}
    keeps = store.edition("images") is not None  # others write to a server, too
    assert tags(one, other, third) == everything
    assert asked == ([third] if keeps else [one, other, third])
    store.patch_payload("images", {one: {"tags": ["red"]}})
    assert tags(one, other, third) == everything | {one: ("red",)}
    assert asked == ([one] if keeps else [one, other, third])
    store.delete("images", [other])
    assert tags(one, other) == {one: ("red",)}
    assert shown_record(store, third).tags == ("third",)
    with pytest.raises(NotFoundError):
        shown_record(store, other)


def test_what_is_written_while_it_is_fetched_is_not_kept(library: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    store = library.store
    one = library.image("one", X, tags=("before",))
    retrieve = store.retrieve

    def overtaken(collection: str, some: Any, **rest: Any) -> Any:
        found = retrieve(collection, some, **rest)
        store.patch_payload(collection, {one: {"tags": ["after"]}})
        return found

    monkeypatch.setattr(store, "retrieve", overtaken)
    shown_records(store, "images", [one])
    monkeypatch.undo()
    assert shown_records(store, "images", [one])[one].tags == ("after",)


def test_memory_is_bounded(library: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("search.records.shown.MOST_KEPT", 2)
    ids = [library.image(str(n), X, tags=(str(n),)) for n in range(5)]
    for _ in range(2):
        shown = shown_records(library.store, "images", ids)
        assert [shown[id_].tags for id_ in ids] == [(str(n),) for n in range(5)]


def test_changes_that_are_forgotten_are_not_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("search.store.edge.changes.MOST", 3)
    changes = Changes()
    first = changes.edition
    changes.note(["a", "b"])
    second = changes.edition
    assert (changes.since(first), changes.since(second), changes.since(object())) == ({"a", "b"}, (), None)
    changes.note([])  # nothing is written, and nothing remembered
    assert (changes.edition, len(changes._writes)) == (second, 1)
    changes.note(["c", "d"])
    assert (changes.since(first), changes.since(second)) == (None, {"c", "d"})
