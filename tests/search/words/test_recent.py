"""What recent questions found is kept until something changes."""

from __future__ import annotations

from typing import Any

import pytest

from search.store.filters import Filter
from search.words import search_words
from search.words.evidence import CollectionSearch


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Collections that are asked about a term, as they are."""
    collections: list[str] = []
    about = CollectionSearch.about

    def noted(search: CollectionSearch, term: Any) -> Any:
        collections.append(search.collection)
        return about(search, term)

    monkeypatch.setattr(CollectionSearch, "about", noted)
    return collections


def ids(library: Any, words: str, **rest: Any) -> list[str]:
    return [hit.id for hit in search_words(library.store, words, **rest).hits]


def test_the_next_page_is_not_searched_anew_where_changes_are_known(shown: Any, asked: list[str]) -> None:
    first, second = shown.image("a", {"tabby": 0.9}), shown.image("b", {"tabby": 0.6})
    assert ids(shown, "tabby", limit=1) == [first]
    asked.clear()
    assert ids(shown, "tabby", limit=1, offset=1) == [second]
    keeps = shown.store.edition("images") is not None  # others write to a server, too
    assert (asked == []) == keeps


def test_what_has_been_written_is_found(shown: Any) -> None:
    first = shown.image("a", {"tabby": 0.9})
    assert ids(shown, "tabby") == [first]
    second = shown.image("b", {"tabby": 0.6})
    assert ids(shown, "tabby") == [first, second]
    shown.store.delete("images", [first])
    assert ids(shown, "tabby") == [second]


def test_other_conditions_are_another_question(shown: Any) -> None:
    first = shown.image("a", {"tabby": 0.9})
    assert ids(shown, "tabby") == [first]
    assert ids(shown, "tabby", where=Filter(kinds=("video",))) == []
    assert ids(shown, "tabby", by="shows") == [first]
