"""What spoke for and against a photographer, in words: the trees' SHAP values, one reason for each thing looked at."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from search.photographers.answers import PredictionReason
from search.photographers.classifier.ensemble import Inputs
from search.photographers.classifier.trees import Trees
from search.photographers.photos.features import FEATURES, Feature

MOST_REASONS = 8
LEAST_WEIGHT = 0.01
"""Log-odds; what weighs less decides nothing."""

WORDS = {
    "visual": ("what it shows is unlike theirs", "what it shows is like theirs"),
    "style": ("developed unlike theirs", "developed like theirs"),
}


def reasons_of(
    trees: Trees, photo: Inputs, photographer: int, typical: NDArray[np.float64], everyone: NDArray[np.float64]
) -> tuple[PredictionReason, ...]:
    """The weightiest reasons for and against one photographer, weightiest first.

    Args:
        photo: a single one.
        typical, everyone: medians of the features, float64 ``(78,)``, of the photographer's photos and of all.
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
    """Of each column, NaN for those of which nothing is known; float64 ``(78,)``."""
    known = np.isfinite(features).any(axis=0)
    found = np.full(features.shape[1], np.nan)
    if known.any():
        found[known] = np.nanmedian(features[:, known], axis=0)
    return found


def in_words(feature: Feature, value: float, everyone: float, typical: float) -> str:
    """How a photo compares with the photos of all (``most photos``) and with the photographer's (``theirs``).

    Args:
        everyone, typical: medians of the feature in these; NaN where nothing is known.
    """
    if not np.isfinite(value):
        return f"{feature.label} not known"
    found: dict[str, list[str]] = {}
    for whose, median in (("most photos", everyone), ("most of theirs", typical)):
        if np.isfinite(median):
            found.setdefault(_beside(feature, value, median), []).append(whose)
    return ", ".join(f"{how} {' and '.join(whose)}" for how, whose in found.items()) or feature.label


def _beside(feature: Feature, value: float, median: float) -> str:
    if np.isclose(value, median):
        return f"{feature.label} as in"
    return f"{feature.more if value > median else feature.less} than"


def _known(value: float) -> float | None:
    return value if np.isfinite(value) else None
