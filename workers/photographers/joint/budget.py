"""Time budget of a training: ends it with what it has, or stops it."""

from __future__ import annotations

import time
from collections.abc import Callable


class StoppedError(Exception):
    """A training was stopped; nothing of use is in its folder."""


class TrainingBudget:
    """Remaining time of a training, which asks between steps.

    Args:
        goes_on: asked at every step; False stops the training.
        seconds: time until the budget is spent; None for no limit.
    """

    def __init__(self, goes_on: Callable[[], bool] = lambda: True, seconds: float | None = None) -> None:
        self._goes_on = goes_on
        self._end = None if seconds is None else time.monotonic() + seconds

    def is_spent(self) -> bool:
        """Whether the time is up.

        Raises:
            StoppedError: ``goes_on`` returned False.
        """
        if not self._goes_on():
            raise StoppedError
        return self._end is not None and time.monotonic() >= self._end

    def share(self, share: float) -> TrainingBudget:
        """Budget of a share, 0 to 1, of the remaining time."""
        left = None if self._end is None else max(0.0, self._end - time.monotonic()) * share
        return TrainingBudget(self._goes_on, left)
