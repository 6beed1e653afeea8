"""Cache of the library's photographers, reloaded when the library has changed."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from search.errors import NotFoundError, UsageError
from search.photographers.photos.dataset import read_photos
from search.photographers.profiles.people import People
from search.store.base import Store

REST_SECONDS, REST_SHARE = 5.0, 20.0
"""While jobs change the library, seconds between reloads, or multiples of a reload's duration, whichever is longer."""


@dataclass(frozen=True, slots=True)
class LibraryState:
    """State by which a change of the library is noticed; both parts need only compare.

    Attributes:
        finished: finished jobs and edits. A change reloads at once.
        running: running jobs, which change something every second. A change reloads now and then.
    """

    finished: object
    running: object


class Library:
    """The photographers of a library, cached. Safe to use from several threads.

    Args:
        state: called for every query.
    """

    def __init__(self, store: Store, state: Callable[[], LibraryState]) -> None:
        self._store, self._current_state = store, state
        self._reading = threading.Lock()
        self._state: LibraryState | None = None
        self._again = 0.0
        self._people: People | None = None

    def people(self) -> People | None:
        """The photographers; None while there are no pictures."""
        with self._reading:
            now = self._current_state()
            if self._is_old(now):
                began = time.monotonic()
                self._people = self._read()
                ended = time.monotonic()
                self._state, self._again = now, ended + max(REST_SECONDS, REST_SHARE * (ended - began))
            return self._people

    def _is_old(self, now: LibraryState) -> bool:
        if self._state is None or now.finished != self._state.finished:
            return True
        return now.running != self._state.running and time.monotonic() > self._again

    def _read(self) -> People | None:
        try:
            return People(read_photos(self._store))
        except (NotFoundError, UsageError):  # no collection, or nothing in it that is a picture
            return None
