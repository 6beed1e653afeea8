"""Temporary folder for copies of remote files, removed even after the process was killed."""

from __future__ import annotations

import os
import shutil
import tempfile
import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from search.store.temporary_folders import make_locked, remove_locked

PREFIX = "likewise-borrowed-"
LONGEST_NAME = 200
"""Bytes; file systems take 255, keys in buckets may have 1,024."""


class TemporaryCopies:
    """A folder that is made when first needed, and removed when this object or its process ends.

    Where the process was killed, the next that makes such a folder removes it. Thread-safe.
    """

    def __init__(self) -> None:
        self._making = threading.Lock()
        self._folder = ""
        self._pid = 0

    @contextmanager
    def path_for(self, name: str) -> Iterator[str]:
        """A path for a file of this name, in a folder of its own; both are removed after the block."""
        own = tempfile.mkdtemp(dir=self._own_folder())
        try:
            yield str(Path(own, _short(name)))
        finally:
            shutil.rmtree(own, ignore_errors=True)

    def _own_folder(self) -> str:
        with self._making:
            if self._pid != os.getpid():  # a forked child must not lose its folder with its parent
                made, lock = make_locked(PREFIX, Path(tempfile.gettempdir()))
                self._folder, self._pid = str(made), os.getpid()
                weakref.finalize(self, remove_locked, made, lock, self._pid)
            return self._folder


def _short(name: str) -> str:
    """The name, or a short one with its extension, which some decoders need, where it is too long for a file system."""
    if len(os.fsencode(name)) <= LONGEST_NAME:
        return name
    return f"file{Path(name).suffix[:16]}"
