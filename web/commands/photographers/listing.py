"""``likewise photographers list``: list the photographers with counts and dates."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from web.commands.context import Call, common, one_line

if TYPE_CHECKING:
    from rich.console import Console

    from web.client import Json


@click.command("list", short_help="Who there is, with counts and dates.")
@common
def command(call: Call) -> None:
    """List photographers, those with most photos first."""
    from web.client import connect

    with connect(call.settings()) as client:
        found = client.get("/photographers")
    call.answer(found, lambda console: _show(found, console))


def _show(found: Json, console: Console) -> None:
    from rich.table import Table

    from search.photographers.service import LABEL_HINT

    if not found:
        console.print("No photographer is known yet.")
        console.print(LABEL_HINT)
        return
    table = Table("photographer", "photos", "from", "to", "credit", "id", box=None, pad_edge=False)
    table.columns[1].justify = "right"
    for one in found:
        credits_ = ", ".join(f"{source} {count}" for source, count in one["credits"].items())
        table.add_row(
            one_line(one["display_name"]),
            str(one["photos"]),
            _day(one["first"]),
            _day(one["last"]),
            credits_,
            one["id"],
        )
    console.print(table)


def _day(time: str | None) -> str:
    return "" if time is None else time[:10]
