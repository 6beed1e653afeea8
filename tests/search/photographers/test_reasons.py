"""What speaks for and against somebody, in words that say with whom a photo is compared."""

from __future__ import annotations

import math
import re

import pytest

from search.photographers.classifier.reasons import in_words
from search.photographers.photos.features import FEATURES, INDEX

SATURATION = FEATURES[INDEX["saturation"]]
UNKNOWN = math.nan


@pytest.mark.parametrize(
    ("value", "everyone", "typical", "words"),
    [
        (44.0, 20.0, 21.0, "more saturated than most photos and most of theirs"),
        (44.0, 20.0, 60.0, "more saturated than most photos, less saturated than most of theirs"),
        (10.0, 20.0, 5.0, "less saturated than most photos, more saturated than most of theirs"),
        (10.0, 20.0, 10.0, "less saturated than most photos, saturation as in most of theirs"),
        (20.0, 20.0, 60.0, "saturation as in most photos, less saturated than most of theirs"),
        (0.0, 0.0, 0.0, "saturation as in most photos and most of theirs"),
        (44.0, 20.0, UNKNOWN, "more saturated than most photos"),
        (44.0, UNKNOWN, UNKNOWN, "saturation"),
        (UNKNOWN, 20.0, 21.0, "saturation not known"),
    ],
)
def test_each_sentence_says_with_whom_it_compares(value: float, everyone: float, typical: float, words: str) -> None:
    assert in_words(SATURATION, value, everyone, typical) == words


def test_what_is_said_of_a_feature_can_be_followed_by_than() -> None:
    said = [words for feature in FEATURES for words in feature.words]
    assert [words for words in said if not re.search(r"\b(more|less|fewer|\w+er)\b", words)] == []
