"""Reasons of a prediction in words: how much less likely the name would be, were one thing not known.

Every part of the ensemble answers anew without it, so that a reason is one of the answer that is given. Weights are
differences of log-odds; they do not add up to the answer, as two things may say the same.

Source: Robnik-Šikonja and Kononenko, "Explaining classifications for individual instances", IEEE TKDE 20 (2008).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from search.photographers.answers import Basis, PredictionReason
from search.photographers.classifier.ensemble import Inputs
from search.photographers.classifier.file_facts import FILE_FACTS
from search.photographers.classifier.threshold import log_odds
from search.photographers.photos.features import FEATURES, PICTURE_ONLY, Feature

MOST_REASONS = 8
LEAST_WEIGHT = 0.01
"""Least weight of a reason, in log-odds."""

WORDS = {
    "visual": ("what it shows is unlike theirs", "what it shows is like theirs"),
    "style": ("developed unlike theirs", "developed like theirs"),
    "appearance": ("tones and textures unlike theirs", "tones and textures like theirs"),
}
"""Vectors that are reasons as a whole: words against somebody and for them."""

Answers = Callable[[Inputs], NDArray[np.float64]]
"""From photos to the probabilities of an answer, float64 ``(n, photographers)``."""


def reasons_of(
    answers: Answers,
    photo: Inputs,
    photographer: int,
    typical: NDArray[np.float64],
    everyone: NDArray[np.float64],
    evidence: Basis = Basis.PICTURE,
) -> tuple[PredictionReason, ...]:
    """Reasons for and against one photographer, those of greatest weight first.

    Args:
        answers: those of ``evidence``.
        photo: inputs of one photo.
        typical, everyone: medians of the features, float64 ``(78,)``, of the photographer's training photos and of all.
    """
    columns = PICTURE_ONLY if evidence is Basis.PICTURE else tuple(sorted((*PICTURE_ONLY, *FILE_FACTS)))
    vectors = [name for name in WORDS if np.isfinite(getattr(photo, name)).any()]
    features = [at for at in columns if np.isfinite(photo.features[0, at])]
    weights = _weights(answers, photo, photographer, vectors, features)
    found = [
        PredictionReason(name, WORDS[name][weight > 0], None, None, weight)
        for name, weight in zip(vectors, weights, strict=False)
    ]
    for at, weight in zip(features, weights[len(vectors) :], strict=True):
        value = float(photo.features[0, at])
        words = in_words(FEATURES[at], value, float(everyone[at]), float(typical[at]))
        found.append(PredictionReason(FEATURES[at].name, words, value, _known(float(typical[at])), weight))
    found = [reason for reason in found if abs(reason.weight) >= LEAST_WEIGHT]
    return tuple(sorted(found, key=lambda reason: -abs(reason.weight))[:MOST_REASONS])


def _weights(
    answers: Answers, photo: Inputs, photographer: int, vectors: list[str], features: list[int]
) -> list[float]:
    """Log-odds of the photographer less those without each vector, then those without each feature."""
    without = photo.take(np.zeros(1 + len(vectors) + len(features), np.intp))
    for row, name in enumerate(vectors, 1):
        getattr(without, name)[row] = np.nan
    for row, at in enumerate(features, 1 + len(vectors)):
        without.features[row, at] = np.nan
    odds = log_odds(answers(without)[:, photographer])
    return [float(weight) for weight in odds[0] - odds[1:]]


def medians(features: NDArray[np.floating]) -> NDArray[np.float64]:
    """Median of each column of ``(n, 78)``, float64 ``(78,)``; NaN where no value is known."""
    known = np.isfinite(features).any(axis=0)
    found = np.full(features.shape[1], np.nan)
    if known.any():
        found[known] = np.nanmedian(features[:, known], axis=0)
    return found


def in_words(feature: Feature, value: float, everyone: float, typical: float) -> str:
    """Comparison of a photo's feature with all photos (``most photos``) and with the photographer's (``theirs``).

    Args:
        everyone, typical: medians of the feature in these; NaN where unknown.
    """
    if not np.isfinite(value):
        return f"{feature.label} not known"
    found: dict[str, list[str]] = {}
    for whose, median in (("most photos", everyone), ("most of theirs", typical)):
        if np.isfinite(median):
            found.setdefault(_compared(feature, value, median), []).append(whose)
    return ", ".join(f"{how} {' and '.join(whose)}" for how, whose in found.items()) or feature.label


def _compared(feature: Feature, value: float, median: float) -> str:
    if np.isclose(value, median):
        return f"{feature.label} as in"
    return f"{feature.more if value > median else feature.less} than"


def _known(value: float) -> float | None:
    return value if np.isfinite(value) else None
