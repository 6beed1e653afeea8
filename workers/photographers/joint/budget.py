"""Time budget of a training: ends it with what it has, or stops it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from search.photographers.space import PhaseTime


class StoppedError(Exception):
    """A training was stopped; nothing of use is in its folder."""


class TrainingBudget:
    """Remaining time of a training, which asks between steps.

    Args:
        goes_on: asked at every step; False stops the training.
        seconds: time until the budget is spent; None for no limit.

    Attributes:
        cut_short: whether something has been told that the time was up, and ended for it.
    """

    def __init__(self, goes_on: Callable[[], bool] = lambda: True, seconds: float | None = None) -> None:
        self._goes_on = goes_on
        self._end = None if seconds is None else time.monotonic() + seconds
        self.cut_short = False

    def is_spent(self) -> bool:
        """Whether the time is up.

        Raises:
            StoppedError: ``goes_on`` returned False.
        """
        self.check()
        spent = self._end is not None and time.monotonic() >= self._end
        self.cut_short |= spent
        return spent

    def check(self) -> None:
        """For what is not cut short by time.

        Raises:
            StoppedError: ``goes_on`` returned False.
        """
        if not self._goes_on():
            raise StoppedError

    @property
    def left(self) -> float | None:
        """Seconds until it is spent; None for no limit."""
        return None if self._end is None else max(0.0, self._end - time.monotonic())

    def share(self, share: float) -> TrainingBudget:
        """Budget of a share, 0 to 1, of the remaining time."""
        left = self.left
        return TrainingBudget(self._goes_on, None if left is None else left * share)


class PhaseClock:
    """Times the phases of a training, each with a share of what is left of the budget.

    Attributes:
        phases: those that have ended, in their order.
    """

    def __init__(self, budget: TrainingBudget) -> None:
        self._budget = budget
        self.phases: list[PhaseTime] = []

    @contextmanager
    def phase(self, name: str, share: float) -> Iterator[TrainingBudget]:
        """Budget of a phase: a ``share``, 0 to 1, of the remaining time."""
        budget, began = self._budget.share(share), time.monotonic()
        given = budget.left
        yield budget
        self.phases.append(PhaseTime(name, time.monotonic() - began, given, budget.cut_short))
