"""``likewise photographers timeline``: show shoots and style over time, and what has changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from web.commands.context import Call, common, one_line
from web.commands.photographers.tables import show_table

if TYPE_CHECKING:
    from rich.console import Console

    from web.client import Json


@click.command("timeline", short_help="Shoots and style of a photographer over time.")
@click.argument("photographer", metavar="NAME|ID")
@common
def command(call: Call, photographer: str) -> None:
    """The shoots of a photographer in order of time, how unlike the earlier style each is (1 is usual), and the change
    of style that is beyond what shoots vary by, where there is one."""
    from web.client import connect
    from web.commands.photographers.who import found_id

    with connect(call.settings()) as client:
        found = client.get(f"/photographers/{found_id(client, photographer)}/timeline")
    call.answer(found, lambda console: _show(found, console))


def _show(found: Json, console: Console) -> None:
    if change := found["change"]:
        console.print(one_line(change["sentence"]), highlight=False)
        console.print(
            f"{change['before']} shoots before, {change['after']} since; p = {change['p_value']:.3f}", highlight=False
        )
        show_table(console, "What has changed", ("", "before", "since", "difference"), [
            (shift["words"], f"{shift['before']:.3g}", f"{shift['after']:.3g} {shift['unit']}",
             f"{shift['difference']:+.3g} ({shift['low']:.3g} to {shift['high']:.3g})")
            for shift in change["shifts"]
        ])  # fmt: skip
    elif found["shoots"]:
        console.print("No change of style can be distinguished from chance.")
    show_table(console, "Shoots", ("from", "name", "photos", "unlike", "brightness", "warmth"), [
        (shoot["start"][:16], shoot["name"], f"{shoot['photos']:,}",
         "" if shoot["unlike"] is None else f"{shoot['unlike']:.1f}",
         *(f"{shoot['values'][name]:.0f}" if name in shoot["values"] else "" for name in ("gray_mean", "warmth")))
        for shoot in found["shoots"]
    ])  # fmt: skip
    for note in found["notes"]:
        console.print(one_line(note))
