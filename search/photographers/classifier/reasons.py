"""Reasons of a prediction in words, from the SHAP values of the trees."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from search.photographers.answers import PredictionReason
from search.photographers.classifier.ensemble import Inputs
from search.photographers.classifier.trees import Trees
from search.photographers.photos.features import FEATURES, UNMEASURED, Feature

MOST_REASONS = 8
LEAST_WEIGHT = 0.01
"""Least weight of a reason, in log-odds."""

WORDS = {
    "visual": ("what it shows is unlike theirs", "what it shows is like theirs"),
    "style": ("developed unlike theirs", "developed like theirs"),
}


def reasons_of(
    trees: Trees, photo: Inputs, photographer: int, typical: NDArray[np.float64], everyone: NDArray[np.float64]
) -> tuple[PredictionReason, ...]:
    """Reasons for and against one photographer, those of greatest weight first.

    Args:
        photo: inputs of one photo.
        typical, everyone: medians of the features, float64 ``(78,)``, of the photographer's training photos and of all.
    """
    weights = trees.shap(photo.vectors, photo.features, photographer)[0]
    found: list[PredictionReason] = []
    start = 0
    for name in sorted(trees.components):
        end = start + len(trees.components[name].axes)
        weight = float(weights[start:end].sum())
        found.append(PredictionReason(name, WORDS[name][weight > 0], None, None, weight))
        start = end
    for at, feature in enumerate(FEATURES):
        if at in UNMEASURED:
            continue
        value = float(photo.features[0, at])
        found.append(
            PredictionReason(
                feature.name,
                in_words(feature, value, float(everyone[at]), float(typical[at])),
                _known(value),
                _known(float(typical[at])),
                float(weights[start + at]),
            )
        )
    found = [reason for reason in found if abs(reason.weight) >= LEAST_WEIGHT]
    return tuple(sorted(found, key=lambda reason: -abs(reason.weight))[:MOST_REASONS])


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
