"""Retry an action while its error is retryable."""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable
from typing import TypeVar

from search.errors import LikewiseError

log = logging.getLogger(__name__)

RETRY_SECONDS = 60.0
"""Long enough for a server to restart; longer outages are left to the coordinator."""

FIRST_DELAY, LONGEST_DELAY = 0.2, 8.0

T = TypeVar("T")


def with_retries(action: Callable[[], T], seconds: float = RETRY_SECONDS) -> T:
    """The result of ``action``, which is repeated in growing, randomised pauses while its error is retryable.

    Args:
        action: must be idempotent.
        seconds: after which the last error is raised.

    Raises:
        LikewiseError: one that is not retryable, or the last one.
    """
    ends = time.monotonic() + seconds
    delay = FIRST_DELAY
    while True:
        try:
            return action()
        except LikewiseError as error:
            if not error.retryable or time.monotonic() + delay > ends:
                raise
            log.warning("%s Trying again.", error)
        time.sleep(delay * random.uniform(0.5, 1.0))
        delay = min(2 * delay, LONGEST_DELAY)
