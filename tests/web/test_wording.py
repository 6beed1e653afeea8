"""What answers are called, on pages and on the terminal."""

from __future__ import annotations

from dataclasses import replace

import pytest

from search.likeness.curve import Band
from search.media import Kind
from search.similar.questions import Relation, SimilarHit, Via
from search.words import Correction, MatchPlace, WordReason
from web.wording import (
    explained,
    likeness,
    moment,
    percent,
    place,
    reasons,
    reasons_in_full,
    split_weak_hits,
    understood,
    weaker,
)

HIT = SimilarHit("1", Kind.IMAGE, ("/a.jpg",), 0.8314, 0.931, Band.VERY_SIMILAR, 99.24, "visual", Relation.SIMILAR)
WEAK = replace(HIT, id="2", likeness=0.2, band=Band.WEAK)
COPY = replace(HIT, id="3", likeness=1.0, band=Band.EDITED_COPY, relation=Relation.EDITED_COPY)


def test_no_text_promises_more_than_its_number() -> None:
    assert [percent(m) for m in (12.9, 98.99, 99.0, 99.96, 100.0)] == ["12 %", "98 %", "99.0 %", "99.9 %", "99.9 %"]
    assert [likeness(p) for p in (0.0, 0.0099, 0.29, 0.5, 0.899, 0.999)] == [
        "under 1 %", "under 1 %", "29 %", "50 %", "89 %", "99 %",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("count", "words"), [(1, "1 weaker result"), (12, "12 weaker results"), (1200, "1,200 weaker results")]
)
def test_weaker_results_are_counted(count: int, words: str) -> None:
    assert weaker(count) == words


def test_weak_hits_are_folded_but_where_something_else_orders() -> None:
    assert split_weak_hits([COPY, HIT, WEAK]) == ([COPY, HIT], [WEAK])
    weighed = replace(WEAK, parts={"visual": 90.0, "style": 10.0})
    assert split_weak_hits([weighed]) == ([weighed], [])


def test_a_moment_is_told_in_one_way() -> None:
    told = {
        0.0: "0.0 s",
        2.25: "2.3 s",
        7.256: "7.3 s",
        59.94: "59.9 s",
        59.96: "1:00",
        75.9: "1:15",
        3723.9: "1:02:03",
    }
    assert {seconds: moment(seconds) for seconds in told} == told
    assert (place(None), place(7.25), place(45.0, (45.0, 81.5))) == ("", "7.3 s", "45.0 s to 1:21")


def test_what_is_behind_a_hit_is_said_in_words() -> None:
    assert explained(HIT, "lite0") == [
        "93 % likely the same label, when as many pairs are as are not",
        "More alike than 99.2 % of random pairs here",
        "Cosine 0.831 in visual, by lite0",
    ]
    assert explained(COPY)[0] == "More alike than 99.2 % of random pairs here"
    assert explained(replace(HIT, via=Via("4")))[0] == "93 % likely the same label, by both steps through the video"
    weighed = replace(HIT, parts={"visual": 90.0, "style": 10.0})
    assert explained(weighed)[0] == "Subject and style weighed together: more alike than 99.2 % of random pairs here"


def test_each_word_has_its_reason_and_the_strongest_comes_alone() -> None:
    found = (
        WordReason("dog", MatchPlace.SHOWS, "dog", 0.97),
        WordReason("dog", MatchPlace.TAG, "guide dog", 0.9),
        WordReason("red", MatchPlace.COLOUR, "red", 0.34),
        WordReason("fido", MatchPlace.NAME, "fido", 0.9),
    )
    assert reasons(found) == ["shows dog", "colour red", "name"]
    assert reasons_in_full(found) == ["shows dog (97 % sure)", "tag guide dog", "colour red (34 % of its area)", "name"]


def test_how_words_were_read_is_said() -> None:
    assert understood([Correction("buterfly", "butterfly")], ["the"]) == [
        "Showing results for butterfly instead of buterfly.",
        "Not looked for, because most pictures would answer to it: the.",
    ]
    assert understood([], []) == []
