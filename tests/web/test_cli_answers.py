"""How the terminal tells answers: bands, what is folded, pages, words and places."""

from __future__ import annotations

import io
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner
from rich.console import Console

from search.likeness.curve import Band
from search.media import Kind
from search.similar.questions import Relation, SimilarAnswer, SimilarHit, Via
from search.words import Correction, MatchPlace, WordHit, WordReason
from web.api.questions import WordAnswer
from web.cli import main
from web.commands.questions import similar, words
from web.commands.questions.clock import CLOCK
from web.plain import dump

HIT = SimilarHit(
    "id-1", Kind.VIDEO, ("/a/clip.mp4",), 0.83, 0.931, Band.VERY_SIMILAR, 99.2, "visual", Relation.SIMILAR, moment=12.4
)
COPY = replace(HIT, id="id-2", likeness=1.0, band=Band.EDITED_COPY, relation=Relation.EDITED_COPY, moment=None)
THROUGH = replace(HIT, id="id-3", kind=Kind.AUDIO, space="sound", likeness=0.6, band=Band.SIMILAR, via=Via("id-1", 2.0))
WEAK = replace(HIT, id="id-4", likeness=0.004, band=Band.WEAK)


def shown(answer: object, show: Callable[[Any, Console, bool], None], *, weak: bool = False) -> list[str]:
    """Lines on a wide terminal, with single blanks."""
    written = io.StringIO()
    show(dump(answer), Console(width=300, highlight=False, markup=False, emoji=False, file=written), weak)
    return [" ".join(line.split()) for line in written.getvalue().splitlines()]


@pytest.mark.parametrize(
    ("typed", "seconds"),
    [
        ("80", 80.0),
        ("80.5", 80.5),
        ("1:20", 80.0),
        ("1:02:03.25", 3723.25),
        ("-1", None),
        ("1:2:3:4", None),
        ("", None),
    ],
)
def test_times_as_people_type_them(typed: str, seconds: float | None) -> None:
    if seconds is not None:
        assert CLOCK.convert(typed, None, None) == seconds
        return
    with pytest.raises(click.BadParameter, match="is no time"):
        CLOCK.convert(typed, None, None)


def answer(*hits: SimilarHit, notes: tuple[str, ...] = ()) -> SimilarAnswer:
    return SimilarAnswer({}, hits, {}, 7.1, notes)


def test_copies_are_told_by_their_word_others_by_their_likeness_and_weak_ones_counted() -> None:
    assert shown(answer(COPY, HIT, THROUGH, WEAK), similar._show) == [
        "band likeness score kind space at file id",
        "edited copy 0.830 video visual /a/clip.mp4 id-2",
        "very similar 93 % 0.830 video visual 12.4 s /a/clip.mp4 id-1",
        "similar 60 % 0.830 audio sound, through a video 12.4 s /a/clip.mp4 id-3",
        "1 weaker result (--weak shows them)",
        "4 found in 7 ms.",
    ]


def test_another_shot_of_a_burst_is_told() -> None:
    assert shown(answer(replace(HIT, relation=Relation.BURST)), similar._show)[1].startswith("very similar, burst 93 %")


def test_weak_hits_are_shown_when_asked_for() -> None:
    lines = shown(answer(HIT, WEAK), similar._show, weak=True)
    assert lines[2] == "weak under 1 % 0.830 video visual 12.4 s /a/clip.mp4 id-4"
    assert not [line for line in lines if "--weak" in line]


def test_with_nothing_better_than_weak_that_is_all_that_is_said() -> None:
    note = "Nothing that was asked is more than weakly similar."
    assert shown(answer(WEAK, WEAK, notes=(note,)), similar._show) == [note, "2 weaker results (--weak shows them)"]
    assert shown(answer(notes=("Nothing here holds the words 'x'.",)), similar._show) == [
        "Nothing here holds the words 'x'.",
        "Nothing like it was found.",
    ]


def test_where_subject_and_style_are_weighed_the_match_stands_in_place_of_the_band() -> None:
    weighed = replace(WEAK, match=97.5, parts={"visual": 12.0, "style": 99.24})
    assert shown(answer(weighed), similar._show)[:2] == [
        "match subject style score kind space at file id",
        "97 % 12 % 99.2 % 0.830 video visual 12.4 s /a/clip.mp4 id-4",
    ]


def test_words_say_why_and_how_they_were_read() -> None:
    hit = WordHit(
        "id-1", Kind.VIDEO, ("/a/clip.mp4",), None, (), 0.9, ("butterfly",),
        (
            WordReason("butterfly", MatchPlace.SHOWS, "butterfly", 0.97),
            WordReason("red", MatchPlace.COLOUR, "red", 0.3),
        ),
        moment=12.4,
    )  # fmt: skip
    found = WordAnswer(
        {}, (hit, replace(hit, id="id-2", weak=True)), 7.1, 1, 3, True, (Correction("buterfly", "butterfly"),), (),
        notes=("Some have no concepts yet.",),
    )  # fmt: skip
    assert shown(found, words._show) == [
        "Showing results for butterfly instead of buterfly.",
        "Some have no concepts yet.",
        "kind why at file id",
        "video shows butterfly, colour red 12.4 s /a/clip.mp4 id-1",
        "3 weaker results (--weak shows them)",
        "1 or more found in 7 ms.",
    ]
    assert shown(found, words._show, weak=True)[4].endswith("id-2")


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        (["dog", "-dalmatian"], ("dog", "-dalmatian")),
        (["-house", "dog", "--limit", "3", "red"], ("-house", "dog", "red")),
        (["dog", "--", "-h"], ("dog", "-h")),
        (["dog", "--near", "-33.9,151.2,500", "-cat"], ("dog", "-cat")),
    ],
)
def test_words_may_begin_with_a_minus(
    typed: list[str], expected: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    given: dict[str, Any] = {}
    monkeypatch.setattr(words.command, "callback", lambda **values: given.update(values))
    assert CliRunner().invoke(main, ["search", *typed]).exit_code == 0
    assert given["words"] == expected


def test_help_and_unknown_options_are_no_words() -> None:
    assert "likewise search dog -dalmatian" in CliRunner().invoke(main, ["search", "-h"]).output
    refused = CliRunner().invoke(main, ["search", "dog", "--dalmatian"])
    assert refused.exit_code == 2
    assert "No such option '--dalmatian'" in refused.stderr


@pytest.mark.parametrize("option", ["--limit", "--near", "--home"])
def test_an_option_that_lacks_its_value_is_said_so(option: str) -> None:
    refused = CliRunner().invoke(main, ["search", "dog", option])
    assert refused.exit_code == 2
    assert f"Option '{option}' requires an argument." in refused.stderr


@pytest.fixture
def taken_in(cli: Any, make_media: Callable[..., Path]) -> Iterator[Any]:
    """Red, green and blue pictures, two of each."""
    folder = make_media(each=2)
    cli("ingest", folder)
    cli.folder = folder
    yield cli
    shutil.rmtree(cli.home)


def test_questions_of_a_real_library(taken_in: Any) -> None:
    red = taken_in.folder / "red" / "red-0.png"
    first = taken_in.json("similar", red, "--limit", 2)
    rest = taken_in.json("similar", red, "--limit", 4, "--offset", 2, "--diversity", 0)
    assert len({hit["id"] for hit in (*first["hits"], *rest["hits"])}) == 6
    assert (first["hits"][0]["band"], first["hits"][0]["likeness"]) == ("identical", 1.0)
    blue = taken_in.json("similar", red, "--words", "blue")
    assert {Path(hit["paths"][0]).parent.name for hit in blue["hits"]} == {"blue"}
    assert "No word was given" in taken_in.json("search", " ", status=2)["error"]["message"]
    left = taken_in.json("search", "png", "-red")["hits"]
    assert {Path(hit["paths"][0]).parent.name for hit in left} == {"green", "blue"}
    assert "only leaves out" in taken_in.json("search", "-red", status=2)["error"]["message"]
    assert taken_in.json("search", "png", "--near", "52.5,13.4,1000")["hits"] == []
    assert "LAT,LON,METRES" in taken_in.json("search", "png", "--near", "Berlin", status=2)["error"]["hint"]
