"""Threads for work that a serving process does in the background."""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable

from search.errors import LikewiseError

log = logging.getLogger(__name__)

Work = Callable[[], object]


class BackgroundThread:
    """One thread that runs submitted work in order.

    Work that raises a ``LikewiseError`` is logged, and one that raises anything else is logged with its traceback; the
    next work runs in either case.
    """

    def __init__(self, name: str) -> None:
        self._queue: queue.SimpleQueue[Work | None] = queue.SimpleQueue()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def submit(self, work: Work) -> None:
        """Run ``work`` after everything submitted before."""
        self._queue.put(work)

    def drain(self) -> None:
        """Wait until everything submitted so far is done."""
        done = threading.Event()
        self.submit(done.set)
        done.wait()

    def close(self, timeout: float) -> bool:
        """Drop work that has not started and wait for the running one; False when it still runs after ``timeout`` s."""
        self._closing.set()
        self._queue.put(None)
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def _run(self) -> None:
        while (work := self._queue.get()) is not None:
            if self._closing.is_set():
                return
            _do(work)


class KeyedThreads:
    """One thread for each piece of work, which is named by a key.

    Errors are logged as by :class:`BackgroundThread`.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._lock = threading.Lock()
        self._threads: dict[str, threading.Thread] = {}

    def __contains__(self, key: str) -> bool:
        return key in self._threads

    def submit(self, key: str, work: Work) -> None:
        """Start ``work``, unless work of the same key is running."""

        def run() -> None:
            try:
                _do(work)
            finally:
                del self._threads[key]

        with self._lock:
            if key not in self._threads:
                self._threads[key] = threading.Thread(target=run, name=f"{self._name} {key}", daemon=True)
                self._threads[key].start()

    def drain(self) -> None:
        """Wait until everything submitted so far is done."""
        for thread in list(self._threads.values()):
            thread.join()

    def close(self, timeout: float) -> bool:
        """Wait for the running work; False when some still runs after ``timeout`` seconds."""
        ends = time.monotonic() + timeout
        threads = list(self._threads.values())
        for thread in threads:
            thread.join(max(0.0, ends - time.monotonic()))
        return not any(thread.is_alive() for thread in threads)


def _do(work: Work) -> None:
    try:
        work()
    except LikewiseError as error:
        log.error("%s: %s", threading.current_thread().name, error)
    except Exception:  # the boundary of one piece of work: the thread has to go on with the next
        log.exception("%s failed", threading.current_thread().name)
