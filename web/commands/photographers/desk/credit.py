"""``likewise photographers credit``, ``undo`` and ``display``: credit photos by hand, undo it, and say how a
photographer is shown."""

from __future__ import annotations

import click

from web.commands.context import Call, common, one_line


@click.command("credit", short_help="Say by hand who took photos.")
@click.argument("name")
@click.argument("ids", metavar="ID...", nargs=-1, required=True)
@common
def credit(call: Call, name: str, ids: tuple[str, ...]) -> None:
    """Credit the photos with these IDs to NAME, before every other source; an empty NAME says that nobody is known.

    The answer names the edit, which `likewise photographers undo` takes back within 30 days.
    """
    from web.client import connect

    body = {"credits": [{"id": id_, "photographer": name} for id_ in ids]}
    with connect(call.settings()) as client:
        made = client.post("/photographers/credit", body)
    shown = one_line(next(iter(made["credited"].values())) or "nobody known")
    said = (
        f"{len(made['credited']):,} credited by hand: {shown}. To undo it: likewise photographers undo {made['edit']}"
    )
    call.answer(made, lambda console: console.print(said))


@click.command("undo", short_help="Undo a credit by hand.")
@click.argument("edit")
@common
def undo(call: Call, edit: str) -> None:
    """Take back EDIT, which `likewise photographers credit` has named. Photos that were credited by hand since stay."""
    from web.client import connect

    with connect(call.settings()) as client:
        undone = client.post("/photographers/credit/undo", {"edit": edit})
    call.answer(undone, lambda console: console.print(f"The credits of {undone['records']:,} are as before."))


@click.command("display", short_help="Say how a photographer is shown.")
@click.argument("photographer", metavar="NAME|ID")
@click.argument("shown", metavar="SHOWN")
@common
def display(call: Call, photographer: str, shown: str) -> None:
    """Show a photographer as SHOWN; photos stay credited by their NAME. An empty SHOWN goes back to what follows from
    the name: Alfred T. Palmer of alfred_t_palmer."""
    from web.client import connect
    from web.commands.photographers.who import found_id

    with connect(call.settings()) as client:
        id_ = found_id(client, photographer)
        told = client.post(f"/photographers/{id_}/display-name", {"display_name": shown})
    said = f"{one_line(told['photographer'])} is shown as {one_line(told['display_name'])}."
    call.answer(told, lambda console: console.print(said))
