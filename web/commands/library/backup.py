"""``likewise backup``: write everything that is stored and known to a folder of files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from web.commands.context import Call, common

if TYPE_CHECKING:
    from rich.console import Console

    from web.client import Json


@click.command("backup", short_help="Write everything that is stored to a folder; or check such a folder.")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--verify", is_flag=True, help="Check that the backup in DIR is whole; write nothing.")
@click.option("--keep", type=click.IntRange(1), metavar="N", help="Then delete all but the latest N backups in DIR.")
@click.option(
    "--test-restore", is_flag=True, help="Restore the latest backup in DIR into a temporary folder; write none."
)
@click.option("--with-damaged", is_flag=True, help="Take damaged records as they are and do without lost ones.")
@common
def command(call: Call, folder: Path, verify: bool, keep: int | None, test_restore: bool, with_damaged: bool) -> int:
    """Write vectors, records, previews, models and the ledger to DIR, a folder that is empty, not there yet, or of
    backups: then only what has changed since is written.

    A running `likewise up` of the same data directory does the work and answers questions meanwhile; files are imported
    again when it is done. Cut off, the same command goes on where it was. `likewise restore DIR` brings all of it back,
    into either kind of store and of ledger. The media themselves are not part of it.

    Every record is compared with its checksums, and the store with the ledger. A record that is damaged or lost ends
    the backup: `likewise verify --repair` embeds it anew if its file is still there. --test-restore restores the latest
    backup beside everything else, compares each record with it, and deletes the copy: a backup that was never restored
    is only a hope.
    """
    from web.client import connect
    from web.commands.job_progress import follow

    folder = folder.expanduser().absolute()
    if test_restore:
        return _test_restore(call, folder)
    if verify:
        return _verify(call, folder)
    with connect(call.settings()) as client:
        ended = follow(
            client, client.post("/backups", {"to": str(folder), "damaged": with_damaged, "keep": keep})["id"]
        )
    call.answer(ended.to_json() | {"path": str(folder)}, lambda console: console.print(ended.message))
    return 0


def _test_restore(call: Call, folder: Path) -> int:
    import time

    from ingest.maintenance.backup.manifest import load_manifest
    from ingest.maintenance.backup.verify import check_readable
    from search.settings import Settings
    from search.store.temporary_folders import temporary_folder
    from web.commands.library.restore import restore_into

    manifest = load_manifest(folder)
    check_readable(folder, manifest)
    began = time.monotonic()
    with temporary_folder("likewise-test-restore-") as place:
        restore_into(Settings.model_validate({"home": place / "home", "device": "cpu"}), folder, manifest)
    answer: Json = {
        "path": str(folder),
        "restored": True,
        "created": manifest.head.created,
        "collections": {name: collection.points for name, collection in manifest.collections.items()},
        "files": manifest.head.tables["files"].rows,
        "seconds": round(time.monotonic() - began, 3),
    }
    said = f"The backup of {manifest.head.created} can be restored: {manifest.points:,} records came back as they were."
    call.answer(answer, lambda console: console.print(said))
    return 0


def _verify(call: Call, folder: Path) -> int:
    from ingest.maintenance.backup.manifest import load_manifest
    from ingest.maintenance.backup.snapshots import names
    from ingest.maintenance.backup.verify import DamagedRecord, check_readable, find_damage
    from web.commands.step_progress import show_steps

    manifest = load_manifest(folder)
    check_readable(folder, manifest)
    damaged: list[str] = []
    records: list[DamagedRecord] = []
    for part, complaint in show_steps("checking parts", len(manifest.parts), find_damage(folder, manifest, records)):
        if complaint:
            damaged.append(part.path if part else complaint)
    answer: Json = {
        "path": str(folder),
        "whole": not damaged and not records,
        "damaged": damaged,
        "damaged_records": [f"{record.collection} {record.id} ({', '.join(record.what)})" for record in records],
        "created": manifest.head.created,
        "made_by": manifest.head.made_by,
        "source": manifest.head.source,
        "collections": {name: collection.points for name, collection in manifest.collections.items()},
        "files": manifest.head.tables["files"].rows,
        "parts": len(manifest.parts),
        "snapshots": names(folder),
        "bytes": manifest.bytes,
    }
    call.answer(answer, lambda console: _show(answer, console))
    return 1 if damaged or records else 0


def _show(answer: Json, console: Console) -> None:
    stored = ", ".join(f"{points:,} {name}" for name, points in answer["collections"].items()) or "no records"
    console.print(f"A backup of {answer['created']} by Likewise {answer['made_by']}, {answer['source']}:")
    console.print(f"{stored}; {answer['files']:,} files known; {answer['bytes'] / 2**20:,.1f} MiB.")
    if len(answer["snapshots"]) > 1:
        console.print(f"Before it, `restore --snapshot`: {', '.join(answer['snapshots'][1:])}.")
    if answer["whole"]:
        console.print(f"All {answer['parts']:,} parts are as they were written.")
        return
    if answer["damaged"]:
        console.print(f"{len(answer['damaged'])} of {answer['parts']:,} parts are damaged; it cannot be restored:")
        for name in answer["damaged"]:
            console.print(f"  {name}")
    if records := answer["damaged_records"]:
        console.print(f"{len(records):,} records were damaged or lost before the backup, and are restored so:")
        for name in records:
            console.print(f"  {name}")
