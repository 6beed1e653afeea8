"""A series of unknown length in bounded memory: neighbouring rows are joined, ever more of them as it grows."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Rows: TypeAlias = npt.NDArray[np.float32]
"""float32 ``(n, d)``."""

MOST_ROWS = 32_768
_TOGETHER = 8192
"""Rows that are taken at a time, and the most that are joined to one."""


class Thinned:
    """At most :data:`MOST_ROWS` rows of a series, each of as many neighbours as all others but the last.

    A series of fewer rows is kept as it is. One of more than ``MOST_ROWS * 8192`` takes more memory again.

    Args:
        join: turns float32 ``(groups, k, d)`` into ``(groups, d)``: a mean, or a maximum.
    """

    def __init__(self, join: Callable[[npt.NDArray[np.float32]], Rows]) -> None:
        self._join = join
        self._joined: list[Rows] = []
        self._count = 0
        self._group = 1
        self._waiting: list[Rows] = []
        self._held = 0

    def add(self, rows: Rows) -> None:
        """Append rows, float32 ``(n, d)``."""
        self._waiting.append(rows)
        self._held += len(rows)
        if self._held >= _TOGETHER:
            waiting = np.concatenate(self._waiting)
            whole = self._held // _TOGETHER * _TOGETHER
            self._append(self._grouped(waiting[:whole], self._group))
            self._waiting, self._held = [waiting[whole:].copy()], self._held - whole

    def rows(self) -> Rows:
        """All rows so far, float32 ``(m, d)``.

        Raises:
            ValueError: there are none.
        """
        waiting = np.concatenate(self._waiting)
        whole = len(waiting) // self._group * self._group
        rest = waiting[whole:]
        last = [self._grouped(rest, len(rest))] if len(rest) else []
        return np.concatenate([*self._joined, self._grouped(waiting[:whole], self._group), *last])

    def _append(self, rows: Rows) -> None:
        self._joined.append(rows)
        self._count += len(rows)
        if self._count > MOST_ROWS and self._group < _TOGETHER:
            self._joined = [self._grouped(np.concatenate(self._joined), 2)]
            self._count, self._group = len(self._joined[0]), 2 * self._group

    def _grouped(self, rows: Rows, size: int) -> Rows:
        return rows if size == 1 else self._join(rows.reshape(-1, size, rows.shape[1]))
