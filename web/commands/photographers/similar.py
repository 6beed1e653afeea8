"""``likewise photographers similar``: list the photographers who work like one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from web.commands.context import Call, common, one_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from web.client import Json

BY = {"style": "editing style", "subject": "what they show", "joint": "map"}


@click.command("similar", short_help="Who works alike?")
@click.argument("photographer", metavar="NAME|ID")
@common
def command(call: Call, photographer: str) -> None:
    """Who works like this photographer: by style, by subject and, once that is trained, by the photographer space.

    "alike" is the per cent of random pairs of photographers that are less alike.
    """
    from web.client import connect
    from web.commands.photographers.who import found_id

    with connect(call.settings()) as client:
        found = client.get(f"/photographers/{found_id(client, photographer)}/similar")
    call.answer(found, lambda console: show_alike(found, console))


def show_alike(alike: Sequence[Json], console: Console) -> None:
    from rich.table import Table

    if not alike:
        console.print("There is nobody to compare with.")
        return
    table = Table("alike", "by", "photographer", "id", box=None, pad_edge=False)
    table.columns[0].justify = "right"
    for one in alike:
        by = BY.get(one["by"], one["by"])
        table.add_row(f"{100 * one['similarity']:.0f} %", by, one_line(one["display_name"]), one["id"])
    console.print(table)
