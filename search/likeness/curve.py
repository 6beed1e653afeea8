"""Formula of the likeness: the probability that two media share a label, given their score.

A cosine says nothing by itself: .5 is unremarkable under one model and outstanding under another. So each model has a
curve for each pair of kinds, learnt from labelled media (``workers.calibrate``) and shipped with it, from the corrected
score of the best pair (``search.likeness.best_pairs``) to the probability that the two are of one label when as many
pairs are as are not. It depends on the model alone, never on what else a library holds: the same two files have the
same likeness in every library. Likenesses compare across spaces and kinds, and order the answers.

The curve is a logistic function of

    a · ln x + b · (−ln(1 − x)) + c · s + d,   x = (1 + s) / 2,   a, b, c ≥ 0,

so it is smooth and increases with the score s; its values are drawn a little towards .5, into [.001, .999]. Source:
Kull, Silva Filho and Flach 2017, "Beta calibration", with a linear term added.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from search.likeness.best_pairs import Background
from search.media import Kind

VERY_SIMILAR = 0.9
SIMILAR = 0.5
"""Likenesses from which a hit is called very similar, and similar; below, weak. The same for every space.

Likeness .5 is where a pair is as likely to share a label as not, among equally many that do and do not. At .9 it is
nine times as likely; of the pairs with different labels that the curves were learnt from, 1.7 % (``visual``, photos)
and 1.5 % (``sound``) reach that.
"""

REVISION = 1
"""Of the formula of a likeness curve. Raise it whenever :func:`features`, :meth:`LikenessCurve.likenesses` or the
correction of ``search.likeness.best_pairs`` changes, and make ``likeness_curves.json`` anew (``workers.calibrate``).
Curves that a library has learnt under another revision are ignored, with a note. What carries none is of revision 1."""

_EDGE = 1e-3
"""Distance that x keeps from 0 and 1, where the logarithms end."""

_DOUBT = 1e-3
"""Distance that a likeness keeps from 0 and 1: labels themselves are wrong now and then, and no curve is learnt from
enough pairs to promise more."""


class Band(StrEnum):
    """What to call a hit, best first."""

    IDENTICAL = "identical"
    SAME_PICTURE = "same picture"
    EDITED_COPY = "edited copy"
    VERY_SIMILAR = "very similar"
    SIMILAR = "similar"
    WEAK = "weak"

    @property
    def rank(self) -> int:
        """0 for the best."""
        return _RANKS[self]

    @classmethod
    def of(cls, likeness: float) -> Band:
        """The band of a hit that is no copy."""
        if likeness >= VERY_SIMILAR:
            return cls.VERY_SIMILAR
        return cls.SIMILAR if likeness >= SIMILAR else cls.WEAK


_RANKS = {band: rank for rank, band in enumerate(Band)}


class OutdatedCurveError(ValueError):
    """A stored curve was learnt under another revision of the formula than the present one."""


@dataclass(frozen=True, slots=True)
class LikenessCurve:
    """A curve from corrected score to likeness.

    Attributes:
        low, high, slope, shift: a, b, c and d of the module.
        background: scores of unrelated pairs, for the correction.
        pairs: labelled pairs it was learnt from; 0 when it stands in for one that has not been learnt.
        items: media that those pairs are of.
        provisional: not learnt from real media.
    """

    low: float
    high: float
    slope: float
    shift: float
    background: Background
    pairs: int = 0
    items: int = 0
    provisional: bool = False

    def likeness(self, score: float) -> float:
        """Probability in (0, 1) for one corrected score."""
        return float(self.likenesses(np.array([score]))[0])

    def likenesses(self, scores: NDArray[np.float64]) -> NDArray[np.float64]:
        """Probabilities, float64 ``(n,)``, for corrected scores, float64 ``(n,)``."""
        logits = features(scores) @ (self.low, self.high, self.slope) + self.shift
        return _DOUBT + (1.0 - 2.0 * _DOUBT) / (1.0 + np.exp(-np.clip(logits, -60.0, 60.0)))

    def to_json(self) -> dict[str, object]:
        return {"revision": REVISION, **asdict(self)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> LikenessCurve:
        """Inverse of :meth:`to_json`.

        Raises:
            OutdatedCurveError: it was learnt under another revision of the formula.
            KeyError, TypeError, ValueError: it is no such object, or a parameter is not finite or would let the curve
                fall.
        """
        if data.get("revision", 1) != REVISION:
            raise OutdatedCurveError(f"The curve is of revision {data['revision']} of the formula, not {REVISION}.")
        background = Background(float(data["background"]["mean"]), float(data["background"]["deviation"]))
        low, high, slope, shift = (float(data[name]) for name in ("low", "high", "slope", "shift"))
        numbers = (low, high, slope, shift, background.mean, background.deviation)
        if not all(map(math.isfinite, numbers)) or min(low, high, slope) < 0 or not 0 < background.deviation < 2:
            raise ValueError(f"{dict(data)} is no likeness curve.")
        return cls(
            low, high, slope, shift, background, int(data["pairs"]), int(data["items"]), bool(data["provisional"])
        )


def features(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """What the three weights of a curve weigh, float64 ``(n, 3)``, of scores ``(n,)``."""
    x = np.clip((1.0 + scores) / 2.0, _EDGE, 1.0 - _EDGE)
    return np.stack([np.log(x), -np.log1p(-x), scores], axis=1)


def pair_of_kinds(one: Kind, other: Kind) -> str:
    """Name of a pair of kinds, the same whichever asks: ``image:video``."""
    return ":".join(sorted((one.value, other.value)))
