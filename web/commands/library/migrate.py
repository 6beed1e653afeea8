"""``likewise migrate``: copy the store to a server, or back into an embedded one."""

from __future__ import annotations

from pathlib import Path

import click

from web.commands.context import Call, common


@click.command("migrate", short_help="Copy the store to a Qdrant server, or back.")
@click.option("--to", required=True, metavar="STORE", help="http://HOST:6333, edge, or edge:DIR.")
@common
def command(call: Call, to: str) -> None:
    """Copy everything in the store to STORE, which is to hold nothing yet, and compare every point.

    \b
    http://HOST:6333  a Qdrant server (its key: LIKEWISE_QDRANT_API_KEY; LIKEWISE_QDRANT_* say how collections are made)
    edge              the embedded store of this data directory
    edge:DIR          the embedded store of another one

    The store in use stays as it is. A running `likewise up` does the work and answers questions meanwhile. Cut off, the
    same command goes on where it was. In the end it says which settings to change.
    """
    from ingest.maintenance.migrate import EDGE, settings_after
    from web.client import connect
    from web.commands.job_progress import follow

    kind, _, folder = to.partition(":")
    if kind == EDGE and folder:
        to = f"{EDGE}:{Path(folder).expanduser().absolute()}"
    settings = call.settings()
    with connect(settings) as client:
        ended = follow(client, client.post("/migrations", {"to": to})["id"])
    answer = ended.to_json() | {"to": to, "settings": settings_after(settings, to)}
    call.answer(answer, lambda console: console.print(ended.message))
