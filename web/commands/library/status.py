"""``likewise status``: count the records of each collection, and name the model of each space."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from web.commands.context import Call, common

if TYPE_CHECKING:
    from rich.console import Console

    from web.client import Json


@click.command("status", short_help="What is stored, and by which models.")
@common
def command(call: Call) -> None:
    """Show how much is stored in each collection, and which model fills each of its spaces."""
    from web.client import connect

    with connect(call.settings()) as client:
        answer = client.get("/status")
        verified = client.get("/verification")
    call.answer(answer | {"verification": verified}, lambda console: _show(answer, verified, console))


def _show(answer: Json, verified: Json, console: Console) -> None:
    from rich.table import Table

    from ingest.maintenance.verify.findings import Verification
    from search.records.status import StoreStatus, earlier_layout
    from web.plain import load

    status: StoreStatus = load(StoreStatus, answer)
    console.print(f"Data directory {status.home}, {status.store} store")
    if not status.collections:
        console.print("Nothing has been ingested yet: `likewise ingest FOLDER`.")
        return
    table = Table("collection", "records", "space", "model", "numbers", "fingerprint", box=None, pad_edge=False)
    outdated = 0
    for name, collection in status.collections.items():
        first = (name, str(collection.points))
        outdated += collection.outdated
        for space, made in collection.spaces.items():
            table.add_row(*first, space, made.model, str(made.dim), made.fingerprint)
            first = ("", "")
    console.print(table)
    if outdated:
        console.print(
            f"{outdated:,} records were decoded otherwise by an older version. They answer as they are; "
            "`likewise reembed --decoding` decodes their files anew."
        )
    for sentence in earlier_layout(status):
        console.print(sentence)
    damage = load(Verification, verified).damage
    if damage is not None:
        console.print(f"Damaged: {damage.summary} `likewise verify` lists it, `likewise verify --repair` repairs it.")
