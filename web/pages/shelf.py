"""Uploaded examples, remembered for a while, so that a question about one has an address, filters and a second page."""

from __future__ import annotations

import secrets
import threading
from collections import OrderedDict

from search.errors import NotFoundError
from search.questions import Probe

PREFIX = "upload-"


class Shelf:
    """The latest ``capacity`` uploads' probes, in memory; a probe is at most a few hundred kilobytes."""

    def __init__(self, capacity: int = 64) -> None:
        self._capacity = capacity
        self._probes: OrderedDict[str, Probe] = OrderedDict()
        self._lock = threading.Lock()

    def put(self, probe: Probe) -> str:
        """Remember a probe; the name to ask for it by, which cannot be guessed."""
        name = PREFIX + secrets.token_urlsafe(12)
        with self._lock:
            self._probes[name] = probe
            while len(self._probes) > self._capacity:
                self._probes.popitem(last=False)
        return name

    def get(self, name: str) -> Probe:
        """
        Raises:
            NotFoundError: it was never there, or later uploads have taken its place.
        """
        with self._lock:
            probe = self._probes.get(name)
            if probe is None:
                raise NotFoundError("This upload is no longer remembered.", "Drop the file here again.")
            self._probes.move_to_end(name)
            return probe
