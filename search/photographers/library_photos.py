"""Cache of the library's photographers, reloaded when the library has changed."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from search.errors import NotFoundError, UsageError
from search.media import Kind
from search.photographers.answers import PhotographerListed
from search.photographers.kept_list import KeptList
from search.photographers.photos.dataset import read_photos
from search.photographers.photos.sample import STRATUM, census, read_sample
from search.photographers.profiles.people import People
from search.store.base import Store

REST_SECONDS, REST_SHARE = 5.0, 20.0
"""While jobs change the library, seconds between reloads, or multiples of a reload's duration, whichever is longer."""

MOST_SHOWN = 50_000
"""Photos in memory, at most but for a few of every photographer: about 0.5 GB. Of a larger library a stratified sample
is read, beside exact counts."""


@dataclass(frozen=True, slots=True)
class LibraryState:
    """State by which a change of the library is noticed; both parts need only compare, and have the same ``repr`` in
    another process.

    Attributes:
        finished: finished jobs and edits. A change reloads at once.
        running: running jobs, which change something every second. A change reloads now and then.
        at_rest: no job is running, so that what is computed holds until the next change.
    """

    finished: object
    running: object
    at_rest: bool = False


class Library:
    """The photographers of a library, cached. Safe to use from several threads.

    Args:
        state: called for every query.
        kept: file for the list of photographers, by which the first query after a start is answered; the styles of all
            are kept beside it. None keeps none.
    """

    def __init__(self, store: Store, state: Callable[[], LibraryState], kept: Path | None = None) -> None:
        self._store, self._current_state = store, state
        self._kept = None if kept is None else KeptList(kept)
        self._cache = None if kept is None else kept.parent
        self._reading = threading.Lock()
        self._state: LibraryState | None = None
        self._again = 0.0
        self._people: People | None = None
        self._listed: tuple[LibraryState, tuple[PhotographerListed, ...]] | None = None

    def people(self) -> People | None:
        """The photographers; None while there are no pictures."""
        with self._reading:
            return self._current(self._current_state())

    def listed(self) -> tuple[PhotographerListed, ...]:
        """All photographers, those with most photos first; empty while no photo is credited. No photos are read where
        the list of this state of the library has been kept. While another thread reads them after a change, the list of
        before is answered, so that no page waits."""
        before = self._listed
        if not self._reading.acquire(blocking=before is None):
            assert before is not None
            return before[1]
        try:
            now = self._current_state()
            if self._listed is not None and self._listed[0] == now:
                return self._listed[1]
            listed = self._kept.read(repr(now)) if self._kept and now.at_rest and self._is_old(now) else None
            if listed is None:
                people = self._current(now)
                listed = people.listed() if people else ()
                if self._kept and now.at_rest:
                    self._kept.write(repr(now), listed)
            self._listed = now, listed
            return listed
        finally:
            self._reading.release()

    def _current(self, now: LibraryState) -> People | None:
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
            info = self._store.collections().get(Kind.IMAGE.collection)
            if info is None or info.points <= MOST_SHOWN:
                return People(read_photos(self._store), cache=self._cache)
            known = census(self._store)
            most = max(MOST_SHOWN, STRATUM * (len(known.counted) + 1))
            return People(read_sample(self._store, known, most, credited=False), known.counted, self._cache)
        except (NotFoundError, UsageError):  # no collection, or nothing in it that is a picture
            return None
