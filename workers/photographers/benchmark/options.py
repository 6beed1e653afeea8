"""Options of the preset benchmark; imports no models."""

from __future__ import annotations

from dataclasses import dataclass

from search.errors import UsageError
from workers.photographers.benchmark.intervals import SET
from workers.photographers.benchmark.presets import JITTER

QUESTION_SHARE = 0.3
"""Of the base photos, those asked about."""

LEAST_PRESETS = 6
"""Fewer photographers cannot be parted into known and unknown ones twice."""


@dataclass(frozen=True, slots=True)
class PresetOptions:
    """How much is measured.

    Attributes:
        photos: base photos of a seed, gallery and question together.
        presets: invented photographers.
        seeds: how often everything is drawn anew: photographers, subjects of either side, photos, jitter.
        jitter: names of levels in ``workers.photographers.benchmark.presets.JITTER``.
        practice: photos of the gallery's side that the encoder is learnt from.

    Raises:
        UsageError: too few of anything, or no such level.
    """

    photos: int = 170
    presets: int = 30
    seeds: int = 5
    jitter: tuple[str, ...] = ("medium",)
    practice: int = 600

    def __post_init__(self) -> None:
        if self.presets < LEAST_PRESETS:
            raise UsageError(f"{self.presets} photographers are too few.", f"Take {LEAST_PRESETS} or more.")
        if self.seeds < 1:
            raise UsageError("There is nothing to measure without a seed.", "Take 1 or more, 5 for a figure to quote.")
        if unknown := [name for name in self.jitter if name not in JITTER]:
            raise UsageError(f"There is no jitter '{unknown[0]}'.", f"Take {', '.join(JITTER)}.")

    @property
    def question(self) -> int:
        """Photos asked about: whole sets."""
        return max(SET, round(self.photos * QUESTION_SHARE / SET) * SET)

    @property
    def gallery(self) -> int:
        return max(1, self.photos - self.question)


QUICK = PresetOptions(photos=60, presets=10, seeds=1, practice=60)
"""A look at whether everything runs, not a figure to quote."""
