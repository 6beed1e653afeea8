"""What speaks for and against somebody, in words that say with whom a photo is compared."""

from __future__ import annotations

import math
import re
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from search.photographers.classifier import reasons
from search.photographers.classifier.ensemble import Inputs
from search.photographers.classifier.reasons import in_words, reasons_of
from search.photographers.photos.features import FEATURES, INDEX, UNMEASURED
from search.photographers.profiles import traits

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


class Weights:
    """Stands for trees without vectors, in which every feature has the same weight."""

    components: dict[str, Any] = {}  # noqa: RUF012  # as of trees

    def shap(self, *_: Any) -> NDArray[np.float64]:
        return np.ones((1, len(FEATURES)))


def test_what_nothing_measures_is_no_reason_and_no_trait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reasons, "MOST_REASONS", len(FEATURES))
    nothing = np.zeros((1, 0), np.float32)
    photo = Inputs(visual=nothing, style=nothing, features=np.zeros((1, len(FEATURES)), np.float32))
    medians = np.zeros(len(FEATURES))
    said = {one.feature for one in reasons_of(Weights(), photo, 0, medians, medians)}  # type: ignore[arg-type]
    assert said == {feature.name for at, feature in enumerate(FEATURES) if at not in UNMEASURED}
    assert {FEATURES[at].name for at in UNMEASURED} == {"faces", "person_present"}
    assert not set(UNMEASURED) & {*traits.NAMED, *traits.HISTOGRAMS, *traits.BEYOND}
