"""The library as the photographers' desk sees it, read once and again when something has changed."""

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
"""While jobs change the library all the time it is read anew once in so many seconds, or in so many times what
reading takes, whichever is longer."""


@dataclass(frozen=True, slots=True)
class LibraryState:
    """What tells whether the library may have changed; both parts need only compare.

    Attributes:
        finished: what has been done. It is to be seen at once.
        running: of jobs in work, which change something every second; that is looked at now and then.
    """

    finished: object
    running: object


class Library:
    """Everybody who is credited with a photo. Safe to use from several threads.

    Args:
        as_of: asked for every question.
    """

    def __init__(self, store: Store, as_of: Callable[[], LibraryState]) -> None:
        self._store, self._as_of = store, as_of
        self._reading = threading.Lock()
        self._state: LibraryState | None = None
        self._again = 0.0
        self._people: People | None = None

    def people(self) -> People | None:
        """None while there are no pictures."""
        with self._reading:
            now = self._as_of()
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
