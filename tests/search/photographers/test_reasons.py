"""What speaks for and against somebody, in words that say with whom a photo is compared."""

from __future__ import annotations

import math
import re

import numpy as np
import pytest

from search.photographers.answers import Basis
from search.photographers.classifier import reasons
from search.photographers.classifier.ensemble import Inputs
from search.photographers.classifier.file_facts import FILE_FACTS
from search.photographers.classifier.reasons import in_words, reasons_of
from search.photographers.photos.features import FEATURES, INDEX, PICTURE_ONLY, UNMEASURED
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


def _by_sums(photos: Inputs) -> np.ndarray:
    """Probabilities of two photographers, by how many of the features are known, and by what the picture shows."""
    odds = 0.1 * np.isfinite(photos.features).sum(axis=1) + np.nan_to_num(photos.visual).sum(axis=1)
    first = 1 / (1 + np.exp(-odds))
    return np.stack([first, 1 - first], axis=1)


def _photo(visual: float = 0.0) -> Inputs:
    nothing = np.zeros((1, 0), np.float32)
    features = np.zeros((1, len(FEATURES)), np.float32)
    features[:, UNMEASURED] = np.nan
    return Inputs(visual=np.full((1, 1), visual, np.float32), style=nothing, appearance=nothing, features=features)


def _said(evidence: Basis, visual: float = 0.0) -> dict[str, float]:
    medians = np.zeros(len(FEATURES))
    found = reasons_of(_by_sums, _photo(visual), 0, medians, medians, evidence)
    return {one.feature: one.weight for one in found}


def test_a_reason_weighs_what_the_answer_would_lose_without_it() -> None:
    said = _said(Basis.PICTURE, visual=-3.0)
    assert list(said.values())[:2] == pytest.approx([-3.0, 0.1], abs=1e-5)
    assert next(iter(said)) == "visual"


def test_reasons_are_of_the_evidence_that_was_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reasons, "MOST_REASONS", len(FEATURES))
    assert _said(Basis.PICTURE).keys() == {FEATURES[at].name for at in PICTURE_ONLY}
    assert _said(Basis.EVERYTHING).keys() == {FEATURES[at].name for at in (*PICTURE_ONLY, *FILE_FACTS)}


def test_what_nothing_measures_is_no_reason_and_no_trait() -> None:
    assert not set(UNMEASURED) & {*PICTURE_ONLY, *FILE_FACTS}
    assert {FEATURES[at].name for at in UNMEASURED} == {"faces", "person_present"}
    assert not set(UNMEASURED) & {*traits.NAMED, *traits.HISTOGRAMS, *traits.BEYOND}
