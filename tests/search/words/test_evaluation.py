"""Labels as questions in words: figures that can be worked out by hand."""

from __future__ import annotations

from typing import Any

import pytest

from search.evaluation.words import evaluate_words, word_of


def test_labels_that_are_words_are_asked_and_ranked_by_what_is_shown(shown: Any) -> None:
    labels = {
        shown.image("one", {"dalmatian": 0.9}): "set/dog",
        shown.image("two", {"dalmatian": 0.5}): "set/dog",
        shown.image("three", {"dalmatian": 0.7}): "set/Adductor_x9",  # shows a dog, and is not labelled so
        shown.image("four", {"goldfish": 0.8}): "set/Adductor_x9",
        shown.image("dog by name alone", {"goldfish": 0.2}): "set/fish",
    }

    measured = evaluate_words(shown.store, labels)

    assert measured is not None
    dog = measured.labels["set/dog"]
    # Ranked: one (right), three (wrong), two (right).
    assert (dog.word, dog.relevant, dog.p_at_10, dog.ap) == ("dog", 2, 1.0, pytest.approx((1 + 2 / 3) / 2))
    assert measured.labels.keys() == {"set/dog"}  # a lone label is not asked
    assert (measured.map, measured.passed_over) == (dog.ap, 1)


def test_what_does_not_answer_counts_as_not_found(shown: Any) -> None:
    labels = {shown.image("one", {"dalmatian": 0.9}): "dog", shown.image("two", {"goldfish": 0.9}): "dog"}

    measured = evaluate_words(shown.store, labels)

    assert measured is not None
    assert (measured.labels["dog"].p_at_10, measured.labels["dog"].ap) == (0.5, 0.5)


def test_without_words_or_concepts_there_is_nothing_to_measure(shown: Any) -> None:
    labels = {shown.image(name, {"dalmatian": 0.9}): "Xyzzy_12" for name in ("one", "two")}

    assert evaluate_words(shown.store, labels) is None
    assert evaluate_words(shown.store, {shown.audio(name): "dog" for name in ("a", "b")}) is None


@pytest.mark.parametrize(
    ("label", "word"),
    [("set/Electric_Guitar", "electric guitar"), ("dogs", "dogs"), ("a/b/hot-air balloon", "hot air balloon")],
)
def test_a_label_is_typed_as_a_person_would(label: str, word: str) -> None:
    assert word_of(label) == word
