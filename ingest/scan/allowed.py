"""Where media may lie: the folders that an administrator lists, or those that people of this machine have named.

``LIKEWISE_ALLOWED_FOLDERS`` is the whole list where it is set. Otherwise these are allowed: whatever the command line
of this machine names; what was named before; and, where only programs of this machine can connect, the home folder of
its user, mounted media and buckets.
"""

# Paths stay text from the walk to the ledger: a Path object for every file would double the cost of a rescan.

from __future__ import annotations

import os
from collections.abc import Collection
from pathlib import Path

from ingest.ledger.database import Ledger
from ingest.ledger.libraries import roots_above
from search import addresses
from search.errors import NotAllowedError
from search.settings import Settings

NEVER = ("/proc", "/sys", "/dev")
"""No file below these is media: they are the kernel's view of itself and of devices."""

EVEN_SO = "/dev/shm"  # noqa: S108
"""Files in memory lie here, like those of any other folder."""

MOUNTED = ("/media", "/mnt", "/run/media", "/Volumes")
"""Where systems mount drives."""


class AllowedFolders:
    """Tells which places are allowed. All paths given are real ones: without symbolic links.

    Raises:
        LedgerError: the ledger does not answer (any method).
    """

    def __init__(self, settings: Settings, ledger: Ledger) -> None:
        self._ledger = ledger
        self._listed = tuple(_real(folder) for folder in settings.allowed_folders)
        self._on_loopback = settings.on_loopback

    def check(self, path: str, *, anywhere: bool) -> None:
        """Check a path or address that somebody names, before anything of it is looked at.

        Args:
            anywhere: the command line of this machine names it.

        Raises:
            NotAllowedError: it is not allowed.
        """
        if is_never(path):
            raise NotAllowedError(f"Nothing is imported from '{path}'.", "Name the folder with your media.")
        if (not anywhere and self.folder_of(path) is None) or not self.is_listed(path):
            hint = (
                f"LIKEWISE_ALLOWED_FOLDERS names {', '.join(self._listed)}."
                if self._listed
                else "Import it once from the command line of its machine, or name it in LIKEWISE_ALLOWED_FOLDERS."
            )
            raise NotAllowedError(f"'{path}' is not in a folder that may be imported.", hint)

    def is_listed(self, path: str) -> bool:
        """Whether an administrator's list, where there is one, names a folder above a path or address."""
        return not is_never(path) and (not self._listed or _above(path, self._listed) is not None)

    def folder_of(self, path: str) -> str | None:
        """The allowed folder, or single file, that a path or address lies at or below; None where it is not allowed."""
        if is_never(path):
            return None
        if self._listed:
            return _above(path, self._listed)
        with self._ledger.read() as connection:
            if roots := roots_above(connection, path):
                return roots[0]
        if not self._on_loopback:
            return None
        return path if addresses.is_remote(path) else _above(path, (_home(), *MOUNTED))


def is_never(path: str) -> bool:
    """Whether a real path is of the kernel or a device."""
    return any(addresses.is_at_or_below(path, folder) for folder in NEVER) and not addresses.is_at_or_below(
        path, EVEN_SO
    )


def _above(path: str, folders: Collection[str]) -> str | None:
    return next((folder for folder in folders if folder and addresses.is_at_or_below(path, folder)), None)


def _home() -> str:
    """The user's home folder; empty where there is none, or where that is the whole file system."""
    try:
        home = os.path.realpath(Path.home())
    except RuntimeError:
        return ""
    return "" if home == "/" else home


def _real(folder: str) -> str:
    return folder if addresses.is_remote(folder) else os.path.realpath(folder)
