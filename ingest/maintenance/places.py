"""Where backups and migrations may be written to, as the settings say; asked when a job is made and when it runs.

A job that was cut off is taken up by a process whose settings may name other places than those under which it was made.
"""

from __future__ import annotations

import os
from pathlib import Path

from search import addresses
from search.errors import NotAllowedError
from search.settings import Settings


def check_backup_place(settings: Settings, folder: str | Path, *, at_command_line: bool = True) -> None:
    """Check that backups may be written to a folder.

    Args:
        at_command_line: this machine's command line asks, which names any place where the settings name none.

    Raises:
        NotAllowedError: they may not.
    """
    listed = settings.backup_folders
    real = os.path.realpath(folder)
    is_listed = any(addresses.is_at_or_below(real, os.path.realpath(one)) for one in listed)
    _check("LIKEWISE_BACKUP_FOLDERS", listed, str(folder), is_listed or (not listed and at_command_line))


def check_migration_place(settings: Settings, to: str, *, at_command_line: bool = True) -> None:
    """Check that the store may be copied to a target; as :func:`check_backup_place`."""
    listed = settings.migration_targets
    is_listed = to.rstrip("/") in {target.rstrip("/") for target in listed}
    _check("LIKEWISE_MIGRATION_TARGETS", listed, to, is_listed or (not listed and at_command_line))


def _check(setting: str, listed: tuple[str, ...], to: str, allowed: bool) -> None:
    if not allowed:
        names = f"{setting} names {', '.join(listed)}." if listed else f"{setting} names the places that are."
        raise NotAllowedError(f"'{to}' is not a place that this may be written to from here.", names)
