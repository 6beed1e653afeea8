"""Keeps what recent questions found until something changes, for the next page of an answer."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from typing import Generic, TypeVar

T = TypeVar("T")

MOST = 16
"""Answers that are kept, each of some thousand records."""


class RecentAnswers(Generic[T]):
    """The last :data:`MOST` answers of one store. Thread-safe."""

    def __init__(self) -> None:
        self._kept: OrderedDict[Hashable, tuple[list[object], T]] = OrderedDict()
        self._lock = threading.Lock()

    def answer(self, asked: Hashable, editions: Callable[[], Sequence[object | None]], find: Callable[[], T]) -> T:
        """The kept answer, where the collections are in the editions that it was found in; else what ``find`` finds.

        Args:
            asked: everything that the answer depends on besides the collections.
            editions: of the collections (``Store.edition``); with a None among them nothing is kept.
        """
        before = list(editions())
        if any(one is None for one in before):
            return find()
        with self._lock:
            kept = self._kept.get(asked)
            if kept is not None and kept[0] == before:
                self._kept.move_to_end(asked)
                return kept[1]
        found = find()
        if list(editions()) == before:
            with self._lock:
                self._kept[asked] = (before, found)
                self._kept.move_to_end(asked)
                while len(self._kept) > MOST:
                    self._kept.popitem(last=False)
        return found
