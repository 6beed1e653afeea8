"""``likewise jobs``: what was and is being taken in; pause, resume and cancel."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from web.commands.call import Call, common, one_line

if TYPE_CHECKING:
    from rich.console import Console

    from web.client import Json

COUNTS = ("total", "embedded", "duplicate", "unchanged", "skipped", "failed")


@click.command("jobs", short_help="List ingest jobs; pause, resume or cancel one.")
@click.argument("action", required=False, type=click.Choice(["pause", "resume", "cancel"]))
@click.argument("job", required=False, metavar="[ID]")
@click.option("--limit", type=click.IntRange(1, 500), default=20, show_default=True, help="List so many, newest first.")
@common
def command(call: Call, action: str | None, job: str | None, limit: int) -> int:
    """List ingest jobs, newest first; or do something to one: pause ID, resume ID, cancel ID."""
    from web.client import connect
    from web.commands.following import follow, prepare
    from web.plain import dump

    if action and not job:
        raise click.UsageError(f"'{action}' needs the id of a job; `likewise jobs` lists them.")
    with connect(call.settings()) as client:
        if action is None:
            answer = client.get("/jobs", {"limit": limit})
        elif action == "resume" and client.node is not None:
            prepare(client)
            client.post(f"/jobs/{job}/resume")
            answer = dump(follow(client, str(job)))
        else:
            answer = client.post(f"/jobs/{job}/{action}")
    call.answer(answer, lambda console: _show(answer if isinstance(answer, list) else [answer], console))
    return 1 if action == "resume" and answer["failed"] else 0


def _show(jobs: Json, console: Console) -> None:
    from rich.table import Table

    if not jobs:
        console.print("There are no jobs yet: `likewise ingest FOLDER` makes one.")
        return
    names = ("id", "state", "library", *COUNTS, "seconds")
    table = Table(*names, box=None, pad_edge=False)
    for column in table.columns[3:]:
        column.justify = "right"
    for job in jobs:
        counts = [str(job[name]) for name in COUNTS]
        table.add_row(
            job["id"], job["state"].replace("_", " "), one_line(job["library"] or ""), *counts, f"{job['seconds']:.1f}"
        )
    console.print(table)
