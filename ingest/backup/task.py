"""The job task ``backup``, whose option ``to`` names the folder."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from ingest.backup.manifest import JOURNAL, MANIFEST, Manifest, load_manifest, writing_to
from ingest.ledger import Ledger
from ingest.tasks import TaskRun
from search.errors import BackupError, StoreError, UsageError
from search.settings import Settings
from search.store.base import Store
from search.transfer import unfinished_copies


class Backup:
    """See :mod:`ingest.backup`."""

    def __init__(self, settings: Settings, store: Store, ledger: Ledger) -> None:
        self._settings, self._store, self._ledger = settings, store, ledger

    def check(self, options: Mapping[str, str]) -> str:
        """
        Raises:
            UsageError: the folder cannot take a backup.
            StoreError: the store holds only part of what a restore or migration was to bring.
        """
        folder = Path(options.get("to", ""))
        if not folder.is_absolute():
            raise UsageError(f"'{folder}' is not an absolute path.", "Name it from the root on, as /mnt/backup.")
        if folder.is_relative_to(self._settings.home):
            raise UsageError(f"'{folder}' is in the data directory itself.", "Name a folder outside, on another disk.")
        if (folder / MANIFEST).exists():
            raise UsageError(f"There is a backup in '{folder}' already.", "Name another folder.")
        if folder.exists() and not folder.is_dir():
            raise UsageError(f"'{folder}' is not a folder.", "Name a folder that is empty or not there yet.")
        if folder.is_dir() and any(folder.iterdir()) and not (folder / JOURNAL).exists():
            raise UsageError(f"'{folder}' is not empty.", "Name a folder that is empty or not there yet.")
        if half := unfinished_copies(self._store):
            raise StoreError(
                f"'{half[0]}' holds only part of what was to be brought into it.",
                "Finish the restore or migration first: run the same command again.",
            )
        return str(folder)

    def run(self, options: Mapping[str, str], job: TaskRun) -> str:
        # Imported on demand: pyarrow takes longer to import than a node takes to open.
        from ingest.backup.writing import Writing

        folder = Path(options["to"])
        with writing_to(folder):
            folder.mkdir(parents=True, exist_ok=True)
            if _is_whole(folder, job):
                return _told(load_manifest(folder), folder)
            writing = Writing(self._settings, self._store, self._ledger, folder, job)
            if not writing.begin():
                return ""
            for done in writing.steps():
                job.count(done=done)
                if not job.goes_on():
                    return ""
            return _told(writing.finish(), folder)


def _is_whole(folder: Path, job: TaskRun) -> bool:
    """This very job has finished it, and was killed before anybody could be told."""
    with suppress(BackupError):
        if load_manifest(folder).head.job == job.id:
            (folder / JOURNAL).unlink(missing_ok=True)
            return True
    return False


def _told(manifest: Manifest, folder: Path) -> str:
    records = "1 record" if manifest.points == 1 else f"{manifest.points:,} records"
    return f"{records} in {len(manifest.parts):,} parts, {manifest.bytes / 2**20:,.1f} MiB, in {folder}."
