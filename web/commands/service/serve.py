"""``likewise serve``: serve page and API from several processes, as the web part of a cluster."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from web.commands.context import Call, common

if TYPE_CHECKING:
    from search.settings import Settings


@click.command("serve", short_help="Serve page and API from several processes; workers embed.")
@click.option("--host", help="Address to listen on.  [default: 127.0.0.1]")
@click.option("--port", type=int, help="Port to listen on; 0 picks a free one.  [default: 8000]")
@click.option("--processes", type=int, help="Processes that answer.  [default: 1]")
@click.option("--threads", type=int, help="Requests each of them answers at once.  [default: 8]")
@common
def command(call: Call, host: str | None, port: int | None, processes: int | None, threads: int | None) -> None:
    """Serve the page and the API, and run the jobs that are started there; a job whose process died is
    taken up by any other. With LIKEWISE_BROKER_URL set, `likewise worker` embeds and this loads no model. SIGTERM ends
    it when the answers in work are given. With --json one object is printed when the page can be opened."""
    from search.logs import configure_logging
    from web.commands.service.up import refuse_second

    settings = call.settings(host=host, port=port, web_processes=processes, web_threads=threads)
    check_processes(settings)
    refuse_second(settings)
    configure_logging(settings)
    with _shared_counts(settings):
        # Imported here: modules with metrics must know before their import that the counts are shared.
        from web.commands.service.up import announce
        from web.processes import serve_processes
        from web.serve import listen

        serve_processes(settings, listen(settings), lambda node, url: announce(call, node, url, browser=False))


def check_processes(settings: Settings) -> None:
    """Check that several processes can serve with these settings.

    Raises:
        SettingsError: they cannot share the store, or have no broker.
    """
    from search.errors import SettingsError

    if settings.store == "edge" and settings.web_processes > 1:
        raise SettingsError(
            f"The embedded store belongs to one process, but LIKEWISE_WEB_PROCESSES is {settings.web_processes}.",
            "Let one process serve, or use a Qdrant server (LIKEWISE_STORE=server).",
        )
    if settings.broker_url is None and settings.web_processes > 1:
        raise SettingsError(
            "Without a broker each process would load the models for itself, and know only its own uploads.",
            "Let one process serve, or set LIKEWISE_BROKER_URL and start `likewise worker`.",
        )


@contextmanager
def _shared_counts(settings: Settings) -> Iterator[None]:
    """Share the counts of all processes: Prometheus reads them from any one of them."""
    if settings.web_processes == 1:
        yield
        return
    from search.scrape import share_counts
    from search.store.temporary_folders import temporary_folder

    with temporary_folder("likewise-counts-") as folder:
        share_counts(folder)
        yield
