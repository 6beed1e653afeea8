"""``likewise photographers rename`` and ``merge``."""

from __future__ import annotations

import click

from web.commands.context import Call, common, one_line


@click.command("rename", short_help="Call a photographer something else.")
@click.argument("photographer", metavar="NAME|ID")
@click.argument("name", metavar="NEW")
@common
def rename(call: Call, photographer: str, name: str) -> None:
    """Call a photographer NEW, also in what is taken in later. With the name of another, the two become one."""
    _rename(call, photographer, name)


@click.command("merge", short_help="Make one of two photographers.")
@click.argument("photographer", metavar="NAME|ID")
@click.argument("into", metavar="INTO")
@common
def merge(call: Call, photographer: str, into: str) -> None:
    """Credit all that is NAME's to INTO, another photographer by name or id."""
    _rename(call, photographer, into, must_exist=True)


def _rename(call: Call, photographer: str, name: str, *, must_exist: bool = False) -> None:
    from web.client import connect
    from web.commands.photographers.who import found_id

    with connect(call.settings()) as client:
        if must_exist:
            name = client.get(f"/photographers/{found_id(client, name)}")["name"]
        answer = client.post("/photographers/rename", {"photographer": photographer, "to": name})
    shown = f"{one_line(photographer)} is called {one_line(answer['name'])} now, in {answer['records']:,} records."
    call.answer(answer, lambda console: console.print(shown))
