"""Temporary folders that are removed even where their process was killed.

A killed process cannot remove its folder, but releases the lock in it; the next process that makes one of the same
prefix at the same place removes those without a lock.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

LOCK = "lock"
_UNLOCKED = "unlocked"


@contextmanager
def temporary_folder(prefix: str, above: Path | None = None) -> Iterator[Path]:
    """An empty folder, removed after the block by the process that made it, and not by those that were forked.

    Args:
        prefix: of its name, ``likewise-training-``; of nothing else at that place.
        above: the folder to make it in; that of the system when left out.

    Raises:
        OSError: it cannot be made.
    """
    made, lock = make_locked(prefix, Path(tempfile.gettempdir()) if above is None else above)
    owner = os.getpid()
    try:
        (made / "files").mkdir()
        yield made / "files"
    finally:
        remove_locked(made, lock, owner)


def make_locked(prefix: str, above: Path) -> tuple[Path, int]:
    """Make a folder that :func:`remove_locked` removes; those of killed processes are removed first.

    Returns:
        The folder, and the descriptor that holds the lock in it, which forked processes hold too.

    Raises:
        OSError: it cannot be made.
    """
    _remove_abandoned(prefix, above)
    folder = Path(tempfile.mkdtemp(prefix=prefix, dir=above))
    descriptor = os.open(folder / _UNLOCKED, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    (folder / _UNLOCKED).rename(folder / LOCK)  # other processes can find it only now, when it is locked
    return folder, descriptor


def remove_locked(folder: Path, descriptor: int, owner: int) -> None:
    """Remove a folder with what is in it, in the process ``owner``; do nothing in others."""
    if os.getpid() == owner:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(descriptor)


def _remove_abandoned(prefix: str, above: Path) -> None:
    for folder in above.glob(f"{prefix}*"):
        with suppress(OSError):
            if folder.is_symlink() or folder.stat().st_uid != os.geteuid():
                continue
            descriptor = os.open(folder / LOCK, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder, ignore_errors=True)
            finally:
                os.close(descriptor)
