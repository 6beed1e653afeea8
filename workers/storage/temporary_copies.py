"""A temporary folder for copies of files that lie elsewhere, of which nothing stays behind, not even after a kill."""

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


class BorrowedFolder:
    """Made when first needed, removed when this object or its process ends.

    A killed process cannot remove its folder, but lets go of the lock in it; whoever needs such a folder next removes
    those that nobody holds. Thread-safe.
    """

    def __init__(self) -> None:
        self._making = threading.Lock()
        self._folder = ""
        self._pid = 0

    @contextmanager
    def place(self, name: str) -> Iterator[str]:
        """A path for a file of this name, in a folder of its own; both are gone afterwards."""
        own = tempfile.mkdtemp(dir=self._made())
        try:
            yield str(Path(own, _short(name)))
        finally:
            shutil.rmtree(own, ignore_errors=True)

    def _made(self) -> str:
        with self._making:
            if self._pid != os.getpid():  # a forked child shall not lose its folder with its parent
                above = Path(tempfile.gettempdir())
                _sweep(above)
                self._folder, self._pid = tempfile.mkdtemp(prefix=PREFIX, dir=above), os.getpid()
                weakref.finalize(self, _remove, self._folder, _hold(Path(self._folder)), self._pid)
            return self._folder


def _hold(folder: Path) -> int:
    """Lock the folder; the descriptor that holds it."""
    unlocked = folder / "unlocked"
    descriptor = os.open(unlocked, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    unlocked.rename(folder / LOCK)  # only now can somebody find it, and it is held already
    return descriptor


def _remove(folder: str, descriptor: int, owner: int) -> None:
    if os.getpid() == owner:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(descriptor)


def _sweep(above: Path) -> None:
    """Remove folders whose processes have gone."""
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
    """The name as a file system takes it: its extension counts, which decoders may go by."""
    if len(os.fsencode(name)) <= LONGEST_NAME:
        return name
    return f"file{Path(name).suffix[:16]}"
