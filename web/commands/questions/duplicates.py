"""``likewise duplicates``: identical files and edited copies."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from web.commands.context import Call, common, one_line

if TYPE_CHECKING:
    from rich.console import Console

    from web.client import Json


@click.command("duplicates", short_help="List identical files and edited copies.")
@click.option("--limit", type=click.IntRange(1, 500), default=100, show_default=True, help="List so many groups.")
@common
def command(call: Call, limit: int) -> None:
    """List groups of files that are identical, or edited copies of one original. Nothing is changed or deleted."""
    from web.client import connect

    with connect(call.settings()) as client:
        answer = client.get("/duplicates", {"limit": limit})
    call.answer(answer, lambda console: _show(answer, console))


def _show(answer: Json, console: Console) -> None:
    groups = answer["groups"]
    if not groups:
        console.print("No duplicates were found.")
    for number, group in enumerate(groups, 1):
        said = "identical files" if group["relation"] == "exact_copy" else "edited copies"
        console.print(f"Group {number}: {group['kind']}, {said}")
        for path in (path for member in group["members"] for path in member["paths"]):
            console.print(f"  {one_line(path)}")
