"""Limits answers that keep a thread until their readers have taken all of them."""

from __future__ import annotations

import threading
from collections.abc import Callable

HELD_OF_THREADS = 2
"""One in so many threads may be kept by an answer that is made bit by bit."""
WATCHED_OF_THREADS = 4
"""One in so many may be kept by an event stream, which lasts a minute."""


class HeldThreads:
    """Counts the threads of a process that are kept by answers which are made while they are sent. Thread-safe."""

    def __init__(self, threads: int) -> None:
        self._all = threading.BoundedSemaphore(max(1, threads // HELD_OF_THREADS))
        self._events = threading.BoundedSemaphore(max(1, threads // WATCHED_OF_THREADS))

    def hold(self, *, for_events: bool = False) -> Callable[[], None] | None:
        """Take one of the threads for an answer; what lets it go, which may be called more than once.

        Returns:
            None where no more of them may be taken.
        """
        wanted = (self._all, self._events) if for_events else (self._all,)
        taken = [semaphore for semaphore in wanted if semaphore.acquire(blocking=False)]
        lock = threading.Lock()

        def release() -> None:
            with lock:
                while taken:
                    taken.pop().release()

        if len(taken) == len(wanted):
            return release
        release()
        return None
