"""``likewise open``: open the page of the running server in a browser."""

from __future__ import annotations

import click

from web.commands.context import Call, common


@click.command("open", short_help="Open the page of the running `likewise up`.")
@click.option("--no-browser", is_flag=True, help="Only print the page's address.")
@common
def command(call: Call, no_browser: bool) -> None:
    """Print the address of the running page with a code that lets one browser in, and open it where there is one."""
    from search.errors import NotFoundError, StoreUnavailableError
    from web.client import connect
    from web.commands.service.browser import open_in_browser
    from web.running import find_running

    settings = call.settings()
    url = settings.server_url
    if url is None:
        running = find_running(settings.home)
        if running is None:
            raise StoreUnavailableError(
                f"Likewise is not up for {settings.home}.", "Start it with `likewise up`, which opens the page."
            )
        url = running.url
    with connect(settings) as client:
        try:
            address = url.rstrip("/") + client.post("/logins")["path"]
        except NotFoundError:  # a server of 0.1.0, which lets every browser in
            address = url
    call.answer({"url": url, "open": address}, lambda console: console.print(address))
    if not no_browser and not call.json:
        open_in_browser(address)
