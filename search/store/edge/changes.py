"""Remembers which points were written lately, so that what was read before can be kept where it still holds."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Collection, Iterable

MOST = 20_000
"""Ids that are remembered, of all writes together."""


class Changes:
    """Of one collection. Thread-safe.

    Attributes:
        edition: what the collection holds, as one object; another after each write.
    """

    def __init__(self) -> None:
        self.edition = object()
        self._lock = threading.Lock()
        self._writes: deque[tuple[object, frozenset[str]]] = deque()  # each with the edition before it
        self._remembered = 0

    def note(self, ids: Iterable[str]) -> None:
        """Begin the next edition; without ids nothing is written, and the edition stays. To be called before the write,
        while nobody can read."""
        if not (written := frozenset(ids)):
            return
        with self._lock:
            self._writes.append((self.edition, written))
            self._remembered += len(written)
            self.edition = object()
            while self._remembered > MOST:
                self._remembered -= len(self._writes.popleft()[1])

    def since(self, edition: object) -> Collection[str] | None:
        """The ids written since an edition; None where that is not known any more."""
        with self._lock:
            if edition is self.edition:
                return ()
            writes = list(self._writes)
        at = next((n for n, (before, _) in enumerate(writes) if before is edition), None)
        return None if at is None else {id_ for _, ids in writes[at:] for id_ in ids}
