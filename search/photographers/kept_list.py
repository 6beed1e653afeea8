"""List of the photographers of a library, kept in a file until the library changes."""

from __future__ import annotations

import hashlib
import json
import logging
import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from search.media import PAYLOAD_REVISION, Credit
from search.photographers.answers import Photo, PhotographerListed

LAYOUT = 1
"""Version of the file; another one is not read, but written anew."""

log = logging.getLogger(__name__)


class KeptList:
    """The list of one state of the library, in one file. It is a cache: what cannot be read counts as absent, and what
    cannot be written is logged."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self, state: str) -> tuple[PhotographerListed, ...] | None:
        """The list, if it is that of this state."""
        with suppress(OSError, ValueError, KeyError, TypeError, AttributeError):
            kept = json.loads(self._path.read_text("ascii"))
            if kept["layout"] == LAYOUT and kept["state"] == _digest(state):
                return tuple(_listed(one) for one in kept["photographers"])
        return None

    def write(self, state: str, photographers: Sequence[PhotographerListed]) -> None:
        """Keep the list, in the place of the one before."""
        kept = {"layout": LAYOUT, "state": _digest(state), "photographers": [asdict(one) for one in photographers]}
        partial = self._path.with_name(f"{self._path.name}.{os.getpid()}.partial")
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            # In ASCII: a name may hold half a character, which no encoding of files would take.
            partial.write_text(json.dumps(kept), "ascii")
            partial.replace(self._path)
        except OSError as error:
            log.warning("The list of photographers could not be kept in %s: %s", self._path, error)


def _digest(state: str) -> str:
    return hashlib.sha256(f"{PAYLOAD_REVISION} {state}".encode("utf-8", "backslashreplace")).hexdigest()


def _listed(raw: Mapping[str, Any]) -> PhotographerListed:
    return PhotographerListed(
        **{
            **raw,
            "credits": {Credit(name): count for name, count in raw["credits"].items()},
            "samples": tuple(Photo(**photo) for photo in raw["samples"]),
        }
    )
