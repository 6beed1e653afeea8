"""``likewise jobs``: list jobs, show one, follow it, pause it, resume it or cancel it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ingest.jobs.kinds import JobKind
from web.commands.context import Call, common, one_line

if TYPE_CHECKING:
    from rich.console import Console

    from web.client import Client, Json

ACTIONS = ("pause", "resume", "cancel")
COUNTS = ("total", "embedded", "duplicate", "unchanged", "skipped", "failed")


KINDS = "\b\nKinds of job:\n" + "\n".join(f"  {kind.value:<20} {kind.label}" for kind in JobKind)


@click.command("jobs", short_help="List jobs; look at, follow, pause, resume or cancel one.", epilog=KINDS)
@click.argument("words", nargs=-1, metavar="[pause|resume|cancel] [ID]")
@click.option("--follow", "followed", is_flag=True, help="Watch the job to its end; Ctrl-C leaves it alone.")
@click.option("--limit", type=click.IntRange(1), default=20, show_default=True, help="List so many, newest first.")
@common
def command(call: Call, words: tuple[str, ...], followed: bool, limit: int) -> int:
    """List jobs, newest first; look at one: ID; or do something to it: pause ID, resume ID, cancel ID.

    Which process or machine runs the job makes no difference, as long as all share a ledger. Only an embedded store has
    to be opened by one process: while `likewise ingest` works on one by itself, Ctrl-C there is the way to end it.
    """
    from web.client import connect
    from web.commands.job_progress import follow, prepare, watch
    from web.plain import dump

    action, job = _parse_words(words)
    if followed and (job is None or action is not None):
        raise click.UsageError("--follow needs the id of a job and goes with nothing else.")
    with connect(call.settings()) as client:
        if job is None:
            answer = client.list("/jobs", limit)
        elif action is None:
            _refuse_to_follow_unclaimed(client, job, followed=followed)
            answer = dump(watch(client, job)) if followed else client.get(f"/jobs/{job}")
        elif action == "resume" and client.node is not None:
            prepare(client)
            client.post(f"/jobs/{job}/resume")
            answer = dump(follow(client, job))
        else:
            answer = client.post(f"/jobs/{job}/{action}")
    call.answer(answer, lambda console: _show(console, answer) if job is None else _show_one(console, answer))
    return 1 if (followed or action == "resume") and answer["failed"] else 0


def _parse_words(words: tuple[str, ...]) -> tuple[str | None, str | None]:
    """The action and the id of the job.

    Raises:
        click.UsageError: the words are not valid.
    """
    if words and words[0] in ACTIONS:
        if len(words) < 2:
            raise click.UsageError(f"'{words[0]}' needs the id of a job; `likewise jobs` lists them.")
        action, words = words[0], words[1:]
    else:
        action = None
    if len(words) > 1:
        raise click.UsageError(f"'{words[0]}' is none of {', '.join(ACTIONS)}, or there is one word too many.")
    return action, words[0] if words else None


def _refuse_to_follow_unclaimed(client: Client, job: str, *, followed: bool) -> None:
    from search.errors import UsageError

    if followed and client.node is not None and job in client.node.ingest.waiting():
        raise UsageError(f"Nobody runs job {job} just now.", f"`likewise jobs resume {job}` goes on with it.")


def _show(console: Console, jobs: Json) -> None:
    """Print a table of jobs, and the messages of unfinished ones."""
    from ingest.jobs.progress import UNFINISHED

    if not jobs:
        console.print("There are no jobs yet: `likewise ingest FOLDER` makes one.")
        return
    _table(console, jobs)
    for job in jobs:
        if job["message"] and job["state"] in UNFINISHED:
            console.print(f"{job['id']}: {one_line(job['message'])}")


def _show_one(console: Console, job: Json) -> None:
    _table(console, [job])
    if job["message"]:
        console.print(one_line(job["message"]))


def _table(console: Console, jobs: Json) -> None:
    from rich.table import Table

    names = ("id", "task", "state", "library", *COUNTS, "seconds")
    table = Table(*names, box=None, pad_edge=False)
    for column in table.columns[4:]:
        column.justify = "right"
    for job in jobs:
        counts = [str(job[name]) for name in COUNTS]
        table.add_row(
            job["id"],
            job["task"],
            job["state"].replace("_", " "),
            one_line(job["library"] or ""),
            *counts,
            f"{job['seconds']:.1f}",
        )
    console.print(table)
