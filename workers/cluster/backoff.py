"""When to retry a service that is unavailable, without blocking the coordinator meanwhile."""

from __future__ import annotations

import random
import time

from search.errors import LikewiseError

FIRST_WAIT, LONGEST_WAIT = 0.5, 30.0
"""Seconds until the next attempt: doubled each time up to a limit, at random in the latter half of that, so that the
clients of one server do not all return at the same moment."""


class Backoff:
    """Failures of a store or a broker.

    Args:
        retry_seconds: for how long it may fail.
    """

    def __init__(self, retry_seconds: float) -> None:
        self._retry_seconds = retry_seconds
        self.reset()

    @property
    def failing(self) -> bool:
        """Whether the latest attempt failed."""
        return self._began is not None

    @property
    def waiting(self) -> bool:
        """Whether it is too early for the next attempt."""
        return time.monotonic() < self._until

    def reset(self) -> None:
        """Record a success."""
        self._began: float | None = None
        self._tries = 0
        self._until = 0.0

    def record_failure(self, error: LikewiseError) -> float:
        """Record a failure; the time of the next attempt, on the monotonic clock.

        Raises:
            LikewiseError: ``error`` itself, when it has failed for longer than ``retry_seconds``.
        """
        now = time.monotonic()
        if self._began is None:
            self._began = now
        if now - self._began > self._retry_seconds:
            raise error
        # The exponent is bounded, or waiting for a week would overflow.
        wait = min(FIRST_WAIT * 2 ** min(self._tries, 16), LONGEST_WAIT)
        self._tries += 1
        self._until = now + wait * random.uniform(0.5, 1.0)
        return self._until
