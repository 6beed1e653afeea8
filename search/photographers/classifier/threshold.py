"""When to answer "unknown": how probable the first candidate must be, less so the more familiar the photo is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from search.photographers.photos.splits import Index, Labels

KEPT = 0.75
"""Share of the right answers about known photographers that must still be given: a model that hides behind "unknown" is
of no use."""

_STEPS = 101
_SUREST = 1e-9
"""No probability counts as nearer to 0 or 1 than this."""


@dataclass(frozen=True, eq=False)
class Confidence:
    """How sure a model was of its first candidate for some photos.

    Attributes:
        rows: positions of the photos.  value: probability.  right: the candidate is who it is.
        near: how near the photo came to one that was learnt from, see ``familiarity``; NaN where that is not known.
    """

    rows: Index
    value: NDArray[np.float64]
    near: NDArray[np.float64]
    right: NDArray[np.bool_]

    @classmethod
    def of(
        cls, rows: Index, given: NDArray[np.float64], truth: Labels, near: NDArray[np.float64] | None = None
    ) -> Confidence:
        """
        Args:
            given: probabilities, float64 ``(n, photographers)``.  truth: whose each of these photos is.
        """
        unknown = np.full(len(rows), np.nan)
        return cls(rows, given.max(axis=1), unknown if near is None else near, given.argmax(axis=1) == truth)

    @classmethod
    def none(cls) -> Confidence:
        return cls(np.empty(0, np.intp), np.empty(0), np.empty(0), np.empty(0, bool))

    @classmethod
    def joined(cls, parts: Sequence[Confidence]) -> Confidence:
        return cls(*(np.concatenate([getattr(part, name) for part in parts]) for name in cls.__dataclass_fields__))


@dataclass(frozen=True, slots=True)
class Threshold:
    """
    Attributes:
        value: first candidates below this probability are answered with "unknown", for a photo that comes as near to
            those learnt from as usual.
        usual: mean nearness of photos by known photographers that were not learnt from.
        slope: by how much in log-odds less will do for each unit that a photo comes nearer than that.
        kept: share of the right answers about known photographers that are given.
        refused: share of strangers' photos that are answered with "unknown"; None where none were tried.
    """

    value: float
    usual: float = 0.0
    slope: float = 0.0
    kept: float = 1.0
    refused: float | None = None

    def at(self, near: NDArray[np.float64]) -> NDArray[np.float64]:
        """The probability from which on a name is given for photos that come so near, float64 ``(n,)``."""
        odds = np.exp(np.clip(_log_odds(np.array(self.value)) - self._credit(near), -700, 700))
        bar: NDArray[np.float64] = odds / (1 + odds) if self.value > 0 else np.zeros(len(near))
        return bar

    def margin(self, said: Confidence) -> NDArray[np.float64]:
        """By how much in log-odds the first candidates are above what is needed; below 0 they are not given."""
        above: NDArray[np.float64] = _log_odds(said.value) + self._credit(said.near) - _log_odds(np.array(self.value))
        return above

    def _credit(self, near: NDArray[np.float64]) -> NDArray[np.float64]:
        credit: NDArray[np.float64] = np.nan_to_num(self.slope * (near - self.usual))
        return credit


def find_threshold(known: Confidence, strange: Confidence) -> Threshold:
    """The threshold at which the share of right answers given and the share of strangers refused are greatest together,
    among those that give at least :data:`KEPT` of the right answers. Without strangers, the largest of these.

    Probability and nearness have equal say: a deviation of one, over photos of the known, makes up for a deviation of
    the other.

    Args:
        known: of photos by known photographers that were not learnt from.
        strange: of photos by photographers that were not learnt.
    """
    usual, slope = _exchange(known)
    if not known.right.any():
        return Threshold(0.0, usual, slope, 1.0, None if not len(strange.rows) else 0.0)
    level = Threshold(0.5, usual, slope)
    right = level.margin(known)[known.right]
    steps = np.quantile(right, np.linspace(0, 1 - KEPT, _STEPS))
    kept = (right[None, :] >= steps[:, None]).mean(axis=1)
    if not len(strange.rows):
        return Threshold(_probability(steps[-1]), usual, slope, float(kept[-1]), None)
    refused = (level.margin(strange)[None, :] < steps[:, None]).mean(axis=1)
    best = int(np.argmax(kept + refused))
    return Threshold(_probability(steps[best]), usual, slope, float(kept[best]), float(refused[best]))


def _exchange(known: Confidence) -> tuple[float, float]:
    """Usual nearness, and log-odds to a unit of it."""
    near = known.near[np.isfinite(known.near)]
    deviation = float(near.std()) if len(near) else 0.0
    if deviation < 1e-6:
        return 0.0, 0.0
    return float(near.mean()), float(_log_odds(known.value).std()) / deviation


def _log_odds(probability: NDArray[np.float64]) -> NDArray[np.float64]:
    bounded = np.clip(probability, _SUREST, 1 - _SUREST)
    odds: NDArray[np.float64] = np.log(bounded / (1 - bounded))
    return odds


def _probability(log_odds: float) -> float:
    return float(1 / (1 + np.exp(-log_odds)))
