"""``likewise restore``: restore a backup into an empty data directory."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from web.commands.context import Call, common

if TYPE_CHECKING:
    from ingest.maintenance.backup.manifest import Manifest
    from search.settings import Settings


@click.command("restore", short_help="Bring a backup back into an empty data directory.")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--snapshot", metavar="NAME", help="Not the latest backup in DIR, but this one (see `backup --verify`).")
@common
def command(call: Call, folder: Path, snapshot: str | None) -> None:
    """Bring back what `likewise backup` wrote to DIR, into an empty store and ledger of the kinds that are set.

    The backup is checked first, and everything is compared with it afterwards. Cut off, the same command goes on where
    it was; until it is done nothing else opens the data directory. Jobs that had not ended then are cancelled.
    """
    from ingest.maintenance.backup.snapshots import load
    from ingest.maintenance.backup.verify import check_readable
    from web.commands.service.up import refuse_second

    folder = folder.expanduser().absolute()
    manifest = load(folder, snapshot)
    check_readable(folder, manifest)
    settings = call.settings()
    refuse_second(settings)
    began = time.monotonic()
    restore_into(settings, folder, manifest)
    seconds = time.monotonic() - began
    answer = {
        "from": str(folder),
        "home": str(settings.home),
        "store": settings.store,
        "collections": {name: collection.points for name, collection in manifest.collections.items()},
        "files": manifest.head.tables["files"].rows,
        "seconds": round(seconds, 3),
    }
    call.answer(
        answer,
        lambda console: console.print(
            f"{manifest.points:,} records and {answer['files']:,} files known are back, each compared with the backup."
        ),
    )


def restore_into(settings: Settings, folder: Path, manifest: Manifest) -> None:
    """Restore a backup and compare it, showing the steps.

    Raises:
        BackupError: a part is damaged.
        UsageError: what the settings name is not empty.
        StoreError, LedgerError: something differs after all.
    """
    from ingest.home import make_home
    from ingest.ledger.database import Ledger
    from ingest.maintenance.backup.manifest import explain_os_errors
    from ingest.maintenance.backup.restore import Restore
    from ingest.maintenance.backup.verify import find_damage
    from search.errors import BackupError
    from search.store import open_store
    from web.commands.step_progress import show_steps

    with explain_os_errors(settings.home):
        make_home(settings)
        store = open_store(settings)
        try:
            ledger = Ledger(settings.ledger_url)
            try:
                work = Restore(settings, store, ledger, folder, manifest)
                work.check()
                for _, complaint in show_steps("checking parts", len(manifest.parts), find_damage(folder, manifest)):
                    if complaint:
                        raise BackupError(complaint, "Nothing was restored. Use another copy of the backup.")
                for label, steps in (("restoring", work.restore()), ("comparing", work.compare())):
                    for _ in show_steps(f"{label} parts", len(manifest.parts), steps):
                        pass
                work.finish()
            finally:
                ledger.close()
        finally:
            store.close()
