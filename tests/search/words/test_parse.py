"""Words, phrases, what to leave out and corrections are read from what was typed."""

from __future__ import annotations

import pytest

from search.errors import UsageError
from search.words.parse import MOST_CHARACTERS, MOST_WORDS, parse_words


def terms(text: str) -> list[tuple[str, bool]]:
    return [(term.label, term.quoted) for term in parse_words(text).wanted]


def test_words_phrases_and_what_to_leave_out() -> None:
    typed = parse_words('old "summer holiday" -beach -"red car" -hot-dog house')

    assert [(term.label, term.quoted) for term in typed.wanted] == [
        ("old", False),
        ("summer holiday", True),
        ("house", False),
    ]
    assert [(term.label, term.quoted) for term in typed.unwanted] == [
        ("beach", False),
        ("red car", True),
        ("hot dog", True),
    ]


def test_the_longest_concept_is_taken_together() -> None:
    assert terms("red hot air balloon") == [("red", False), ("hot air balloon", False)]
    assert terms("a bird of prey") == [("bird of prey", False)]
    assert terms("dog cat") == [("dog", False), ("cat", False)]
    assert terms("hot -x air balloon") == [("hot", False), ("air", False), ("balloon", False)]


def test_each_word_counts_once() -> None:
    assert terms('dog DOG "dog" Dog') == [("dog", False)]


def test_one_by_one() -> None:
    typed = parse_words('black bear "polar bear" cat').one_by_one()

    assert typed is not None
    assert [term.label for term in typed.wanted] == ["black", "bear", "polar bear", "cat"]
    assert parse_words("cat").one_by_one() is None


def test_stop_words_go_unless_they_are_all_there_is() -> None:
    assert parse_words("a picture of the dog").ignored == ("a", "picture", "of", "the")
    assert terms("the who") == [("who", False)]
    assert terms("with the") == [("with", False), ("the", False)]
    assert terms('"the who"') == [("the who", True)]


def test_corrections_take_part_in_concepts() -> None:
    typed = parse_words("musicl instrument -foo", lambda word: {"musicl": "musical"}.get(word))

    assert [term.label for term in typed.wanted] == ["musical instrument"]
    assert [(one.typed, one.instead) for one in typed.corrected] == [("musicl", "musical")]


def test_a_correction_leaves_the_phrase_as_typed() -> None:
    """What is known nowhere may be a name: Santa Claus is no manta clams."""
    wrong = {"santa": "manta", "claus": "clams", "noodles": "poodles"}
    typed = parse_words("santa claus with noodles -claus", wrong.get)

    assert [term.label for term in typed.wanted] == ["manta", "clams", "poodles"]
    assert [term.label for term in typed.unwanted] == ["clams"]
    assert typed.phrase == "santa claus with noodles"


def test_quoted_words_and_stop_words_are_not_corrected() -> None:
    asked = []
    parse_words('the "grand pino" dog', lambda word: asked.append(word))

    assert asked == ["dog"]


@pytest.mark.parametrize(
    "text", ["x" * (MOST_CHARACTERS + 1), " ".join(f"w{n}" for n in range(MOST_WORDS + 1)), "-dog", "-dog -cat"]
)  # fmt: skip
def test_refused(text: str) -> None:
    with pytest.raises(UsageError):
        parse_words(text)


def test_at_the_limits() -> None:
    assert len(parse_words("x" * MOST_CHARACTERS).wanted) == 1
    assert len(parse_words(" ".join(f"w{n}" for n in range(MOST_WORDS))).wanted) == MOST_WORDS


def test_a_hyphen_inside_a_word_or_alone_leaves_nothing_out() -> None:
    assert terms("hot-air balloon") == [("hot air balloon", False)]
    assert terms("dog - cat") == [("dog", False), ("cat", False)]
    assert terms('dog -""') == [("dog", False)]
