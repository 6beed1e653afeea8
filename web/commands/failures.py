"""``likewise failures``: the files that could not be used, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from web.commands.call import Call, common

if TYPE_CHECKING:
    from rich.console import Console

    from web.client import Json


@click.command("failures", short_help="List files that failed, and why; or try them again.")
@click.option("--retry", is_flag=True, help="Try them all again now.")
@click.option("--code", help="Only with this failure code, such as corrupt.")
@click.option("--limit", type=click.IntRange(1, 500), default=200, show_default=True, help="List so many.")
@common
def command(call: Call, retry: bool, code: str | None, limit: int) -> int:
    """List the files that could not be used, with the reason and the number of tries."""
    from web.client import connect
    from web.commands.following import follow

    with connect(call.settings()) as client:
        if retry and (job := client.post("/failures/retry")["job"]):
            progress = follow(client, job)
            call.say(f"Tried again: {progress.embedded} embedded, {progress.failed} failed.")
        failures = client.get("/failures", {"limit": limit} | ({"code": code} if code else {}))
    answer = [{name: failure[name] for name in ("path", "code", "detail", "attempts")} for failure in failures]
    call.answer(answer, lambda console: _show(answer, console))
    return 1 if retry and answer else 0


def _show(failures: Json, console: Console) -> None:
    from rich.table import Table

    if not failures:
        console.print("No file has failed.")
        return
    table = Table("code", "tries", "file", "why", box=None, pad_edge=False)
    for failure in failures:
        table.add_row(failure["code"], str(failure["attempts"]), failure["path"], failure["detail"])
    console.print(table)
