"""Something that fails for now, watched by a coordinator that has other things to do meanwhile."""

from __future__ import annotations

import random
import time

from search.errors import LikewiseError

FIRST_WAIT, LONGEST_WAIT = 0.5, 30.0
"""Seconds until the next try: twice as long each time, up to a limit, and at random in the latter half of that, lest
all who lost the same server come back to it at the same moment."""


class Outage:
    """A store or a broker that is away, or not.

    Args:
        patience: seconds for which it may go on failing.
    """

    def __init__(self, patience: float) -> None:
        self._patience = patience
        self.over()

    @property
    def lasts(self) -> bool:
        """Whether it failed when it was tried last."""
        return self._began is not None

    @property
    def waiting(self) -> bool:
        """Whether it is not yet time to try again."""
        return time.monotonic() < self._until

    def over(self) -> None:
        """It works (again)."""
        self._began: float | None = None
        self._tries = 0
        self._until = 0.0

    def again(self, error: LikewiseError) -> float:
        """It has failed; when to try again, on the monotonic clock.

        Raises:
            LikewiseError: ``error`` itself, when it has failed for too long.
        """
        now = time.monotonic()
        if self._began is None:
            self._began = now
        if now - self._began > self._patience:
            raise error
        # The exponent is bounded, or waiting for a week would overflow.
        wait = min(FIRST_WAIT * 2 ** min(self._tries, 16), LONGEST_WAIT)
        self._tries += 1
        self._until = now + wait * random.uniform(0.5, 1.0)
        return self._until
