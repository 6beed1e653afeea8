"""Locks a data directory, so that one process at a time has it open."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from search.errors import StoreLockedError


class DirectoryLock:
    """Holds ``folder/store.lock`` until :meth:`release`; the kernel lets go of it when the process dies.

    Raises:
        StoreLockedError: another process (or another store in this one) holds it.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._file = os.open(folder / "store.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(self._file, 32, 0).decode("ascii", "replace").strip() or "unknown"
            os.close(self._file)
            raise StoreLockedError(
                f"The data directory '{folder}' is in use by process {holder}.",
                "Stop that process, or choose another directory with --home or LIKEWISE_HOME.",
            ) from None
        os.ftruncate(self._file, 0)
        os.pwrite(self._file, f"{os.getpid()}\n".encode(), 0)

    def release(self) -> None:
        """Let others in. May be called again."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1
