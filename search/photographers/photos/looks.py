"""Evidence of looks: whether photos that follow one another are of one shoot."""

from __future__ import annotations

from collections.abc import Sequence
from math import log

import numpy as np
from numpy.typing import NDArray

MOST_OF_LOOKS = 2.0
"""Most that looks count for or against, in natural logarithms of odds."""

COMPARED = 4
"""Photos on each side of two neighbours whose looks are compared."""

DRAWN = 400
"""Random pairs from which it is learnt how alike photos of different shoots are."""

LEAST_PHOTOS = 60
"""Photos of a library below which looks decide nothing: random pairs would be of one shoot too often."""


class Looks:
    """Evidence of looks: the density of a likeness among neighbours of a library, against that among random photos.

    Args:
        visual: unit rows, float32 ``(n, dim)``.
        neighbours, strangers: mean and deviation of the likeness; None where looks decide nothing.
    """

    def __init__(
        self,
        visual: NDArray[np.float32],
        neighbours: tuple[float, float] | None = None,
        strangers: tuple[float, float] | None = None,
    ) -> None:
        self._visual, self._neighbours, self._strangers = visual, neighbours, strangers

    @classmethod
    def of(cls, visual: NDArray[np.float32], runs: Sequence[Sequence[int]]) -> Looks:
        links = [(run, index) for run in runs for index in range(len(run) - 1)]
        if len(visual) < LEAST_PHOTOS or len(links) < LEAST_PHOTOS // 2:
            return cls(visual)
        rng = np.random.default_rng(0)
        plain = cls(visual)
        drawn = rng.choice(len(links), min(DRAWN, len(links)), replace=False)
        beside = [plain._likeness(*_sides(*links[at])) for at in drawn]
        others = rng.integers(len(links), size=(DRAWN, 2)).tolist()
        apart = [plain._likeness(_sides(*links[a])[0], _sides(*links[b])[1]) for a, b in others if a != b]
        return cls(visual, _middle_and_spread(beside), _middle_and_spread(apart))

    def agree(self, others: float, run: Sequence[int], index: int, *, least_alike: bool = False) -> bool:
        """Whether all evidence is for one shoot of the photos of a run up to ``index`` and those after it.

        Args:
            others: evidence beside looks; looks are left alone where it is beyond doubt.
            least_alike: looks count against one shoot only where neighbours are least alike: around a change, several
                are unlike.
        """
        if abs(others) >= MOST_OF_LOOKS:
            return others > 0
        evidence = self.at(run, index)
        if evidence < 0 and least_alike:
            least = self._likeness(*_sides(run, index))
            around = range(max(0, index - COMPARED // 2), min(len(run) - 1, index + COMPARED // 2 + 1))
            if any(self._likeness(*_sides(run, other)) < least for other in around):
                evidence = 0.0
        return others + evidence >= 0

    def at(self, run: Sequence[int], index: int) -> float:
        """Evidence that the photos of a run up to ``index`` and those after it are of one shoot."""
        return self._evidence(*_sides(run, index))

    def of_parts(self, part: Sequence[int], other: Sequence[int]) -> float:
        """Evidence that two parts are of one shoot."""
        return self._evidence(_spaced(part), _spaced(other))

    def _evidence(self, one: Sequence[int], other: Sequence[int]) -> float:
        if self._neighbours is None or self._strangers is None:
            return 0.0
        likeness = self._likeness(one, other)
        found = _log_normal(likeness, self._neighbours) - _log_normal(likeness, self._strangers)
        if likeness >= self._neighbours[0]:
            found = max(found, 0.0)
        elif likeness <= self._strangers[0]:
            found = min(found, 0.0)
        return float(np.clip(found, -MOST_OF_LOOKS, MOST_OF_LOOKS))

    def _likeness(self, one: Sequence[int], other: Sequence[int]) -> float:
        """Mean cosine of each photo with its nearest on the other side."""
        cosines = self._visual[list(one)] @ self._visual[list(other)].T
        return float(cosines.max(axis=0).mean() + cosines.max(axis=1).mean()) / 2


def _sides(run: Sequence[int], index: int) -> tuple[Sequence[int], Sequence[int]]:
    return run[max(0, index + 1 - COMPARED) : index + 1], run[index + 1 : index + 1 + COMPARED]


def _spaced(part: Sequence[int]) -> list[int]:
    return [part[at] for at in np.linspace(0, len(part) - 1, min(COMPARED, len(part))).round().astype(int)]


def _middle_and_spread(values: Sequence[float]) -> tuple[float, float]:
    """Median, and deviation from the quartiles."""
    low, middle, high = np.quantile(values, (0.25, 0.5, 0.75))
    return float(middle), max(float(high - low) / 1.349, 1e-3)


def _log_normal(value: float, of: tuple[float, float]) -> float:
    return -0.5 * ((value - of[0]) / of[1]) ** 2 - log(of[1])
