"""A folder on a disk for temporary files that are too large for memory."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

_MOUNTS = Path("/proc/self/mounts")
_IN_MEMORY = frozenset({"tmpfs", "ramfs"})


@lru_cache(maxsize=64)
def disk_folder(home: Path) -> str:
    """The folder for temporary files; where that lies in memory (tmpfs), as far as can be known, ``/var/tmp`` or the
    data directory. The first again where all of them do, or nothing can be written there."""
    usual = tempfile.gettempdir()
    for folder in (usual, "/var/tmp", str(home)):  # noqa: S108  (files there have no name)
        if os.access(folder, os.W_OK | os.X_OK) and not is_in_memory(os.path.realpath(folder), _mounted()):
            return folder
    return usual


def is_in_memory(folder: str, mounted: Sequence[tuple[str, str]]) -> bool:
    """Whether a folder lies in memory.

    Args:
        folder: without symbolic links.
        mounted: where each file system is mounted, and its type, in the order of mounting.
    """
    above = [(len(place), at, kind) for at, (place, kind) in enumerate(mounted) if Path(folder).is_relative_to(place)]
    return bool(above) and max(above)[2] in _IN_MEMORY


def _mounted() -> list[tuple[str, str]]:
    """See :func:`is_in_memory`; empty where the system does not say. Source: proc_pid_mounts(5), fstab(5)."""
    try:
        lines = _MOUNTS.read_text("utf-8", "surrogateescape").splitlines()
    except OSError:
        return []
    fields = [line.split(" ") for line in lines]
    return [(place.replace("\\040", " "), kind) for _, place, kind, *_ in fields]
