"""``likewise up``: serve the page on this machine, and ingest folders in the background."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from web.commands.context import Call, common
from web.commands.path_arguments import PathOrAddress
from web.commands.service.browser import open_in_browser

if TYPE_CHECKING:
    from ingest.node import Node
    from search.settings import Settings


@click.command("up", short_help="Open the page and import folders in the background.")
@click.argument("paths", nargs=-1, metavar="[PATH…]", type=PathOrAddress())
@click.option("--host", help="Address to listen on.  [default: 127.0.0.1]")
@click.option("--port", type=int, help="Port to listen on; 0 picks a free one.  [default: 8000]")
@click.option("--library", help="Name for what is below the paths.  [default: the folder's own]")
@click.option("--no-browser", is_flag=True, help="Only print the page's address.")
@common
def command(
    call: Call, paths: tuple[str, ...], host: str | None, port: int | None, library: str | None, no_browser: bool
) -> None:
    """Open the page at http://127.0.0.1:8000 and import what is below PATH meanwhile. Ctrl-C ends it; jobs that were
    cut short go on at the next start. The address that is printed lets one browser in; `likewise open` makes another.
    With --json one object is printed when the page can be opened."""
    from web.api.jobs import NewJob, start_job

    settings = call.settings(host=host, port=port)

    def begin(node: Node) -> None:
        node.resume_unfinished()
        if paths:
            start_job(node, NewJob(paths, library))

    run_server(call, settings, begin, browser=not no_browser)


def run_server(call: Call, settings: Settings, begin: Callable[[Node], None], *, browser: bool) -> None:
    """Serve a node of these settings until interrupted.

    Args:
        begin: given the open node before its page is served.
        browser: open the page in a browser, where a person sits at a terminal with one.

    Raises:
        LikewiseError: it is being served already, or cannot be.
    """
    from ingest.opening import open_node
    from search.logs import configure_logging
    from web.serve import listen, serve

    refuse_second(settings)
    configure_logging(settings)
    with listen(settings) as listening, open_node(settings) as node:
        begin(node)  # first, so that a wrong path is reported at once, and folders are scanned while models are loaded
        node.prepare()
        node.warm()
        node.watch_jobs()
        serve(node, listening, lambda url: announce(call, node, url, browser=browser))
        call.say("Stopping: the batch in work is finished first.")


def refuse_second(settings: Settings) -> None:
    """Check that no server of this data directory is running.

    Raises:
        StoreLockedError: one answers, or one of a newer version has left its address.
    """
    from search.errors import StoreLockedError
    from web.running import find_running

    running = find_running(settings.home)
    if running is not None:
        raise StoreLockedError(
            f"Likewise is already up for {settings.home}: {running.url} (process {running.pid}).",
            "Open that page; `likewise ingest PATH` hands it more to import.",
        )


def announce(call: Call, node: Node, url: str, *, browser: bool) -> None:
    """Say where the page is; on loopback by an address that logs one browser in."""
    from web.access.operations import login_address
    from web.auth import is_loopback

    address = login_address(node, url) if is_loopback(node.settings.host) else url
    once = "" if address == url else "this address works once, `likewise open` makes another; "
    told = f"Likewise is up at {address}  ({once}data in {node.settings.home}; Ctrl-C ends it)"
    call.answer(
        {"url": url, "open": address, "home": str(node.settings.home), "notes": list(node.notes)},
        lambda console: console.print(told),
    )
    if browser and not call.json:
        open_in_browser(address)
