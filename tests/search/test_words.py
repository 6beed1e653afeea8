"""Typed words find what carries them."""

from __future__ import annotations

from typing import Any

import pytest

from search.store.filters import Filter
from search.words import search_words


def found(library: Any, words: str, **rest: Any) -> list[str]:
    return [hit.id for hit in search_words(library.store, words, **rest)]


def test_all_words_come_before_any_word(library: Any) -> None:
    both = library.image("both", [1, 0, 0, 0], tags=("red", "fox"))
    one = library.audio("one", [1, 0, 0, 0], tags=("fox",))
    library.image("none", [1, 0, 0, 0], tags=("hound",))

    hits = search_words(library.store, "Red FOX")

    assert [(hit.id, hit.matched, hit.score) for hit in hits] == [(both, ("red", "fox"), 1.0), (one, ("fox",), 0.5)]


def test_the_place_of_a_word_decides_among_equals(library: Any) -> None:
    camera = library.image("camera", [1, 0, 0, 0], camera="Fox 3000", paths=("/a/1.jpg",))
    folder = library.image("folder", [1, 0, 0, 0], paths=("/a/fox/2.jpg",))
    name = library.image("name", [1, 0, 0, 0], paths=("/a/my_fox-3.jpg",))
    tag = library.image("tag", [1, 0, 0, 0], tags=("arctic fox",), paths=("/a/4.jpg",))

    assert found(library, "fox") == [tag, name, folder, camera]


def test_photographers_count_as_much_as_tags(library: Any) -> None:
    lee = library.image("lee", [1, 0, 0, 0], photographer="Russell Lee", paths=("/a/1.jpg",))

    [hit] = search_words(library.store, "russell lee")

    assert (hit.id, hit.score) == (lee, 1.0)


def test_the_beginning_of_a_tag_is_enough_and_less_than_the_whole(embedded_library: Any) -> None:
    castle = embedded_library.image("2", [1, 0, 0, 0], tags=("castle",))
    cast = embedded_library.image("1", [1, 0, 0, 0], tags=("cast iron",))
    embedded_library.image("gone", [1, 0, 0, 0], tags=("castle",), missing=True)

    assert found(embedded_library, "cast") == [cast, castle]
    assert found(embedded_library, "castl") == [castle]
    assert found(embedded_library, "ca") == []
    assert found(embedded_library, "cast", where=Filter(tags=("cast iron",))) == [cast]


def test_filters_collections_missing_and_limit_narrow(library: Any) -> None:
    picture = library.image("fox 1", [1, 0, 0, 0], libraries=("home",))
    film = library.video("fox 2", [[1, 0, 0, 0]], libraries=("work",))
    library.image("fox 3", [1, 0, 0, 0], missing=True)

    assert set(found(library, "fox")) == {picture, film}
    assert found(library, "fox", where=Filter(libraries=("work",))) == [film]
    assert found(library, "fox", where=Filter(words="1")) == [picture]
    assert found(library, "fox", collections=("images",)) == [picture]
    assert len(found(library, "fox", limit=1)) == 1


@pytest.mark.parametrize("words", ["", "  ", "!?", "unicorn"])
def test_nothing_typed_or_known_finds_nothing(library: Any, words: str) -> None:
    library.image("fox", [1, 0, 0, 0])

    assert found(library, words) == []


def test_a_hit_shows_what_a_tile_needs(library: Any) -> None:
    fox = library.image("fox", [1, 0, 0, 0], tags=("fox",), thumbnail="x.webp")

    [hit] = search_words(library.store, "fox")

    assert (hit.kind.value, hit.paths, hit.tags) == ("image", ("/library/fox",), ("fox",))
    assert hit.thumbnail == f"/media/{fox}/preview"


def test_the_embedded_store_finds_words_too(embedded_library: Any) -> None:
    fox = embedded_library.image("fox", [1, 0, 0, 0], paths=("/a/Red_Fox-2.jpg",))
    embedded_library.image("hound", [1, 0, 0, 0])

    assert found(embedded_library, "red FOX") == [fox]
