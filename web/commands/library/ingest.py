"""``likewise ingest``: ingest folders and files."""

from __future__ import annotations

import sys
from collections import Counter
from typing import TYPE_CHECKING

import click

from web.commands.context import Call, common, one_line
from web.commands.path_arguments import PathOrAddress

if TYPE_CHECKING:
    from rich.console import Console

    from ingest.jobs.service import JobProgress
    from web.client import Client, Json

SHOWN_FAILURES = 5
"""Failed files named in the summary; `likewise failures` lists all."""


@click.command("ingest", short_help="Take in folders and files.")
@click.argument("paths", nargs=-1, required=True, metavar="PATH…", type=PathOrAddress())
@click.option("--library", help="Name for what is below them.  [default: the folder's own]")
@click.option("--confirm-missing", is_flag=True, help="Yes, most of what was there has really gone.")
@click.option("--reread", is_flag=True, help="Read the bytes of files that look unchanged, too.")
@click.option(
    "--priority",
    type=click.Choice(["high", "normal", "low"]),
    default="normal",
    show_default=True,
    help="Which of several jobs comes first.",
)
@common
def command(
    call: Call, paths: tuple[str, ...], library: str | None, confirm_missing: bool, reread: bool, priority: str
) -> int:
    """Import pictures, videos and sounds below PATH. Files imported before and unchanged cost nothing.

    PATH is a folder, a file, or a place in a bucket: s3://bucket/folder.

    A running `likewise up` of the same data directory does the work and stays usable meanwhile. Where
    LIKEWISE_SERVER_URL names a Likewise elsewhere, that one does, and PATH is a path of its machine.
    """
    from search.logs import configure_logging
    from web.client import connect
    from web.commands.library.failures import all_failures

    settings = call.settings()
    configure_logging(settings, terse=True)
    with connect(settings) as client:
        progress = take_in(
            client, paths, library=library, confirm_missing=confirm_missing, reread=reread, priority=priority
        )
        failures = list(all_failures(client, job=progress.id)) if progress.failed else []
    call.answer(progress.to_json(), lambda console: show(progress, failures, console))
    return exit_status(progress)


def take_in(
    client: Client,
    paths: tuple[str, ...],
    *,
    library: str | None = None,
    confirm_missing: bool = False,
    reread: bool = False,
    priority: str = "normal",
) -> JobProgress:
    """Ingest ``paths`` and show the progress until the end, with a question before many files are marked as missing.

    Args:
        paths: absolute paths, or addresses.

    Raises:
        NotFoundError: a path does not exist.
        ConfirmationRequired: most files of a root are gone, and no person at a terminal confirms it.
        LikewiseError: the job failed.
        click.Abort: interrupted.
    """
    from search.errors import ConfirmationRequired, LikewiseError
    from web.commands.job_progress import cancel, follow, prepare

    body = {"paths": list(paths), "library": library, "priority": priority} | ({"reread": True} if reread else {})
    started = client.post("/jobs", body | {"confirm_missing": confirm_missing})
    try:
        prepare(client)
    except LikewiseError:
        cancel(client, started["id"])  # it never started, and no later process may resume it
        raise
    progress = follow(client, started["id"])
    if progress.state == "needs_confirmation":
        if not (sys.stdin.isatty() and click.confirm(f"{progress.message} Go on?", err=True)):
            raise ConfirmationRequired(progress.message, "If that is right, run it again with --confirm-missing.")
        return take_in(client, paths, library=library, confirm_missing=True, reread=reread, priority=priority)
    return progress


def exit_status(progress: JobProgress) -> int:
    """1 when files failed, otherwise 0."""
    return 1 if progress.failed else 0


def show(progress: JobProgress, failures: Json, console: Console) -> None:
    """Print a summary for people."""
    from rich.table import Table

    from web.commands.job_progress import duration

    counts = ("embedded", "duplicate", "unchanged", "moved", "missing", "skipped", "failed")
    summary = ", ".join(f"{getattr(progress, name)} {name}" for name in counts if getattr(progress, name))
    rate = f", {progress.rate:.1f} a second" if progress.rate else ""
    files = "1 file" if progress.total == 1 else f"{progress.total} files"
    console.print(f"{files} in {duration(progress.seconds)}{rate}: {summary or 'nothing to do'}.")
    if progress.message:
        console.print(progress.message)
    if not failures:
        return
    table = Table("failed", "code", "for example", box=None, pad_edge=False)
    for code, count in Counter(failure["code"] for failure in failures).most_common():
        table.add_row(str(count), code, one_line(next(f["path"] for f in failures if f["code"] == code)))
    console.print(table)
    for failure in failures[:SHOWN_FAILURES]:
        console.print(one_line(f"  {failure['path']}: {failure['detail']}"))
    console.print("`likewise failures` lists them all; `likewise failures --retry` tries them again.")
