"""``likewise calibrate``: learn on labelled folders how likely a score means the same label."""

from __future__ import annotations

from pathlib import Path

import click

from web.commands.context import Call, common


@click.command("calibrate", short_help="Learn likeness on labelled files.")
@click.argument("folders", metavar="DIR...", nargs=-1, required=True, type=click.Path(path_type=Path))
@common
def command(call: Call, folders: tuple[Path, ...]) -> int:
    """Learn from labelled files how likely a score means the same label, and use that in this library from then on.

    Labels are the folders in each DIR, or the columns path and label of its manifest.csv. A DIR whose name begins with
    "photographers" says who took what, and teaches the space style; others teach all other spaces. Files that are not
    in the library are embedded and not stored. The models that come with Likewise have such curves already; this makes
    or replaces them, for every space that the files fill: twenty files of a label and a few labels do.
    """
    from web.client import connect
    from web.commands.job_progress import follow
    from web.commands.library.ingest import exit_status

    given = [str(folder.expanduser().absolute()) for folder in folders]
    with connect(call.settings()) as client:
        ended = follow(client, client.post("/calibrations", {"folders": given})["id"])
    call.answer(ended.to_json(), lambda console: console.print(ended.message))
    return exit_status(ended)
