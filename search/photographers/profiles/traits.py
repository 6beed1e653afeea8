"""Traits of a photographer: the features in which some photos differ most from others, in words.

Statistics are robust, as one odd photo among thirty must not make a style: medians, and the median absolute deviation
for the spread.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from search.photographers.answers import Trait
from search.photographers.photos.features import FEATURES, INDEX, PICTURE_ONLY, FeatureGroup
from search.store.base import Array

MOST = 8
"""Traits at most of one photographer."""

FEW = 3
"""Traits below which bins of histograms are added: they separate well, but mean little to people."""

HISTOGRAMS = tuple(at for at in PICTURE_ONLY if FEATURES[at].group is FeatureGroup.HISTOGRAM)
NAMED = tuple(at for at in PICTURE_ONLY if at not in HISTOGRAMS)

BEYOND = tuple(
    INDEX[name]
    for name in (
        *("aspect_ratio", "log_iso", "aperture", "log_exposure", "focal_length_35mm", "exposure_compensation"),
        "hour",
    )
)
"""Features beside those of the picture itself that come after them, where a median is meaningful."""

LEAST_EFFECT = 0.4
"""Robust deviations below which a difference is not visible."""

CERTAIN = 3.0
"""Standard errors that an effect has to exceed: with two, three of 58 features would exceed it by chance."""

MOST_ALIKE = 0.75
"""Correlation beyond which two features are redundant, and only the stronger one is kept."""

MAD_TO_DEVIATION = 1.4826
"""For normal values, their standard deviation divided by their median absolute deviation."""

NORMAL_84 = 0.8413
"""Of normal values, the share below their mean plus a standard deviation."""

MEDIAN_ERROR = 1.2533
"""For normal values, the standard error of the median divided by that of the mean: √(π/2)."""


@dataclass(frozen=True, eq=False)
class Crowd:
    """The photos that a photographer is compared with.

    Attributes:
        features: float32 ``(n, 78)``, NaN where absent.
    """

    features: Array

    @cached_property
    def middle(self) -> NDArray[np.float64]:
        """Median of each feature, float64 ``(78,)``; NaN where no value is known."""
        return _median(self.features)

    @cached_property
    def spread(self) -> NDArray[np.float64]:
        """Robust deviation of each feature, float64 ``(78,)``; 0 only where all values are equal."""
        return np.fmax(MAD_TO_DEVIATION * _median(np.abs(self.features - self.middle)), self._least_spread)

    @cached_property
    def above(self) -> NDArray[np.float64]:
        """Robust deviation above the median, up to the 84th percentile, float64 ``(78,)``. In a feature that is 0 for
        most photos and large for some, one deviation for both sides would exaggerate small values."""
        return np.fmax(_quantile(self.features, NORMAL_84) - self.middle, self._least_spread)

    @cached_property
    def below(self) -> NDArray[np.float64]:
        """Robust deviation below the median, down to the 16th percentile, float64 ``(78,)``."""
        return np.fmax(self.middle - _quantile(self.features, 1 - NORMAL_84), self._least_spread)

    @cached_property
    def _least_spread(self) -> NDArray[np.float64]:
        """A tenth of the standard deviation, for features of which more than half of all values are equal."""
        filled = np.where(np.isfinite(self.features), self.features, self.middle)
        return np.asarray(0.1 * filled.std(axis=0), np.float64)

    @cached_property
    def alike(self) -> NDArray[np.float64]:
        """Correlation of features, float64 ``(78, 78)``, 0 where one of them is constant."""
        with np.errstate(all="ignore"):
            scaled = np.clip(np.nan_to_num((self.features - self.middle) / self.spread, posinf=0, neginf=0), -3, 3)
            return np.eye(len(FEATURES)) if len(scaled) < 3 else np.nan_to_num(np.asarray(np.corrcoef(scaled.T)))


def traits(mine: Array, others: Crowd, most: int = MOST) -> tuple[Trait, ...]:
    """Traits of ``mine``, float32 ``(m, 78)``, against others: features of the picture first, the strongest first."""
    if not len(mine) or not len(others.features):
        return ()
    middle = _median(mine)
    with np.errstate(all="ignore"):
        spread = np.where(middle > others.middle, others.above, others.below)
        effect = (middle - others.middle) / spread
        own = MAD_TO_DEVIATION * _median(np.abs(mine - middle)) / spread
        error = MEDIAN_ERROR * np.sqrt(own**2 / _known(mine) + 1 / _known(others.features))
        certain = np.isfinite(effect) & (np.abs(effect) >= np.fmax(LEAST_EFFECT, CERTAIN * error))
    chosen: list[int] = []
    for group, room in ((NAMED, most), (HISTOGRAMS, min(most, FEW)), (BEYOND, most)):
        for at in sorted((at for at in group if certain[at]), key=lambda at: -abs(effect[at])):
            if len(chosen) < room and all(abs(others.alike[at, other]) < MOST_ALIKE for other in chosen):
                chosen.append(at)
    return tuple(_trait(at, float(effect[at]), float(middle[at]), others) for at in chosen)


def in_words(found: tuple[Trait, ...], most: int = 3) -> str:
    """The strongest traits as one phrase; empty when there are none."""
    return ", ".join(trait.words for trait in found[:most])


def _trait(at: int, effect: float, mine: float, others: Crowd) -> Trait:
    values = others.features[:, at]
    values = values[np.isfinite(values)]
    below = (values < mine).mean() + 0.5 * (values == mine).mean()
    feature = FEATURES[at]
    return Trait(
        feature=feature.name,
        words=feature.more if effect > 0 else feature.less,
        unit=feature.unit,
        effect=effect,
        mine=mine,
        others=float(others.middle[at]),
        percentile=100 * float(below),
    )


def _known(values: Array) -> NDArray[np.intp]:
    known: NDArray[np.intp] = np.isfinite(values).sum(axis=0)
    return known


def _median(values: Array) -> NDArray[np.float64]:
    return _quantile(values, 0.5)


def _quantile(values: Array, share: float) -> NDArray[np.float64]:
    """Quantile of each column, NaN where it has no value, without numpy's warning."""
    found = np.full(values.shape[1], np.nan)
    known = np.isfinite(values).any(axis=0)
    if known.any():
        found[known] = np.nanquantile(np.where(np.isfinite(values), values, np.nan)[:, known], share, axis=0)
    return found
