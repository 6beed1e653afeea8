"""Formula of the percentile curve: from a score to the share of random pairs that score lower.

Raw cosines cannot be compared: 0.5 is unremarkable between two photos under one model and outstanding under another,
and the best of 32 key frames scores higher than a single picture by chance alone. So each space and pair of collections
gets a curve from score to *match*, the percentage of random pairs that score lower, learnt from random points of the
store compared exactly as a question compares them.

The curve has two parts. Up to the 99th percentile it is the empirical distribution, linear between quantiles. Above it
there are too few pairs to count, so the survival function is continued as an exponential,

    S(s) = p · exp(−(s − u) / β),   u the threshold, p the share of pairs above it, β their mean excess over u,

the peaks-over-threshold method with shape 0, whose maximum-likelihood scale is that mean (Source: Davison and Smith
1990, "Models for exceedances over high thresholds"; Coles 2001, §4.3). It never reaches 100, so 99.9 and 99.99 stay
apart.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from search.store.base import Array
from search.vectors import unit_rows

TAIL = 0.01
"""Share of pairs left to the exponential tail, when there are enough of them."""

TAIL_PAIRS = 30
"""Fewest pairs a tail is fitted to; a small sample gives up a larger share to it."""

MIN_PAIRS = 380
"""Fewest pairs a curve is learnt from: those of 20 points, both ways (20 · 19)."""

REVISION = 2
"""Of the formula of a percentile curve. Raise it whenever ``fit``, ``pair_scores``, ``PercentileCurve.match`` or the
sample that ``search.likeness.percentile_curves`` draws changes: curves that a store keeps under another revision are
ignored and learnt anew. 1: means over the vectors that ask, of points drawn at random. 2: best pairs of vectors, of
points that come first by id."""

_KNOTS = 65


@dataclass(frozen=True, slots=True)
class PercentileCurve:
    """A curve from score to match.

    Attributes:
        scores, shares: knots of the body: ``shares[i]`` of random pairs score below ``scores[i]``; both increase.
        scale: β of the tail, which starts at the last knot.
        pairs: random pairs behind it; 0 for a prior.
    """

    scores: tuple[float, ...]
    shares: tuple[float, ...]
    scale: float
    pairs: int = 0

    def match(self, score: float) -> float:
        """Per cent of random pairs that are less alike than ``score``; increases with it."""
        scores, shares = self.scores, self.shares
        if score >= scores[-1]:
            return 100.0 * (1.0 - (1.0 - shares[-1]) * math.exp(-(score - scores[-1]) / self.scale))
        above = bisect_right(scores, score)
        if above == 0:
            return 0.0
        left, right = scores[above - 1], scores[above]
        part = (score - left) / (right - left)
        return 100.0 * (shares[above - 1] + part * (shares[above] - shares[above - 1]))

    def to_json(self) -> dict[str, object]:
        return {
            "scores": list(self.scores),
            "shares": list(self.shares),
            "scale": self.scale,
            "pairs": self.pairs,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> PercentileCurve:
        """Inverse of :meth:`to_json`.

        Raises:
            KeyError, TypeError, ValueError: it is no such object.
        """
        return cls(tuple(data["scores"]), tuple(data["shares"]), float(data["scale"]), int(data["pairs"]))


def fit(scores: NDArray[np.float32]) -> PercentileCurve:
    """The curve of a sample of random pairs' scores; the same sample gives the same curve.

    Args:
        scores: float32 ``(n,)``, n at least 2.
    """
    ordered = np.sort(scores.astype(np.float64))
    tail = min(0.5, max(TAIL, TAIL_PAIRS / len(ordered)))
    shares = np.linspace(0.0, 1.0 - tail, _KNOTS)
    values = np.quantile(ordered, shares)
    # Equal scores make a step, which a function of the score can only take once: keep the upper end of each.
    last_of_step = np.append(np.diff(values) > 0, True)
    knots, shares = values[last_of_step], shares[last_of_step]
    excess = ordered[ordered > knots[-1]] - knots[-1]
    scale = float(excess.mean()) if len(excess) else 0.0
    return PercentileCurve(
        tuple(float(v) for v in knots), tuple(float(v) for v in shares), max(scale, 1e-4), pairs=len(ordered)
    )


def pair_scores(askers: Sequence[tuple[str, Array]], targets: Sequence[tuple[str, Array]]) -> NDArray[np.float32]:
    """Cosines of the best pair of vectors of every asker with every target of another id, as a question scores them,
    float32 ``(pairs,)``.

    Args:
        askers, targets: id and float32 ``(m, dim)``, rows of any length.
    """
    if not askers or not targets:
        return np.empty(0, np.float32)
    rows = unit_rows(np.concatenate([vectors for _, vectors in targets]))
    starts = np.cumsum([0] + [len(vectors) for _, vectors in targets[:-1]])
    ids = np.array([media_id for media_id, _ in targets])
    collected: list[NDArray[np.float32]] = []
    for media_id, vectors in askers:
        scores = np.maximum.reduceat((unit_rows(vectors) @ rows.T).max(axis=0), starts)
        collected.append(scores[ids != media_id].astype(np.float32))
    return np.concatenate(collected)


def prior(space: str) -> PercentileCurve:
    """The curve used while a collection is too small to learn one from; see :data:`_PRIORS`."""
    middle, deviation, scale = _PRIORS.get(space, _PRIORS["visual"])
    levels = np.linspace(-2.5, 2.0, 10)
    shares = [0.5 * (1.0 + math.erf(level / math.sqrt(2.0))) for level in levels]
    return PercentileCurve(tuple(float(middle + deviation * level) for level in levels), tuple(shares), scale)


_PRIORS = {
    "visual": (0.25, 0.10, 0.13),
    "scene": (0.35, 0.14, 0.14),
    "motion": (0.08, 0.20, 0.15),
    "sound": (0.00, 0.30, 0.10),
    "voice": (0.59, 0.14, 0.05),
    "sound_voice": (0.20, 0.25, 0.10),
    "style": (0.49, 0.20, 0.02),
}
"""Space to mean and deviation of random pairs, and scale of the tail, which starts two deviations up.

Measured, rounded: images_caltech101 and video_scenes with EfficientNet-Lite0 (``visual`` 0.23 and 0.08, 0.34 and 0.14;
``scene`` 0.37 and 0.14), 182 films made by code (``motion`` 0.08 and 0.2), 450 sounds of the audio
sets (``sound`` 0.01 and 0.28,
0.00 and 0.32 by log-mel; ``voice`` 0.59 and 0.14, ``sound_voice`` 0.20 and 0.25). Pairs of ``style`` are skewed
(mean 0.37, deviation 0.42 on images_caltech101), so theirs are the median and half of what lies between it and the
upper 2.3 %. Other models differ; a prior only has to put the answers of the first twenty files in a sensible light.
"""
