"""Temporary folder for copies of remote files, removed even after the process was killed."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

PREFIX = "likewise-borrowed-"
LOCK = "lock"
LONGEST_NAME = 200
"""Bytes; file systems take 255, keys in buckets may have 1,024."""


class TemporaryCopies:
    """A folder that is made when first needed, and removed when this object or its process ends.

    A killed process cannot remove its folder, but releases the lock in it; the next process that makes such a folder
    removes those without a lock. Thread-safe.
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
                above = Path(tempfile.gettempdir())
                _remove_abandoned(above)
                self._folder, self._pid = tempfile.mkdtemp(prefix=PREFIX, dir=above), os.getpid()
                weakref.finalize(self, _remove, self._folder, _lock(Path(self._folder)), self._pid)
            return self._folder


def _lock(folder: Path) -> int:
    """Lock the folder; the descriptor that holds it."""
    unlocked = folder / "unlocked"
    descriptor = os.open(unlocked, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    unlocked.rename(folder / LOCK)  # other processes can find it only now, when it is locked
    return descriptor


def _remove(folder: str, descriptor: int, owner: int) -> None:
    if os.getpid() == owner:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(descriptor)


def _remove_abandoned(above: Path) -> None:
    """Remove folders whose processes have ended."""
    for folder in above.glob(f"{PREFIX}*"):
        with suppress(OSError):
            if folder.is_symlink() or folder.stat().st_uid != os.geteuid():
                continue
            descriptor = os.open(folder / LOCK, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder, ignore_errors=True)
            finally:
                os.close(descriptor)


def _short(name: str) -> str:
    """The name, or a short one with its extension, which some decoders need, where it is too long for a file system."""
    if len(os.fsencode(name)) <= LONGEST_NAME:
        return name
    return f"file{Path(name).suffix[:16]}"
