"""``likewise photographers place``: fold a new photographer into the photographer space."""

from __future__ import annotations

import click

from web.commands.context import Call, common, one_line


@click.command("place", short_help="Give somebody new a place in the photographer space.")
@click.argument("photographer", metavar="NAME|ID")
@common
def command(call: Call, photographer: str) -> int:
    """Find a photographer whose photos came after `train --joint` a place in the photographer space, and tell who works
    alike. Nothing is learnt anew, and nobody else moves. About ten photos, imported and credited, tell enough; fifty
    are looked at.
    """
    from web.client import connect
    from web.commands.job_progress import follow
    from web.commands.photographers.similar import show_alike
    from web.commands.photographers.who import found_id

    with connect(call.settings()) as client:
        who = f"/photographers/{found_id(client, photographer)}"
        ended = follow(client, client.post(f"{who}/place")["id"])
        alike = [one for one in client.get(f"{who}/similar") if one["by"] == "joint"]
    call.answer({"job": ended.to_json(), "similar": alike}, lambda console: show_alike(alike, console))
    call.say(one_line(ended.message))
    return 1 if ended.failed else 0
