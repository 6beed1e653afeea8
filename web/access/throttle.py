"""Slows down those who guess tokens."""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable

from web.errors import Refusal


class Throttle:
    """At most ``limit`` wrong tokens per address in any ``window`` seconds are answered as wrong; more are refused.

    A right token is never refused: it is compared first.
    """

    def __init__(self, limit: int = 10, window: float = 60.0, clock: Callable[[], float] = time.monotonic) -> None:
        self._limit, self._window, self._clock = limit, window, clock
        self._failures: dict[str, deque[float]] = {}

    def fail(self, address: str) -> None:
        """Count a wrong token.

        Raises:
            Refusal: 429, this address has sent too many.
        """
        if len(self._failures) > 10_000:  # a flood from many addresses must not fill the memory
            self._failures.clear()
        recent = self._failures.setdefault(address, deque())
        now = self._clock()
        while recent and recent[0] <= now - self._window:
            recent.popleft()
        if len(recent) >= self._limit:
            seconds = max(1, math.ceil(recent[0] + self._window - now))
            raise Refusal(
                429, "Too many wrong tokens from this address.", f"Wait {seconds} seconds.", retry_after=seconds
            )
        recent.append(now)
