"""Opens a page in the browser of the person at this terminal."""

from __future__ import annotations

import sys
import webbrowser


def open_in_browser(address: str) -> None:
    """Open a page where a person sits at a terminal and has a browser with windows; else do nothing.

    Other accounts may see the address among the arguments of the browser's process; see ``web.access.peer``.
    """
    if not sys.stdout.isatty():
        return
    try:
        browser = webbrowser.get()
    except webbrowser.Error:
        return
    if type(browser) is not webbrowser.GenericBrowser:  # those would take over the terminal
        browser.open(address)
