"""Changes of style: the moment since which somebody's photos differ from those before, beyond what shoots vary by.

Photos of one shoot share light and subject, so shoots are counted, not photos: each has the median of its photos, and
the order of shoots is what is tested. A change in one of many quantities at one of many moments is easily found by
chance; the largest of all of them is compared with the largest in shoots of shuffled order.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from search.photographers.photos.features import FEATURES, INDEX
from search.photographers.profiles.traits import MAD_TO_DEVIATION, MOST_ALIKE
from search.store.base import Array

LEAST_SHOOTS = 20
"""Shoots below which no change can be distinguished from chance: of ten blocks of two, one order in 126 parts them as a
change in the middle does; of fewer, more than :data:`FALSE_ALARMS`."""

LEAST_SIDE = 4
"""Shoots before a change, and since, at least."""

FALSE_ALARMS = 0.01
"""Share of photographers who did not change for whom a change may be reported."""

SHUFFLES = 999
AT_ONCE = 40
"""Parts in which shuffled orders are looked at: all at once take 0.6 MB a shoot."""

BLOCK = 2
"""Shoots that stay together in a shuffled order: those that follow one another are more alike than others."""

DRAWS = 1_000
MOST_SHIFTS = 3

_MEANS = tuple(INDEX[name] for name in ("red_mean", "green_mean", "blue_mean"))


@dataclass(frozen=True, slots=True)
class Shift:
    """One quantity that has changed.

    Attributes:
        feature: name of the feature, or ``warmth`` (mean red less mean blue) or ``tint`` (mean green less the mean of
            both).
        before, after: means over shoots of the medians of their photos, in ``unit``.
        difference: ``after`` less ``before``.  low, high: its 95 % interval over shoots, by the bootstrap.
    """

    feature: str
    words: str
    unit: str
    before: float
    after: float
    difference: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Drift:
    """A change of style.

    Attributes:
        at: index of the first shoot after the change.
        p_value: share of shuffled orders of these shoots with a change as large anywhere, in any quantity.
        shifts: what has changed, the clearest first; never empty.
    """

    at: int
    p_value: float
    before: int
    after: int
    shifts: tuple[Shift, ...]

    @property
    def words(self) -> str:
        """``darker and warmer``."""
        words = [shift.words for shift in self.shifts]
        return " and ".join(filter(None, (", ".join(words[:-1]), words[-1])))


@dataclass(frozen=True, slots=True)
class _Quantity:
    name: str
    less: str
    more: str
    unit: str


_NAMED = tuple(
    INDEX[name]
    for name in ("gray_mean", "contrast", "saturation", "highlights", "shadows", "entropy", "sharpness", "noise")
)
_QUANTITIES = (
    *(_Quantity(FEATURES[at].name, *FEATURES[at].words, FEATURES[at].unit) for at in _NAMED),
    _Quantity("warmth", "cooler", "warmer", "levels"),
    _Quantity("tint", "more magenta", "greener", "levels"),
)
"""What is looked at: what is decided when a picture is developed. The mean colours count as warmth and tint, for each
of the three follows brightness. Every further quantity would make a change in one of these harder to detect."""


QUANTITY_UNITS = {quantity.name: quantity.unit for quantity in _QUANTITIES}
"""Unit of each quantity by name, in the order of :func:`quantities`."""


def quantities(features: Array) -> NDArray[np.float64]:
    """What is looked at, float64 ``(n, quantities)``, of features, float32 ``(n, 78)``; NaN where unknown."""
    red, green, blue = (features[:, at].astype(np.float64) for at in _MEANS)
    named = [features[:, at].astype(np.float64) for at in _NAMED]
    return np.stack([*named, red - blue, green - (red + blue) / 2], axis=1)


def drift(shoots: Sequence[Array], seed: int = 0) -> Drift | None:
    """The clearest change in a sequence of shoots; None where it is not beyond what shoots vary by, or there are fewer
    than :data:`LEAST_SHOOTS`.

    Args:
        shoots: float32 ``(photos, 78)`` of each shoot, in order of time.

    Source: maxima over hypotheses under permutation, Westfall and Young, "Resampling-Based Multiple Testing", 1993.
    """
    if len(shoots) < LEAST_SHOOTS:
        return None
    medians = np.stack([_median(quantities(features)) for features in shoots])
    chosen = np.flatnonzero(np.isfinite(medians).all(axis=0) & (np.ptp(medians, axis=0) > 0))
    if not len(chosen):
        return None
    values = _scaled(medians[:, chosen])
    sizes = _sizes(values[None])[0]
    rng = np.random.default_rng(seed)
    orders = np.array_split(_orders(len(values), rng), AT_ONCE)
    largest = np.concatenate([_sizes(values[some]).max(axis=(1, 2)) for some in orders])
    split = int(sizes.max(axis=1).argmax())
    beyond = (1 + (largest[:, None] >= sizes[split]).sum(axis=0)) / (1 + SHUFFLES)
    if beyond.min() > FALSE_ALARMS:
        return None
    first = split + LEAST_SIDE
    found: list[int] = []
    within = np.concatenate([part - part.mean(axis=0) for part in (values[:first], values[first:])])
    with np.errstate(all="ignore"):
        alike = np.nan_to_num(np.atleast_2d(np.corrcoef(within.T)))
    for at in np.argsort(-sizes[split], kind="stable").tolist():
        apart = all(abs(alike[at, other]) < MOST_ALIKE for other in found)
        if beyond[at] <= FALSE_ALARMS and apart and len(found) < MOST_SHIFTS:
            found.append(at)
    shifts = tuple(_shift(_QUANTITIES[chosen[at]], medians[:, chosen[at]], first, rng) for at in found)
    return Drift(first, float(beyond.min()), first, len(shoots) - first, shifts)


def _orders(shoots: int, rng: np.random.Generator) -> NDArray[np.intp]:
    """Shuffled orders of shoots, intp ``(SHUFFLES, shoots)``, in blocks of :data:`BLOCK`."""
    block = (np.arange(shoots) + rng.integers(BLOCK, size=(SHUFFLES, 1))) // BLOCK
    keys = rng.random((SHUFFLES, int(block.max()) + 1))
    orders: NDArray[np.intp] = np.argsort(np.take_along_axis(keys, block, axis=1), axis=1, kind="stable")
    return orders


def _scaled(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Robustly standardised, and clipped at four deviations: one odd shoot makes no change."""
    middle = np.median(values, axis=0)
    spread = np.fmax(MAD_TO_DEVIATION * np.median(np.abs(values - middle), axis=0), 0.1 * values.std(axis=0))
    return np.asarray(np.clip((values - middle) / spread, -4.0, 4.0), np.float64)


def _sizes(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Size of the change at each moment in each quantity, float64 ``(orders, moments, quantities)``: the difference of
    the means in standard errors.

    Args:
        values: float64 ``(orders, shoots, quantities)``.
    """
    n = values.shape[1]
    before = np.arange(LEAST_SIDE, n - LEAST_SIDE + 1)
    sums = values.cumsum(axis=1)
    total, early = sums[:, -1:], sums[:, before - 1]
    first = early / before[None, :, None]
    second = (total - early) / (n - before)[None, :, None]
    squares = (values * values).sum(axis=1)[:, None]
    within = squares - before[None, :, None] * first**2 - (n - before)[None, :, None] * second**2
    error: NDArray[np.float64] = np.sqrt(
        np.fmax(within, 1e-9) / (n - 2) * (1 / before + 1 / (n - before))[None, :, None]
    )
    found: NDArray[np.float64] = np.abs(second - first) / error
    return found


def _shift(of: _Quantity, medians: NDArray[np.float64], first: int, rng: np.random.Generator) -> Shift:
    early, late = medians[:first], medians[first:]
    drawn = [rng.choice(some, (DRAWS, len(some))).mean(axis=1) for some in (early, late)]
    low, high = np.quantile(drawn[1] - drawn[0], (0.025, 0.975))
    before, after = float(early.mean()), float(late.mean())
    words = of.more if after > before else of.less
    return Shift(of.name, words, of.unit, before, after, after - before, float(low), float(high))


def _median(values: NDArray[np.float64]) -> NDArray[np.float64]:
    known = np.isfinite(values).any(axis=0)
    found = np.full(values.shape[1], np.nan)
    found[known] = np.nanmedian(values[:, known], axis=0)
    return found
