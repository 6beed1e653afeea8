"""Work that a serving process does behind its answers, one piece after another."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable

from search.errors import LikewiseError

log = logging.getLogger(__name__)

Work = Callable[[], object]


class Background:
    """A thread that does what it is given, in order.

    Work that fails on purpose (``LikewiseError``) is logged and does not keep the next from being done; anything else
    is logged with its trace.
    """

    def __init__(self, name: str) -> None:
        self._queue: queue.SimpleQueue[Work | None] = queue.SimpleQueue()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def submit(self, work: Work) -> None:
        self._queue.put(work)

    def drain(self) -> None:
        """Wait until everything given so far is done."""
        done = threading.Event()
        self.submit(done.set)
        done.wait()

    def close(self, timeout: float) -> bool:
        """Drop what has not begun and wait for what has; False when it was still at it after ``timeout`` seconds."""
        self._closing.set()
        self._queue.put(None)
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def _run(self) -> None:
        while (work := self._queue.get()) is not None:
            if self._closing.is_set():
                return
            try:
                work()
            except LikewiseError as error:
                log.error("%s: %s", self._thread.name, error)
            except Exception:  # the boundary of one task: the thread must live on for the next
                log.exception("%s failed", self._thread.name)
