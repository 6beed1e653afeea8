"""Tell by which paths one and the same file is reached: hard links, and symbolic links to it or its folder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from search import addresses
from workers.storage.files import FileAccess


def one_path_a_file(paths: Sequence[str], access: FileAccess) -> tuple[str, ...]:
    """One path for each file, in their order, rather the file itself than a symbolic link to it.

    Objects in buckets, files that cannot be looked at, and those on file systems without numbers of files (inode 0)
    count as files of their own.
    """
    kept: dict[object, str] = {}
    for path in sorted(paths, key=lambda each: _is_link(each, access)):
        kept.setdefault(_identity(path, access), path)
    chosen = set(kept.values())
    return tuple(path for path in paths if path in chosen)


def _is_link(path: str, access: FileAccess) -> bool:
    address = access.local_address(path)
    try:
        return not addresses.is_remote(address) and Path(address).is_symlink()
    except (OSError, ValueError):
        return False


def _identity(path: str, access: FileAccess) -> object:
    """Device and inode, or the path."""
    address = access.local_address(path)
    if addresses.is_remote(address):
        return path
    try:
        status = Path(address).stat()
    except (OSError, ValueError):
        return path
    return (status.st_dev, status.st_ino) if status.st_ino else path
