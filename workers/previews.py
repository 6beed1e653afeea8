"""Preview pictures on disk: ``home/previews/ab/<id>.webp``, spread over 256 folders."""

from __future__ import annotations

import errno
import os
import re
from pathlib import Path

from search.errors import DiskFullError, NotFoundError, StoreError

_KEY = re.compile(r"([0-9a-f]{2})/\1[0-9a-f-]{34}\.webp")


def save_preview(home: Path, media_id: str, webp: bytes) -> str:
    """Write a preview whole or not at all; the key to keep with the record.

    Raises:
        DiskFullError: no space is left.
        StoreError: the data directory cannot be written.
    """
    key = f"{media_id[:2]}/{media_id}.webp"
    path = preview_path(home, key)
    unfinished = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished.write_bytes(webp)
        unfinished.replace(path)
    except OSError as error:
        unfinished.unlink(missing_ok=True)
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise DiskFullError(
                f"No space left for previews in {home}.", "Free some space; the job goes on where it stopped."
            ) from error
        raise StoreError(f"The preview {path} cannot be written: {error}.") from error
    return key


def preview_path(home: Path, key: str) -> Path:
    """Where the preview of that key lies; it need not exist.

    Raises:
        NotFoundError: not a key that :func:`save_preview` could have given, so that none leads out of the folder.
    """
    if not _KEY.fullmatch(key):
        raise NotFoundError(f"'{key}' is not the key of a preview.")
    return home / "previews" / key
