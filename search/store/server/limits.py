"""What a Qdrant server takes in one request: what it usually does, and what its refusals have taught.

Limits are the server's, and those of what stands before it: a proxy answers 413, a server in strict mode (usual where
it is hosted) 400. What they refuse is sent again in smaller pieces, and later requests are no larger.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from search.store.server.errors import TooLargeError

_T = TypeVar("_T")
_Answer = TypeVar("_Answer")

_UNLIMITED = sys.maxsize

_POINTS = 500
_FLOATS = 500_000
"""Vector components in one request: about 11 MB as JSON, where a server takes 32 MB by default
(``service.max_request_size_mb``)."""

_IDS = 10_000
"""Ids in one request: about 0.4 MB."""

USUAL_ROWS = 128
"""Vectors of a point in a space of several: of a video of twenty minutes. Those of longer ones make answers larger."""

_ANSWER_FLOATS = 2_000_000
"""Vector components asked for in one request, as far as can be told beforehand: about 40 MB as JSON."""


class BatchLimit:
    """How much of one sort is sent in one request.

    Attributes:
        count: items.
        floats: vector components of all of them.
    """

    def __init__(self, count: int, floats: int = _UNLIMITED) -> None:
        self.count = count
        self.floats = floats

    def each(
        self, items: Sequence[_T], send: Callable[[list[_T]], _Answer], floats: Callable[[_T], int] = lambda item: 0
    ) -> Iterator[_Answer]:
        """What ``send`` answers to the items, some at a time; fewer once the server has refused as many.

        Args:
            floats: vector components of an item.

        Raises:
            TooLargeError: one item alone is too large, or what is refused is no matter of how many are sent.
        """
        at = 0
        while at < len(items):
            some, size = self._first(items, at, floats)
            try:
                answer = send(some)
            except TooLargeError as error:
                if len(some) == 1 or error.of_page:
                    raise
                self.count = min(self.count, error.most or _UNLIMITED, len(some) - 1)
                if error.most is None:
                    self.count, self.floats = -(-len(some) // 2), size // 2 or self.floats
            else:
                at += len(some)
                yield answer

    def _first(self, items: Sequence[_T], at: int, floats: Callable[[_T], int]) -> tuple[list[_T], int]:
        """The items from ``at`` on that go into one request, one at least, and their vector components."""
        some, size = [items[at]], floats(items[at])
        for item in items[at + 1 : at + self.count]:
            more = floats(item)
            if size + more > self.floats:
                break
            some.append(item)
            size += more
        return some, size


def exhaust(answers: Iterator[object]) -> None:
    """Send all that :meth:`BatchLimit.each` has to send."""
    for _ in answers:
        pass


class Limits:
    """Of one server.

    Attributes:
        points: points with their vectors, or new vectors of points.
        edits: edits of payloads in one request.
        questions: questions in one request.
        ids: points that are named, to be fetched, edited or deleted.
        page: hits, records or values that may be asked for at once.
        answer_floats: vector components that may be asked for at once.
    """

    def __init__(self) -> None:
        self.points = BatchLimit(_POINTS, _FLOATS)
        self.edits = BatchLimit(_POINTS)
        self.questions = BatchLimit(_POINTS, _FLOATS)
        self.ids = BatchLimit(_IDS)
        self.page = _UNLIMITED
        self.answer_floats = _ANSWER_FLOATS

    def in_pages(self, ask: Callable[[int], _Answer]) -> _Answer:
        """What ``ask`` gives, which is told how long a page may be, and tried again once that was learnt."""
        while True:
            page = self.page
            try:
                return ask(page)
            except TooLargeError as error:
                if not error.of_page or error.most is None or not 0 < error.most < page:
                    raise
                self.page = min(self.page, error.most)
