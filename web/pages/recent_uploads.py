"""Remembers uploaded examples for a while, so that a question about one has an address."""

from __future__ import annotations

import json
import secrets
import threading
from collections import OrderedDict
from typing import Protocol

from flask import current_app, request

from search.errors import NotFoundError, UsageError
from search.similar.questions import Probe
from web.api.operation import current_node
from web.api.ports import BrokerPort
from web.api.uploads import probe_upload
from workers.cluster.serialization import probe_from_json, probe_to_json

PREFIX = "upload-"

MOST_REMEMBERED = 200
"""Uploads that one process remembers: one form may bring 40, and others their own while its answer is read."""


class RecentUploads(Protocol):
    """Where probes are remembered; one is at most a few hundred kilobytes."""

    def put(self, probe: Probe) -> str:
        """Remember a probe; the name to ask for it by, which cannot be guessed."""

    def get(self, name: str) -> Probe:
        """
        Raises:
            NotFoundError: it was never there, or is no longer.
        """


def new_name() -> str:
    return PREFIX + secrets.token_urlsafe(12)


def forgotten() -> NotFoundError:
    return NotFoundError("This upload is no longer remembered.", "Drop the file here again.")


class OwnRecentUploads:
    """The latest ``capacity`` uploads of this process, in its memory."""

    def __init__(self, capacity: int = MOST_REMEMBERED) -> None:
        self._capacity = capacity
        self._probes: OrderedDict[str, Probe] = OrderedDict()
        self._lock = threading.Lock()

    def put(self, probe: Probe) -> str:
        name = new_name()
        with self._lock:
            self._probes[name] = probe
            while len(self._probes) > self._capacity:
                self._probes.popitem(last=False)
        return name

    def get(self, name: str) -> Probe:
        with self._lock:
            probe = self._probes.get(name)
            if probe is None:
                raise forgotten()
            self._probes.move_to_end(name)
            return probe


class SharedRecentUploads:
    """The uploads of the last hour, with the broker: any process of any machine may be asked for the next page."""

    def __init__(self, broker: BrokerPort) -> None:
        self._broker = broker

    def put(self, probe: Probe) -> str:
        name = new_name()
        self._broker.put(name, json.dumps(probe_to_json(probe)))
        return name

    def get(self, name: str) -> Probe:
        kept = self._broker.get(name)
        if kept is None:
            raise forgotten()
        return probe_from_json(json.loads(kept))


def recent_uploads() -> RecentUploads:
    """The uploads this application remembers."""
    found: RecentUploads = current_app.extensions["recent_uploads"]
    return found


def remember_upload(hint: str = "Choose a photo first.") -> str:
    """Embed the file that came with the form; the name that it is remembered by.

    Args:
        hint: what to do where no file came.

    Raises:
        UsageError: no file came, or several.
        MediaError: the file is too large, or cannot be decoded.
    """
    probe = probe_upload(current_node(), request)
    if probe is None:
        raise UsageError("No file came with the form.", hint)
    return recent_uploads().put(probe)
