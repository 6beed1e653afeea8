"""``likewise demo``: make a sample library, ingest it and open the page."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from web.commands.context import Call, common

if TYPE_CHECKING:
    from ingest.node import Node
    from web.client import Client

FOLDER = "sample"
"""Folder of the sample library in the data directory; also its name as a library."""

WATCH_SECONDS = 0.5


@click.command("demo", short_help="Make a sample library, import it and open the page.")
@click.option("--no-serve", is_flag=True, help="Stop when it is imported.")
@click.option("--host", help="Address to listen on.  [default: 127.0.0.1]")
@click.option("--port", type=int, help="Port to listen on; 0 picks a free one.  [default: 8000]")
@click.option("--no-browser", is_flag=True, help="Only print the page's address.")
@common
def command(call: Call, no_serve: bool, host: str | None, port: int | None, no_browser: bool) -> int:
    """Make a small library of pictures, videos and sounds in the data directory, import it, train the
    classifier of photographers, and open the page.

    Two of its files are broken on purpose, to show how failures are told; --no-serve therefore ends with status 1.
    """
    from ingest.background import BackgroundThread
    from web.api.photographers import NewTraining, train_photographers
    from web.client import connect
    from web.commands.library.failures import all_failures
    from web.commands.library.ingest import exit_status, show, take_in
    from web.commands.service.up import run_server

    settings = call.settings(host=host, port=port)
    folder = settings.home / FOLDER

    def fill(node: Node) -> None:
        _make(call, folder)
        job = node.start_ingest([folder], library=FOLDER)
        while not node.ingest.progress(job).finished:
            if node.closing.wait(WATCH_SECONDS):
                return
        if not node.photographers.trained:
            train_photographers(node, NewTraining())

    def begin(node: Node) -> None:
        node.resume_unfinished()
        BackgroundThread("demo").submit(lambda: fill(node))  # slow the first time; the page does not wait

    if not no_serve:
        run_server(call, settings, begin, browser=not no_browser)
        return 0
    with connect(settings.model_copy(update={"server_url": None})) as client:  # the library lies on this machine
        _make(call, folder)
        progress = take_in(client, (str(folder),), library=FOLDER)
        failures = list(all_failures(client, job=progress.id)) if progress.failed else []
        _train(call, client)
    call.answer(progress.to_json(), lambda console: show(progress, failures, console))
    return exit_status(progress)


def _make(call: Call, folder: Path) -> None:
    from ingest.sample.library import make_sample_library
    from search.media import Kind

    call.say(f"Making the sample library in {folder}")
    library = make_sample_library(folder)
    counts = ", ".join(f"{len(library.of(kind))} {kind.collection}" for kind in Kind)
    call.say(f"{counts} and {len(library.broken)} broken files")


def _train(call: Call, client: Client) -> None:
    """Train the classifier where there is none. The library can be searched even when that fails."""
    from search.errors import LikewiseError, NotFoundError
    from web.commands.job_progress import follow

    try:
        client.get("/photographers/report")
    except NotFoundError:
        try:
            started = client.post("/photographers/train", {})
            call.say(follow(client, started["id"]).message)
        except LikewiseError as error:
            call.say(f"Its photographers are not told apart: {error}")
