"""Words find what is shown, by the concepts and colours that a record holds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from search.store.filters import Filter
from search.words import MatchPlace, holding, search_words
from search.words.evidence import CollectionSearch, Evidence
from search.words.parse import Term


def found(library: Any, words: str, **rest: Any) -> list[str]:
    return [hit.id for hit in search_words(library.store, words, **rest).hits]


def test_a_general_word_finds_what_lies_below_it_surest_first(shown: Any) -> None:
    spotted = shown.image("a", {"dalmatian": 0.9})
    retriever = shown.image("b", {"golden retriever": 0.5, "dog": 0.2})
    shown.image("c", {"tabby": 0.9})

    hits = search_words(shown.store, "dog").hits

    assert [hit.id for hit in hits] == [spotted, retriever]
    assert [hit.score for hit in hits] == pytest.approx([0.9, 0.7], abs=1e-3)
    [reason] = hits[0].reasons
    assert (reason.word, reason.place, reason.text) == ("dog", MatchPlace.SHOWS, "dog")
    assert reason.strength == pytest.approx(0.9, abs=1e-3)


def test_plurals_compounds_and_several_words_find_the_concept(shown: Any) -> None:
    balloon = shown.image("a", {"balloon": 0.8})
    boat = shown.image("b", {"catamaran": 0.8})
    piano = shown.image("c", {"grand piano": 0.8})

    assert found(shown, "hot air balloon") == found(shown, "balloons") == found(shown, "hot-air balloons") == [balloon]
    assert found(shown, "sailboat") == found(shown, "sail boats") == [boat]
    assert found(shown, "musical instruments") == found(shown, '"musical instrument"') == [piano]


@pytest.mark.parametrize(
    ("typed", "word"),
    [("dalmation", "dalmatian"), ("catt", "cat"), ("baloon", "balloon"), ("dalmations", "dalmatians")],
)
def test_one_typing_error_is_forgiven(shown: Any, typed: str, word: str) -> None:
    there = shown.image("a", {word.removesuffix("s"): 0.8})

    answer = search_words(shown.store, typed)

    assert [hit.id for hit in answer.hits] == [there]
    assert [(one.typed, one.instead) for one in answer.corrected] == [(typed, word)]


def test_of_several_words_one_error_away_one_that_is_shown_is_taken(shown: Any) -> None:
    shown.image("a", {"convertible": 0.8})
    boar = shown.image("b", {"wild boar": 0.8})

    answer = search_words(shown.store, "boax")

    assert [hit.id for hit in answer.hits] == [boar]
    assert [one.instead for one in answer.corrected] == ["boar"]


def test_rare_senses_count_less(shown: Any) -> None:
    tabby = shown.image("a", {"tabby": 0.5})
    leopard = shown.image("b", {"leopard": 0.9})

    hits = search_words(shown.store, "cat").hits

    assert [hit.id for hit in hits] == [tabby, leopard]
    assert [hit.score for hit in hits] == pytest.approx([0.5, 0.27], abs=1e-3)


def test_all_words_must_hold_by_concept_colour_or_text(shown: Any) -> None:
    red = shown.image("a", {"convertible": 0.8, "red": 0.5}, paths=("/italy/1.jpg",))
    shown.image("b", {"convertible": 0.9, "blue": 0.6}, paths=("/italy/2.jpg",))
    elsewhere = shown.image("c", {"convertible": 0.7, "red": 0.4}, paths=("/france/3.jpg",))

    assert found(shown, "red car") == [red, elsewhere]
    [hit] = search_words(shown.store, "red car italy").hits
    assert hit.id == red
    assert [(reason.word, reason.place, reason.text) for reason in hit.reasons] == [
        ("red", MatchPlace.COLOUR, "red"),
        ("car", MatchPlace.SHOWS, "car"),
        ("italy", MatchPlace.FOLDER, "italy"),
    ]
    assert hit.score == pytest.approx((0.5 * 0.8 * 0.7) ** (1 / 3), abs=1e-4)


def test_a_colour_that_is_a_fruit_is_both(shown: Any) -> None:
    coloured = shown.image("a", {"orange": 0.4})
    fruit = shown.image("b", {"orange fruit": 0.6})

    assert found(shown, "orange") == found(shown, "oranges") == [fruit, coloured]
    assert [hit.reasons[0].place for hit in search_words(shown.store, "orange").hits] == [
        MatchPlace.SHOWS,
        MatchPlace.COLOUR,
    ]


def test_grey_is_gray(shown: Any) -> None:
    gray = shown.image("a", {"gray": 0.7})

    assert found(shown, "grey") == found(shown, "gray") == [gray]


def test_minus_leaves_out_what_may_show_it(shown: Any) -> None:
    shown.image("a", {"dalmatian": 0.9})
    shown.image("b", {"dalmatian": 0.02, "beagle": 0.9})
    beagle = shown.image("c", {"beagle": 0.7, "tabby": 0.02})
    tagged = shown.image("d", None, tags=("dog", "dalmatian"))

    assert found(shown, "dog -dalmatian") == [beagle]
    assert tagged in found(shown, "dog")


def test_where_all_that_holds_some_words_is_left_out_nothing_is_given(shown: Any) -> None:
    shown.image("a", {"beagle": 0.9})

    assert search_words(shown.store, "red dog").matched_any
    answer = search_words(shown.store, "red dog -beagle")

    assert (answer.hits, answer.total, answer.matched_any, answer.notes) == ((), 0, False, ())


def test_what_is_unsure_follows_as_weak_and_is_not_counted(shown: Any) -> None:
    sure = shown.image("a", {"dalmatian": 0.9})
    unsure = shown.image("b", {"beagle": 0.03})

    answer = search_words(shown.store, "dog")

    assert [(hit.id, hit.weak) for hit in answer.hits] == [(sure, False), (unsure, True)]
    assert (answer.total, answer.weaker, answer.at_least) == (1, 1, False)
    assert answer.notes == ()


def test_an_answer_of_nothing_but_weak_hits_says_so(shown: Any) -> None:
    unsure = shown.image("a", {"beagle": 0.03})

    answer = search_words(shown.store, "dog")

    assert [(hit.id, hit.weak, hit.matched) for hit in answer.hits] == [(unsure, True, ("dog",))]
    assert answer.total == 0
    assert answer.notes == ("Nothing holds these words for certain; what may show them is given.",)


def test_a_tag_counts_as_much_as_the_concepts_say(shown: Any) -> None:
    surer = shown.image("a", {"beagle": 0.6})
    tagged = shown.image("b", {"beagle": 0.3}, tags=("beagle",))
    fox = shown.image("c", {"arctic fox": 0.4}, tags=("arctic fox",))
    hot = shown.image("d", {"hotdog": 0.9}, tags=("hot dog",))
    plain = shown.image("e", None, tags=("beagle",))

    assert found(shown, "beagle") == [plain, surer, tagged]
    [hit] = search_words(shown.store, "arctic").hits
    assert (hit.id, hit.reasons[0].place, hit.score) == (fox, MatchPlace.TAG, pytest.approx(0.4, abs=1e-3))
    assert [(hit.id, hit.weak) for hit in search_words(shown.store, "dog").hits if hit.weak] == [(hot, True)]


def test_words_of_one_concept_are_looked_for_one_by_one_where_nothing_shows_it(shown: Any) -> None:
    black = shown.image("a", {"ice bear": 0.7, "black": 0.5})

    [hit] = search_words(shown.store, "black bear").hits

    assert (hit.id, hit.matched) == (black, ("black", "bear"))


def test_a_video_answers_with_the_moment_that_shows_it_best(shown: Any) -> None:
    film = shown.video("a", {"dalmatian": 0.6, "tabby": 0.9, "red": 0.5}, {"dalmatian": 2, "tabby": 5, "red": 1})

    assert search_words(shown.store, "dog").hits[0].moment == 20.0
    assert search_words(shown.store, "cat dog").hits[0].moment == 50.0
    assert search_words(shown.store, "red").hits[0].moment == 10.0
    assert search_words(shown.store, film and "jpg").hits[0].moment is None


def test_the_moment_of_a_video_of_one_key_frame_is_that_frames(shown: Any) -> None:
    film = {"frames": {"dalmatian": 0, "red": 0}, "moments": (4.0,), "concept_frames": ()}
    shown.video("a", {"dalmatian": 0.6, "red": 0.5}, **film)

    assert search_words(shown.store, "dog").hits[0].moment == 4.0
    assert search_words(shown.store, "red").hits[0].moment == 4.0
    assert search_words(shown.store, "jpg").hits[0].moment is None


def test_a_component_that_takes_away_makes_the_moment_its_own(shown: Any) -> None:
    """Two dogs in two frames: what they add up to is corrected by the component of ``dog``."""
    shown.video("a", {"dalmatian": 0.9, "beagle": 0.8, "dog": -0.8}, {"dalmatian": 3, "beagle": 1, "dog": 3})

    [hit] = search_words(shown.store, "dog").hits

    assert (hit.score, hit.moment) == (pytest.approx(0.9, abs=1e-3), 30.0)


def test_sounds_answer_by_text(shown: Any) -> None:
    sound = shown.audio("barking dog")

    [hit] = search_words(shown.store, "dogs").hits

    assert (hit.id, hit.reasons[0].place) == (sound, MatchPlace.NAME)


def test_asked_by_what_they_show_alone_names_give_nothing_away(shown: Any) -> None:
    shows = shown.image("a", {"beagle": 0.6})
    named = shown.image("dog", {"tabby": 0.6}, tags=("dog",))

    assert found(shown, "dog", by="shows") == [shows]
    assert named in found(shown, "dog")


def test_asked_by_what_they_show_alone_texts_correct_nothing(shown: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    shown.image("a", {"beagle": 0.6}, tags=("zyzzyva",))
    assert [one.instead for one in search_words(shown.store, "zyzzyvx").corrected] == ["zyzzyva"]

    monkeypatch.setattr(type(shown.store), "facet", lambda *_, **__: pytest.fail("texts were read"))

    assert search_words(shown.store, "zyzzyvx", by="shows").corrected == ()


def test_words_taken_one_by_one_are_not_asked_again(shown: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    shown.image("a", {"ice bear": 0.7, "black": 0.5, "car": 0.5})
    asked: list[tuple[str, str]] = []
    ask = CollectionSearch._ask

    def noted(self: CollectionSearch, term: Term, among: Sequence[str] | None) -> Evidence:
        if among is None:
            asked.append((self.collection, term.label))
        return ask(self, term, among)

    monkeypatch.setattr(CollectionSearch, "_ask", noted)

    assert search_words(shown.store, "black bear car").hits[0].matched == ("black", "bear", "car")
    assert sorted(asked) == sorted(
        (name, word) for name in ("images", "videos", "audio") for word in ("black bear", "black", "bear", "car")
    )


def test_records_without_concepts_are_counted_in_a_note(shown: Any) -> None:
    shown.image("a", {"beagle": 0.6})
    shown.image("b", None)
    shown.image("c", None, missing=True)

    [note] = search_words(shown.store, "dog").notes
    assert note == "1 picture or video has no concepts yet; `likewise reembed --space concepts` gives them some."
    assert search_words(shown.store, "paris").notes == ()


def test_concepts_of_another_table_are_not_asked(other_table: Any) -> None:
    other_table.image("a", {"beagle": 0.6})
    other_table.image("b", {"beagle": 0.6})

    answer = search_words(other_table.store, "dog")

    assert answer.hits == ()
    assert answer.notes[0].startswith("2 pictures and videos have no concepts yet")


def test_a_record_far_down_both_lists_is_found(embedded: Any) -> None:
    """More than a thousand show each word better; the one that shows both is found all the same."""
    embedded.many(0, 1100, {"beagle": 0.9})
    embedded.many(2000, 1100, {"red": 0.9})
    both = embedded.image("both", {"beagle": 0.6, "red": 0.6})

    answer = search_words(embedded.store, "red dog")

    assert [hit.id for hit in answer.hits] == [both]
    assert answer.at_least
    assert search_words(embedded.store, "dog", limit=5).at_least


def test_a_rare_word_narrows_a_common_one(embedded: Any) -> None:
    embedded.many(0, 1100, {"beagle": 0.9})
    rare = embedded.image("rare", {"beagle": 0.2}, paths=("/greenland/1.jpg",))

    answer = search_words(embedded.store, "dog greenland")

    assert [hit.id for hit in answer.hits] == [rare]
    assert answer.hits[0].matched == ("dog", "greenland")
    assert not answer.at_least, "whatever is in Greenland is known"


@pytest.fixture
def five(monkeypatch: pytest.MonkeyPatch) -> None:
    """No question to the store has more than five hits."""
    for module in ("find", "evidence"):
        monkeypatch.setattr(f"search.words.{module}.MOST", 5)


@pytest.mark.usefixtures("five")
def test_a_total_is_exact_where_the_last_hit_no_longer_holds_the_word(embedded: Any) -> None:
    sure = embedded.many(0, 3, {"beagle": 0.9})
    embedded.many(10, 20, {"beagle": 0.05})

    answer = search_words(embedded.store, "dog")

    assert (answer.total, answer.weaker, answer.at_least) == (3, 2, False)
    held = holding(embedded.store, "dog").held["images"]
    assert (set(held.ids), held.capped) == (set(sure), False)


@pytest.mark.usefixtures("five")
def test_a_total_is_a_lower_bound_where_more_may_hold_the_word(embedded: Any) -> None:
    embedded.many(0, 8, {"beagle": 0.9})
    embedded.many(10, 2, {"red": 0.9})

    assert search_words(embedded.store, "dog").at_least
    assert not search_words(embedded.store, "red").at_least
    either = search_words(embedded.store, "red dog")
    assert (either.matched_any, either.at_least) == (True, True)


@pytest.mark.usefixtures("five")
def test_a_total_of_texts_is_a_lower_bound_too(embedded: Any) -> None:
    embedded.many(0, 8, {"red": 0.9}, paths=("/greenland/1.jpg",))
    embedded.many(10, 2, {"red": 0.9}, paths=("/iceland/1.jpg",))

    assert search_words(embedded.store, "greenland").at_least
    assert not search_words(embedded.store, "red iceland").at_least


def test_holding_gives_the_ids_that_hold_all_words(shown: Any) -> None:
    both = shown.image("a", {"beagle": 0.6, "red": 0.3})
    shown.image("b", {"beagle": 0.6})
    weak = shown.image("c", {"beagle": 0.6, "red": 0.06})
    film = shown.video("d", {"beagle": 0.6, "red": 0.3}, {"beagle": 0, "red": 0})

    held = holding(shown.store, "red dogs").held

    assert {name: one.ids for name, one in held.items()} == {"images": (both,), "videos": (film,), "audio": ()}
    assert not any(one.capped for one in held.values())
    assert weak not in held["images"].ids
    assert set(holding(shown.store, "dog", collections=("videos",)).held) == {"videos"}
    assert holding(shown.store, "dog", where=Filter(exclude_ids=(both,))).held["images"].ids


def test_words_that_tell_no_media_apart_narrow_nothing(shown: Any) -> None:
    shown.image("a", {"beagle": 0.6})

    of, nothing = holding(shown.store, "photo of the"), holding(shown.store, "!?")

    assert (of.held, of.ignored, of.notes) == ({}, ("photo", "of", "the"), ())
    assert (nothing.held, nothing.notes) == ({}, ("No word was typed that could be looked for.",))
    assert holding(shown.store, "the dog").ignored == ("the",)
    assert holding(shown.store, '"the"').held["images"].ids == ()


def test_holding_says_when_it_is_capped(embedded: Any) -> None:
    embedded.many(0, 1200, {"beagle": 0.9})

    held = holding(embedded.store, "dog").held["images"]

    assert (len(held.ids), held.capped) == (1000, True)
