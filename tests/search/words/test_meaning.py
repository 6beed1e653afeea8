"""Words in the singular and plural, together and with typing errors."""

from __future__ import annotations

import pytest

from search.words.meaning import RARE_SENSE_WEIGHT, is_known, meaning
from search.words.morphology import forms, plural, singulars
from search.words.spelling import is_one_error, nearest
from search.words.table import table


@pytest.mark.parametrize(
    ("many", "one"),
    [
        *(("dogs", "dog"), ("buses", "bus"), ("boxes", "box"), ("watches", "watch"), ("dishes", "dish")),
        *(("berries", "berry"), ("firemen", "fireman"), ("wolves", "wolf"), ("mice", "mouse"), ("geese", "goose")),
    ],
)
def test_singulars(many: str, one: str) -> None:
    assert one in singulars(many)


def test_no_plural_no_singular() -> None:
    assert singulars("glass") == ()
    assert singulars("dog") == ()


@pytest.mark.parametrize(
    ("one", "many"),
    [("dog", "dogs"), ("box", "boxes"), ("berry", "berries"), ("monkey", "monkeys"), ("fireman", "firemen")],
)
def test_plural(one: str, many: str) -> None:
    assert plural(one) == many


@pytest.mark.parametrize(
    ("word", "stands"),
    [
        ("dog", {"dog", "dogs"}),
        ("dogs", {"dog", "dogs"}),
        ("wolf", {"wolf", "wolves"}),
        ("sunsets", {"sunset", "sunsets"}),
        ("beaches", {"beach", "beache", "beaches"}),
        ("paris", {"paris", "parises"}),
        ("women", {"woman", "women", "womens"}),
        ("omen", {"omen", "omens", "oman"}),
        ("firemen", {"fireman", "firemen", "firemens"}),
        ("geese", {"goose", "geese"}),
        ("doberman", {"doberman", "dobermans"}),
        ("2021", {"2021"}),
        ("犬", {"犬"}),
    ],
)
def test_forms_of_a_word_in_a_text(word: str, stands: set[str]) -> None:
    assert set(forms(word)) == stands


@pytest.mark.parametrize(
    ("typed", "names"),
    [
        ("dogs", ("dog",)),
        ("hot air balloon", ("balloon",)),
        ("rowboat", ("boat",)),
        ("sail boats", ("sailboat",)),
        ("birds of prey", ("bird of prey",)),
        ("grey", ("gray",)),
        ("reddish", ("red",)),
        ("orange", ("orange", "orange")),
    ],
)
def test_meaning(typed: str, names: tuple[str, ...]) -> None:
    found = meaning(typed.split())

    assert found is not None
    asked = [table().names[concept] for concept, _ in found.senses] + [found.colour] * bool(found.colour)
    assert tuple(asked) == names


@pytest.mark.parametrize("typed", ["xylograph", "object", "entity", "dog house cat", "красный"])
def test_what_means_nothing_that_could_tell_pictures_apart(typed: str) -> None:
    assert meaning(typed.split()) is None


def test_rare_senses_weigh_less_and_equal_ones_the_same() -> None:
    def weights(word: str) -> dict[str, float]:
        found = meaning([word])
        assert found is not None
        return {table().names[concept]: weight for concept, weight in found.senses}

    assert weights("cat") == {"cat": 1.0, "big cat": RARE_SENSE_WEIGHT}
    crane = meaning(["crane"])
    assert crane is not None
    assert [weight for _, weight in crane.senses] == [1.0, 1.0]
    assert weights("boat") == {"boat": 1.0}


def test_a_colour_asks_for_itself_and_a_concept_for_what_is_below() -> None:
    red, dog = meaning(["red"]), meaning(["dog"])
    assert red is not None
    assert dog is not None

    assert red.shows() is None
    assert dog.coloured() is None
    coloured, shown = red.coloured(), dog.shows()
    assert coloured is not None
    assert shown is not None
    assert coloured.sum() == coloured[0, table().colour("red")] == 1
    assert shown.shape == (1, table().dim)
    assert dog.classes == 118


def test_good_english_is_known() -> None:
    assert is_known("beach")
    assert is_known("instrument")
    assert is_known("dalmatians")
    assert not is_known("dalmation")


@pytest.mark.parametrize(
    ("typed", "word"), [("doog", "dog"), ("dg", "dog"), ("dig", "dog"), ("odg", "dog"), ("dogs", "dog"), ("cat", "act")]
)
def test_one_error(typed: str, word: str) -> None:
    assert is_one_error(typed, word)
    assert is_one_error(word, typed)


@pytest.mark.parametrize(("typed", "word"), [("dog", "dog"), ("dog", "god"), ("doggy", "dog"), ("tabby", "baby")])
def test_no_error_or_more_than_one(typed: str, word: str) -> None:
    assert not is_one_error(typed, word)


def test_the_likeliest_of_several_comes_first() -> None:
    assert nearest("baloon", ["baboon", "balloon", "saloon"]) == ["balloon", "baboon", "saloon"]
    assert nearest("form", ["from", "farm", "forms", "dorm"]) == ["from", "farm", "forms", "dorm"]
    assert nearest("dgo", ["dog"]) == [], "too short"
    assert nearest("1999", ["1998"]) == [], "not of letters"
