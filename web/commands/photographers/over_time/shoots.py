"""``likewise photographers shoots``: list a photographer's shoots, or name one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from web.commands.context import Call, common, one_line
from web.commands.photographers.tables import show_table

if TYPE_CHECKING:
    from rich.console import Console

    from web.client import Json


@click.command("shoots", short_help="The shoots of a photographer, and their names.")
@click.argument("photographer", metavar="NAME|ID")
@click.option("--name", "naming", nargs=2, metavar="SHOOT NAME", help="Call a shoot, by its id, so; '' for no name.")
@common
def command(call: Call, photographer: str, naming: tuple[str, str] | None) -> None:
    """The shoots of a photographer, the latest first: photos taken in one place without a long pause.

    With --name, a shoot is called so from now on; the name stays with its photos.
    """
    from web.client import connect
    from web.commands.photographers.who import found_id

    with connect(call.settings()) as client:
        who = found_id(client, photographer)
        named = naming and client.post("/photographers/shoots/name", {"id": naming[0], "name": naming[1]})
        shoots = client.get(f"/photographers/{who}/shoots")
    call.answer(named or shoots, lambda console: _show(named, shoots, console))


def _show(named: Json | None, shoots: Json, console: Console) -> None:
    if named:
        called = f"called {one_line(named['name'])} now" if named["name"] else "called by folder, place and date again"
        console.print(f"The shoot is {called}, with {named['photos']:,} photos.")
    elif not shoots:
        console.print("There is no shoot of more than one photo.")
    else:
        show_table(console, "Shoots", ("name", "photos", "from", "to", "id"), [
            (shoot["name"], f"{shoot['photos']:,}", (shoot["start"] or "")[:16], (shoot["end"] or "")[:16], shoot["id"])
            for shoot in shoots
        ])  # fmt: skip
