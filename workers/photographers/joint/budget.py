"""When a training goes on, when it ends with what it has, and when it stops."""

from __future__ import annotations

import time
from collections.abc import Callable


class StoppedError(Exception):
    """``goes_on`` said no; nothing of use is in the folder."""


class TrainingBudget:
    """Asked between steps.

    Args:
        goes_on: False stops everything.
        seconds: time until ``over``; None for never.
    """

    def __init__(self, goes_on: Callable[[], bool] = lambda: True, seconds: float | None = None) -> None:
        self._goes_on = goes_on
        self._end = None if seconds is None else time.monotonic() + seconds

    def is_spent(self) -> bool:
        """Whether the time is up.

        Raises:
            StoppedError: it must not go on at all.
        """
        if not self._goes_on():
            raise StoppedError
        return self._end is not None and time.monotonic() >= self._end

    def share(self, share: float) -> TrainingBudget:
        """A share, 0 to 1, of the time that is left."""
        left = None if self._end is None else max(0.0, self._end - time.monotonic()) * share
        return TrainingBudget(self._goes_on, left)
