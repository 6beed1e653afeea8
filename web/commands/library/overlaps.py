"""``likewise overlaps``: find which span of which film or sound is in which other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from web.commands.context import Call, common

if TYPE_CHECKING:
    from rich.console import Console

    from web.client import Json


@click.command("overlaps", short_help="Find which parts of films and sounds are in others.")
@click.option("--anew", is_flag=True, help="Compare again what was compared before.")
@click.option("--limit", type=click.IntRange(1), default=100, show_default=True, help="List so many spans.")
@common
def command(call: Call, anew: bool, limit: int) -> int:
    """Compare videos and sounds by their fingerprints over time, and list the spans that are in several of them: cut,
    edited, flipped, or between other footage.

    What was compared before is compared with what is new only. `likewise duplicates` lists the spans without comparing.
    """
    from web.client import connect
    from web.commands.job_progress import follow
    from web.commands.library.ingest import exit_status
    from web.commands.questions.duplicates import found_spans

    with connect(call.settings()) as client:
        ended = follow(client, client.post("/overlaps", {"anew": anew})["id"])
        answer = found_spans(client, limit)
    call.answer(answer | {"job": ended.to_json()}, lambda console: _show(ended.message, answer, console))
    return exit_status(ended)


def _show(message: str, answer: Json, console: Console) -> None:
    from web.commands.questions.duplicates import show_spans

    console.print(message)
    show_spans(answer, console)
