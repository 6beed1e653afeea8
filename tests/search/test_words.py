"""Typed words find what is written about media."""

from __future__ import annotations

from typing import Any

import pytest

from search.errors import UsageError
from search.store.filters import Filter
from search.words import Correction, MatchPlace, search_words


def found(library: Any, words: str, **rest: Any) -> list[str]:
    return [hit.id for hit in search_words(library.store, words, **rest).hits]


def test_all_words_must_hold(library: Any) -> None:
    both = library.image("both", [1, 0, 0, 0], tags=("old", "fox"))
    library.audio("one", [1, 0, 0, 0], tags=("fox",))

    answer = search_words(library.store, "Old FOX")

    assert [(hit.id, hit.matched, hit.score) for hit in answer.hits] == [(both, ("old", "fox"), 1.0)]
    assert (answer.total, answer.matched_any) == (1, False)


def test_any_word_will_do_where_none_holds_all_and_the_answer_says_so(library: Any) -> None:
    two = library.audio("two", [1, 0, 0, 0], tags=("fox", "goat"))
    one = library.image("one", [1, 0, 0, 0], tags=("fox",))
    library.image("none", [1, 0, 0, 0], tags=("cat",))

    answer = search_words(library.store, "fox goat castle")

    assert [(hit.id, hit.matched) for hit in answer.hits] == [(two, ("fox", "goat")), (one, ("fox",))]
    assert [hit.score for hit in answer.hits] == pytest.approx([2 / 3, 1 / 3])
    assert (answer.total, answer.matched_any) == (2, True)
    assert "Nothing holds all of these words" in answer.notes[0]


def test_words_of_one_concept_that_nothing_holds_are_looked_for_one_by_one(library: Any) -> None:
    both = library.image("a", [1, 0, 0, 0], tags=("hound",), paths=("/fox/1.jpg",))
    library.image("b", [1, 0, 0, 0], tags=("hound",), paths=("/a/1.jpg",))

    answer = search_words(library.store, "fox hound")

    assert [(hit.id, hit.matched) for hit in answer.hits] == [(both, ("fox hound",))]
    assert not answer.matched_any


def test_the_place_of_a_word_decides_among_equals_and_is_told(library: Any) -> None:
    camera = library.image("camera", [1, 0, 0, 0], camera="Fox 3000", paths=("/a/1.jpg",))
    folder = library.image("folder", [1, 0, 0, 0], paths=("/a/fox/2.jpg",))
    name = library.image("name", [1, 0, 0, 0], paths=("/a/my_fox-3.jpg",))
    tag = library.image("tag", [1, 0, 0, 0], tags=("arctic fox",), paths=("/a/4.jpg",))

    hits = search_words(library.store, "fox").hits

    assert [hit.id for hit in hits] == [tag, name, folder, camera]
    assert [(hit.reasons[0].word, hit.reasons[0].place, hit.reasons[0].text) for hit in hits] == [
        ("fox", MatchPlace.TAG, "arctic fox"),
        ("fox", MatchPlace.NAME, "my_fox-3.jpg"),
        ("fox", MatchPlace.FOLDER, "fox"),
        ("fox", MatchPlace.CAMERA, "Fox 3000"),
    ]


def test_photographers_count_as_much_as_tags(library: Any) -> None:
    lee = library.image("lee", [1, 0, 0, 0], photographer="Russell Lee", paths=("/a/1.jpg",))

    [hit] = search_words(library.store, "russell lee").hits

    assert (hit.id, hit.score) == (lee, 1.0)


def test_the_date_is_searched_by_year_and_month(library: Any) -> None:
    june = library.image("a", [1, 0, 0, 0], paths=("/a/1.jpg",), taken_at="2021-06-30T23:30:00+02:00")
    july = library.image("b", [1, 0, 0, 0], paths=("/a/2.jpg",), taken_at="2021-07-01T10:00:00")

    assert found(library, "june 2021") == [june]
    assert set(found(library, "2021")) == {june, july}
    [reason] = search_words(library.store, "July").hits[0].reasons
    assert (reason.place, reason.text) == (MatchPlace.DATE, "July 2021")


def test_a_phrase_stands_together_and_words_need_not(library: Any) -> None:
    together = library.image("a", [1, 0, 0, 0], paths=("/a/summer holiday.jpg",))
    apart = library.image("b", [1, 0, 0, 0], paths=("/a/holiday in summer.jpg",))

    assert found(library, '"summer holiday"') == [together]
    assert set(found(library, "summer holiday")) == {together, apart}


def test_minus_leaves_out_words_and_phrases(library: Any) -> None:
    red = library.image("a", [1, 0, 0, 0], paths=("/a/red fox.jpg",))
    gray = library.image("b", [1, 0, 0, 0], paths=("/a/gray fox.jpg",))
    library.image("c", [1, 0, 0, 0], paths=("/a/old red fox.jpg",))

    assert found(library, "fox -red") == [gray]
    assert set(found(library, 'fox -"old red"')) == {red, gray}
    assert set(found(library, "fox -old-red")) == {red, gray}


def test_plurals_find_singulars_and_the_other_way_round(library: Any) -> None:
    one = library.image("a", [1, 0, 0, 0], paths=("/a/wolf.jpg",))
    many = library.image("b", [1, 0, 0, 0], paths=("/a/wolves.jpg",))

    assert set(found(library, "wolf")) == set(found(library, "wolves")) == {one, many}

    woman = library.image("c", [1, 0, 0, 0], paths=("/a/old woman.jpg",))
    women = library.image("d", [1, 0, 0, 0], paths=("/a/two women.jpg",))

    assert set(found(library, "women")) == set(found(library, "woman")) == {woman, women}


def test_names_as_macos_writes_them_are_found_and_find(library: Any) -> None:
    composed = library.image("a", [1, 0, 0, 0], paths=("/a/z\u00fcrich.jpg",))
    apart = library.image("b", [1, 0, 0, 0], paths=("/a/zu\u0308rich.jpg",))

    assert set(found(library, "Z\u00fcrich")) == set(found(library, "Zu\u0308rich")) == {composed, apart}


def test_words_that_say_nothing_are_ignored_unless_there_is_nothing_else(library: Any) -> None:
    fox = library.image("a", [1, 0, 0, 0], paths=("/a/fox.jpg",))
    which = library.image("b", [1, 0, 0, 0], paths=("/a/the which.jpg",))

    answer = search_words(library.store, "photos of the fox")

    assert [hit.id for hit in answer.hits] == [fox]
    assert answer.ignored == ("photos", "of", "the")
    assert found(library, "the which") == [which]
    assert search_words(library.store, "the which").ignored == ()


@pytest.mark.parametrize(
    ("typed", "meant"), [("photograhper", "photographer"), ("russel", "russell"), ("hasselbald", "hasselblad")]
)
def test_a_typing_error_in_a_word_of_the_library_is_forgiven(library: Any, typed: str, meant: str) -> None:
    lee = library.image(
        "a",
        [1, 0, 0, 0],
        paths=("/a/1.jpg",),
        tags=("photographer",),
        photographer="Russell Lee",
        camera="Hasselblad 500",
    )

    answer = search_words(library.store, typed)

    assert [hit.id for hit in answer.hits] == [lee]
    assert answer.corrected == (Correction(typed, meant),)
    assert answer.hits[0].reasons[0].word == meant


def test_a_word_that_is_found_or_known_is_not_corrected(library: Any) -> None:
    library.image("a", [1, 0, 0, 0], tags=("horse",), paths=("/a/house.jpg",))
    written = library.image("b", [1, 0, 0, 0], paths=("/a/hoarse.jpg",))

    assert found(library, "hoarse") == [written]
    assert search_words(library.store, "horxe").corrected == (Correction("horxe", "horse"),)
    assert search_words(library.store, "beach").corrected == ()


def test_the_beginning_of_a_tag_is_enough_where_nothing_else_is_found(embedded_library: Any) -> None:
    castle = embedded_library.image("2", [1, 0, 0, 0], tags=("lighthouse",))
    cast = embedded_library.image("1", [1, 0, 0, 0], tags=("light iron",))
    embedded_library.image("gone", [1, 0, 0, 0], tags=("lighthouse",), missing=True)

    assert found(embedded_library, "light") == [cast]
    assert found(embedded_library, "lightho") == [castle]
    assert found(embedded_library, "li") == []
    assert found(embedded_library, "lightho", where=Filter(tags=("light iron",))) == []


def test_filters_collections_missing_limit_and_offset_narrow(library: Any) -> None:
    picture = library.image("fox 1", [1, 0, 0, 0], libraries=("home",))
    film = library.video("fox 2", [[1, 0, 0, 0]], libraries=("work",))
    library.image("fox 3", [1, 0, 0, 0], missing=True)

    both = found(library, "fox")
    assert set(both) == {picture, film}
    assert found(library, "fox", where=Filter(libraries=("work",))) == [film]
    assert found(library, "fox", where=Filter(words="1")) == [picture]
    assert found(library, "fox", collections=("images",)) == [picture]
    assert found(library, "fox", limit=1) == both[:1]
    assert found(library, "fox", limit=1, offset=1) == both[1:]
    assert search_words(library.store, "fox", limit=1).total == 2
    assert found(library, "fox", offset=9) == []


@pytest.mark.parametrize("words", ["", "  ", "!?", '"', '""', "-", "\x00\x1b", "\ud800"])
def test_nothing_that_could_be_looked_for_finds_nothing_and_says_so(library: Any, words: str) -> None:
    library.image("fox", [1, 0, 0, 0])

    answer = search_words(library.store, words)

    assert (answer.hits, answer.total) == ((), 0)
    assert answer.notes == ("No word was typed that could be looked for.",)


def test_an_unknown_word_finds_nothing(library: Any) -> None:
    library.image("fox", [1, 0, 0, 0])

    answer = search_words(library.store, "xylograph")

    assert (answer.hits, answer.total, answer.corrected, answer.notes) == ((), 0, (), ())


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("x" * 10_000, "10000 characters"),
        (" ".join(f"word{n}" for n in range(60)), "60 words"),
        ("-dog", "animal -dog"),
        ('-"hot dog" -cat', "only leaves out"),
    ],
)
def test_questions_that_cannot_be_are_refused_with_what_to_do(library: Any, words: str, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        search_words(library.store, words)


@pytest.mark.parametrize(("limit", "offset"), [(0, 0), (1, -1)])
def test_pages_that_cannot_be_are_refused(library: Any, limit: int, offset: int) -> None:
    with pytest.raises(UsageError, match="answers from number"):
        search_words(library.store, "fox", limit=limit, offset=offset)


@pytest.mark.parametrize("words", ["собака", "собака снег", "犬", "κύων", "Müller", "naïve fox"])
def test_other_scripts_are_searched_in_texts(library: Any, words: str) -> None:
    there = library.image("a", [1, 0, 0, 0], paths=(f"/a/{words}.jpg",))
    library.image("b", [1, 0, 0, 0], paths=("/a/x.jpg",))

    answer = search_words(library.store, words)

    assert [hit.id for hit in answer.hits] == [there]
    assert answer.corrected == ()


def test_a_quotation_mark_alone_and_control_characters_count_as_blanks(library: Any) -> None:
    there = library.image("a", [1, 0, 0, 0], paths=("/a/red fox.jpg",))

    assert found(library, 'red "fox') == [there]
    assert found(library, "red\x00fox\x1b\n") == [there]


def test_a_hit_shows_what_a_tile_needs(library: Any) -> None:
    fox = library.image("fox", [1, 0, 0, 0], tags=("fox",), thumbnail="x.webp")

    [hit] = search_words(library.store, "fox").hits

    assert (hit.kind.value, hit.paths, hit.tags) == ("image", ("/library/fox",), ("fox",))
    assert hit.thumbnail == f"/media/{fox}/preview"
    assert (hit.moment, hit.weak) == (None, False)


def test_the_embedded_store_finds_words_too(embedded_library: Any) -> None:
    fox = embedded_library.image("fox", [1, 0, 0, 0], paths=("/a/Red_Fox-2.jpg",))
    embedded_library.image("hound", [1, 0, 0, 0])

    assert found(embedded_library, "red FOX") == [fox]
