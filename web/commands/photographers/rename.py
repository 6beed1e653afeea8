"""``likewise photographers rename`` and ``merge``: change the name of a photographer, or join two."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from web.commands.context import Call, common, one_line

if TYPE_CHECKING:
    from web.client import Params


@click.command("rename", short_help="Call a photographer something else.")
@click.argument("photographer", metavar="NAME|ID")
@click.argument("name", metavar="NEW")
@common
def rename(call: Call, photographer: str, name: str) -> None:
    """Call a photographer NEW, also in what is imported later. With the name of another, the two become one."""
    _answer(call, photographer, "/photographers/rename", {"photographer": photographer, "to": name})


@click.command("merge", short_help="Make one of two photographers.")
@click.argument("photographer", metavar="NAME|ID")
@click.argument("into", metavar="INTO")
@common
def merge(call: Call, photographer: str, into: str) -> None:
    """Credit all that is NAME's to INTO, another photographer by name or id."""
    _answer(call, photographer, "/photographers/merge", {"photographer": photographer, "into": into})


def _answer(call: Call, photographer: str, path: str, body: Params) -> None:
    from web.client import connect

    with connect(call.settings()) as client:
        answer = client.post(path, body)
    shown = f"{one_line(photographer)} is called {one_line(answer['name'])} now, in {answer['records']:,} records."
    call.answer(answer, lambda console: console.print(shown))
