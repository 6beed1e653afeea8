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
@click.option("--with-damaged", is_flag=True, help="Take damaged records along as they are instead of refusing.")
@common
def command(call: Call, folder: Path, verify: bool, with_damaged: bool) -> int:
    """Write vectors, records, previews, models and the ledger to DIR, a folder that is empty or not there yet.

    A running `likewise up` of the same data directory does the work and answers questions meanwhile; files are taken in
    again when it is done. Cut off, the same command goes on where it was. `likewise restore DIR` brings all of it back,
    into either kind of store and of ledger. The media themselves are not part of it.

    Every record is compared with its checksums. One that is damaged ends the backup: `likewise verify --repair` embeds
    it anew if its file is still there.
    """
    from web.client import connect
    from web.commands.job_progress import follow

    folder = folder.expanduser().absolute()
    if verify:
        return _verify(call, folder)
    with connect(call.settings()) as client:
        ended = follow(client, client.post("/backups", {"to": str(folder), "damaged": with_damaged})["id"])
    call.answer(ended.to_json() | {"path": str(folder)}, lambda console: console.print(ended.message))
    return 0


def _verify(call: Call, folder: Path) -> int:
    from ingest.maintenance.backup.manifest import load_manifest
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
        "bytes": manifest.bytes,
    }
    call.answer(answer, lambda console: _show(answer, console))
    return 1 if damaged or records else 0


def _show(answer: Json, console: Console) -> None:
    stored = ", ".join(f"{points:,} {name}" for name, points in answer["collections"].items()) or "no records"
    console.print(f"A backup of {answer['created']} by Likewise {answer['made_by']}, {answer['source']}:")
    console.print(f"{stored}; {answer['files']:,} files known; {answer['bytes'] / 2**20:,.1f} MiB.")
    if answer["whole"]:
        console.print(f"All {answer['parts']:,} parts are as they were written.")
        return
    if answer["damaged"]:
        console.print(f"{len(answer['damaged'])} of {answer['parts']:,} parts are damaged; it cannot be restored:")
        for name in answer["damaged"]:
            console.print(f"  {name}")
    if records := answer["damaged_records"]:
        console.print(f"{len(records):,} records were damaged before they were backed up, and are restored so:")
        for name in records:
            console.print(f"  {name}")
