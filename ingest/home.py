"""Make, check and protect the data directory: only the account that it belongs to enters it.

Where workers of other accounts use a folder inside it (``LIKEWISE_SHARED``), the way to that folder stays as it is.
"""

from __future__ import annotations

import logging
import os
import secrets
import shutil
import stat
from pathlib import Path

from search import addresses
from search.errors import DiskFullError, StoreError
from search.settings import Settings

log = logging.getLogger(__name__)

LEAST_FREE = 4 << 20
"""Nothing is opened on a disk with fewer free bytes: on a full disk, the store's memory-mapped files end the process
with a bus error (measured: at 388 kB, not at 2 MB) where everything else ends with a message."""

TOKEN_FILE = "token"  # noqa: S105
"""File of the token by which this machine's command line and page enter; made at the first start."""

TOKEN_CHARACTERS = 43
"""Length of that token: 256 bits in base64."""

OTHERS = stat.S_IRWXG | stat.S_IRWXO


def make_home(settings: Settings) -> None:
    """Make the data directory where there is none, check it, and take from other accounts what they may do there.

    From then on, files that this process makes are its account's alone, unless a place shared with workers is set.

    Raises:
        StoreError: it cannot be made, or may not be written.  DiskFullError: its disk is full.
    """
    home = settings.home
    try:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(
            f"The data directory '{home}' cannot be made: {error.strerror}.",
            "Name another with --home or LIKEWISE_HOME.",
        ) from None
    if not os.access(home, os.R_OK | os.W_OK | os.X_OK):
        raise StoreError(
            f"The data directory '{home}' may not be read and written by this user.",
            "Change its owner or permissions, or name another with --home or LIKEWISE_HOME.",
        )
    if shutil.disk_usage(home).free < LEAST_FREE:
        raise DiskFullError(
            f"The disk of the data directory '{home}' is full.",
            "Free some space and run the command again; what was stored before is intact.",
        )
    if settings.shared is None:
        os.umask(os.umask(OTHERS) | OTHERS)
    keep_private(settings)


def keep_private(settings: Settings) -> None:
    """Take every permission of group and others from the data directory and from what lies directly in it.

    What lies deeper cannot be reached then. No permission is ever added. The way to a shared place inside it is left as
    it is, for workers of other accounts. Where a permission cannot be changed, the log says so.
    """
    home, shared = settings.home, settings.shared
    way = [] if shared is None or addresses.is_remote(shared) else [shared, *addresses.parents(shared)]
    for path in (home, *sorted(home.iterdir())):
        if str(path) in way or (shared == str(home) and path.is_dir()):
            continue
        try:
            status = path.lstat()
            kept = stat.S_IMODE(status.st_mode) & ~OTHERS
            if not stat.S_ISLNK(status.st_mode) and kept != stat.S_IMODE(status.st_mode):
                path.chmod(kept)
        except FileNotFoundError:
            continue
        except OSError as error:
            log.warning(
                "Other accounts may be able to read '%s': its permissions cannot be changed (%s). "
                "Let it belong to the account that runs Likewise.",
                path,
                error.strerror,
            )


def own_token(home: Path) -> str:
    """The token of the data directory, made where there is none. Whoever has it may do everything.

    Raises:
        StoreError: it can neither be read nor made.
    """
    path = home / TOKEN_FILE
    fresh = path.with_name(f"{TOKEN_FILE}.{secrets.token_hex(4)}.tmp")
    try:
        if len(found := _read(path)) >= TOKEN_CHARACTERS:
            return found
        path.unlink(missing_ok=True)  # cut off by a full disk: nobody can have used it
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(32) + "\n")
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(fresh, path)  # of several processes that start at once, one makes it
        except FileExistsError:
            pass
        except OSError:  # a file system without hard links
            fresh.replace(path)
        return _read(path)
    except OSError as error:
        raise StoreError(f"The token file '{path}' cannot be used: {error.strerror}.") from error
    finally:
        fresh.unlink(missing_ok=True)


def _read(path: Path) -> str:
    try:
        return path.read_text("ascii", "replace").strip()
    except FileNotFoundError:
        return ""
