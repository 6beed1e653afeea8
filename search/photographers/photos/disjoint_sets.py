"""Disjoint sets of photos (union-find with path halving), and groups as arrays."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Groups: TypeAlias = NDArray[np.int64]
"""Group of each photo, int64 ``(n,)``, numbered from 0 in order of first photo."""


class DisjointSets:
    """``n`` photos, each in a set of its own at first."""

    def __init__(self, n: int) -> None:
        self._parent = list(range(n))

    def join(self, pairs: Iterable[tuple[int, int]]) -> None:
        """Make one of the sets of both photos of each pair."""
        for a, b in pairs:
            first, second = self.root(a), self.root(b)
            self._parent[max(first, second)] = min(first, second)

    def root(self, at: int) -> int:
        """The photo that stands for the set of this one."""
        while self._parent[at] != at:
            self._parent[at] = self._parent[self._parent[at]]
            at = self._parent[at]
        return at

    def numbers(self) -> Groups:
        """The sets as groups, int64 ``(n,)``."""
        return renumbered(np.array([self.root(at) for at in range(len(self._parent))], np.int64))


def renumbered(grouped: Groups) -> Groups:
    """The same groups, numbered from 0 in order of their first photo."""
    _, first, inverse = np.unique(grouped, return_index=True, return_inverse=True)
    rank = np.empty(len(first), np.int64)
    rank[np.argsort(first, kind="stable")] = np.arange(len(first))
    numbers: Groups = rank[inverse]
    return numbers
