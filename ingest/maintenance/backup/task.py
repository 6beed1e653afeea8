"""Job task ``backup``: write everything that is stored and known to a folder."""

from __future__ import annotations

from pathlib import Path

from ingest.jobs.kinds import BackupOptions
from ingest.jobs.tasks import TaskRun
from ingest.ledger.database import Ledger
from ingest.maintenance.backup.manifest import JOURNAL, MANIFEST, Manifest, explain_os_errors, load_manifest
from ingest.maintenance.backup.snapshots import drop_older
from ingest.maintenance.places import check_backup_place
from ingest.maintenance.upkeep import bring_up_to_date
from search.errors import UsageError
from search.settings import Settings
from search.store.base import Store


class Backup:
    """The task ``backup``, see :mod:`ingest.maintenance.backup`."""

    def __init__(self, settings: Settings, store: Store, ledger: Ledger) -> None:
        self._settings, self._store, self._ledger = settings, store, ledger

    def check(self, options: BackupOptions) -> str:
        """Check the folder; the job's title.

        Raises:
            UsageError: a backup cannot be written to the folder.
        """
        folder = options.to
        if not folder.is_absolute():
            raise UsageError(f"'{folder}' is not an absolute path.", "Name it from the root on, as /mnt/backup.")
        if folder.is_relative_to(self._settings.home):
            raise UsageError(f"'{folder}' is in the data directory itself.", "Name a folder outside, on another disk.")
        if folder.exists() and not folder.is_dir():
            raise UsageError(f"'{folder}' is not a folder.", "Name a folder that is empty or not there yet.")
        if (
            folder.is_dir()
            and any(folder.iterdir())
            and not any((folder / name).exists() for name in (JOURNAL, MANIFEST))
        ):
            raise UsageError(
                f"'{folder}' is not empty.", "Name a folder that is empty or not there yet, or of backups."
            )
        return str(folder)

    def run(self, options: BackupOptions, job: TaskRun) -> str:
        """Write the backup, or the rest of it.

        Raises:
            NotAllowedError: the settings do not name the folder any more.
            BackupError, DiskFullError, StoreError, LedgerError: it cannot be written now.
        """
        # Imported on demand: pyarrow takes longer to import than a node takes to open.
        from ingest.maintenance.backup.write import BackupWriter, source_of

        folder = options.to
        check_backup_place(self._settings, folder)
        with explain_os_errors(folder):
            folder.mkdir(parents=True, exist_ok=True)
            if (folder / MANIFEST).exists():
                latest = load_manifest(folder)
                if latest.head.job == job.id and latest.head.source == source_of(self._settings, self._store):
                    # Finished by this job before it was killed.
                    (folder / JOURNAL).unlink(missing_ok=True)
                    return self._ended(latest, options)
            # Before the first point is written, so that all points have the same revision.
            bring_up_to_date(self._store, self._ledger, goes_on=job.goes_on)
            if not job.goes_on():
                return ""
            writer = BackupWriter(self._settings, self._store, self._ledger, folder, job, damaged=options.damaged)
            if not writer.begin():
                return ""
            for done in writer.steps():
                job.count(done=done)
                if not job.goes_on():
                    return ""
            return self._ended(writer.finish(), options)

    def _ended(self, manifest: Manifest, options: BackupOptions) -> str:
        dropped = drop_older(options.to, options.keep) if options.keep is not None else []
        older = f" {len(dropped):,} older were deleted." if dropped else ""
        return f"{_summary(manifest, options.to)}{older}"


def _summary(manifest: Manifest, folder: Path) -> str:
    records = "1 record" if manifest.points == 1 else f"{manifest.points:,} records"
    return f"{records} in {len(manifest.parts):,} parts, {manifest.bytes / 2**20:,.1f} MiB, in {folder}."
