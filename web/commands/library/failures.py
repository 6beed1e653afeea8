"""``likewise failures``: list files that failed, with the reason, or try them again."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from web.commands.context import Call, common, one_line

if TYPE_CHECKING:
    from rich.console import Console

    from web.client import Client, Json

PAGE = 500
"""Failures per request, the most that the API answers."""


@click.command("failures", short_help="List files that failed, and why; or try them again.")
@click.option("--retry", is_flag=True, help="Try them all again now.")
@click.option("--code", help="Only with this failure code, such as corrupt.")
@click.option("--limit", type=click.IntRange(1), help="List so many.  [default: all]")
@common
def command(call: Call, retry: bool, code: str | None, limit: int | None) -> int:
    """List the files that could not be used, with the reason and the number of tries."""
    from itertools import islice

    from web.client import connect

    with connect(call.settings()) as client:
        if retry:
            _try_again(call, client)
        failures = list(islice(all_failures(client, **({"code": code} if code else {})), limit))
    answer = [{name: failure[name] for name in ("path", "code", "detail", "attempts")} for failure in failures]
    call.answer(answer, lambda console: _show(answer, console))
    return 1 if retry and answer else 0


def all_failures(client: Client, **which: str) -> Iterator[Json]:
    """Every failed file, in order of path, requested a page at a time.

    Args:
        which: ``code`` or ``job``, to narrow them.
    """
    after = ""
    while page := client.get("/failures", {"limit": PAGE, "after": after, **which}):
        yield from page
        after = page[-1]["path"]


def _try_again(call: Call, client: Client) -> None:
    from web.commands.job_progress import follow, prepare

    prepare(client)
    if job := client.post("/failures/retry")["job"]:
        progress = follow(client, job)
        call.say(f"Tried again: {progress.embedded} embedded, {progress.failed} failed.")


def _show(failures: Json, console: Console) -> None:
    from rich.table import Table

    if not failures:
        console.print("No file has failed.")
        return
    table = Table("code", "tries", "file", "why", box=None, pad_edge=False)
    for failure in failures:
        names = one_line(failure["path"]), one_line(failure["detail"])
        table.add_row(failure["code"], str(failure["attempts"]), *names)
    console.print(table)
