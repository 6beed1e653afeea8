"""How much work a job has, and how fast it goes: by the kind and bytes of files, over the last while."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Iterable, Mapping

from search.media import Kind

WINDOW = 60.0
"""Seconds over which speed is averaged: longer than a batch of films takes, short enough to follow a change."""

FILE_COST: Mapping[Kind, float] = {Kind.IMAGE: 1.0, Kind.VIDEO: 6.0, Kind.AUDIO: 0.5}
MIB_COST: Mapping[Kind, float] = {Kind.IMAGE: 2.0, Kind.VIDEO: 1.0, Kind.AUDIO: 0.5}
"""Work of a file and of each MiB in it, where a small picture is 1. Only ratios count: how long a picture takes here is
measured. Source: ``likewise ingest`` of 48 pictures of 16 kB, 6 of 1.4 MB, 12 films of 120 kB and 60 sounds of 130 kB,
on two busy cores, less the start: 0.6, 3, 3.3 and 0.3 seconds each."""


def cost(kind: Kind, files: int, size: int) -> float:
    """Work of so many files of one kind with ``size`` bytes together."""
    return files * FILE_COST[kind] + max(0, size) / 2**20 * MIB_COST[kind]


class Workload:
    """Work that is planned and done, and the speed. Thread-safe.

    Files that need no work, because they are no media or have not changed, count for nothing here: a few of them at
    the start would tell a speed that has nothing to do with that of the rest.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._of_files = False
        self._planned = 0.0
        self._done = 0.0
        self._files = 0
        self._marks: deque[tuple[float, float, int]] = deque(maxlen=400)

    def plan(self, kinds: Iterable[tuple[Kind, int, int]]) -> None:
        """Begin with so much to do: kind, number of files, and bytes of all these together."""
        with self._lock:
            self._of_files = True
            self._planned = sum(cost(*one) for one in kinds)
            self._done, self._files = 0.0, 0
            self._marks.clear()

    def settle(self, files: Iterable[tuple[Kind, int]]) -> None:
        """Note files that were worked on, with their kind and bytes."""
        with self._lock:
            for kind, size in files:
                self._done += cost(kind, 1, size)
                self._files += 1
            self._mark(time.monotonic())

    def drop(self, files: Iterable[tuple[Kind, int]]) -> None:
        """Take files out of the plan that turned out to need no work, with their kind and bytes."""
        with self._lock:
            self._planned -= sum(cost(kind, 1, size) for kind, size in files)

    def speed(self, done: int, total: int) -> tuple[float, float | None]:
        """Units a second lately, and seconds until the end; None while that is unknown.

        A job without a plan of files counts in units of its own: ``done`` of ``total``. With one, the first batch tells
        no speed, for it also waited for the models.
        """
        with self._lock:
            now = time.monotonic()
            if not self._of_files:
                self._done, self._files = float(done), done
                self._mark(now)
            if not self._marks or now <= self._marks[0][0]:
                return 0.0, None
            since, cost_before, files_before = self._marks[0]
            rate = (self._files - files_before) / (now - since)
            pace = (self._done - cost_before) / (now - since)
            left = (self._planned if self._of_files else total) - self._done
            return rate, max(0.0, left) / pace if pace > 0 else None

    def _mark(self, now: float) -> None:
        self._marks.append((now, self._done, self._files))
        while len(self._marks) > 2 and now - self._marks[0][0] > WINDOW:
            self._marks.popleft()
