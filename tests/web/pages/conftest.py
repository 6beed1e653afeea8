"""Chromium, and a node served to it."""

from __future__ import annotations

import base64
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from flask import Flask
from flask.testing import FlaskClient
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright
from werkzeug.serving import make_server

from web.app import create_app

CHROMIUM = Path("/usr/bin/chromium")
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@pytest.fixture
def client(app: Flask, new_browser: Callable[[Flask], FlaskClient], monkeypatch: pytest.MonkeyPatch) -> FlaskClient:
    """Logged in by a cookie, so that forms need their token; the API gets that of the data directory."""
    browser = new_browser(app)
    open_with_cookie = browser.open

    def open_one(*args: Any, headers: Any = None, **options: Any) -> Any:
        if str(args[0]).startswith("/api/"):
            headers = {"Authorization": "Bearer own-token", **(headers or {})}
        return open_with_cookie(*args, headers=headers, **options)

    monkeypatch.setattr(browser, "open", open_one)
    return browser


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if not CHROMIUM.exists():
        pytest.skip(f"needs Chromium at {CHROMIUM}: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)  # a fresh profile each time
        yield _Inside(browser)  # type: ignore[misc]
        browser.close()


class _Inside:
    """A browser whose every window is logged in at the node that it is made for."""

    def __init__(self, browser: Browser) -> None:
        self.outside = browser

    def new_context(self, base_url: str, **options: Any) -> BrowserContext:
        context = self.outside.new_context(base_url=base_url, **options)
        made = context.request.post("/api/v1/logins", headers={"Authorization": "Bearer own-token"})
        assert context.request.get(made.json()["path"], max_redirects=0).status == 303
        return context


@pytest.fixture
def serving() -> Callable[[Any], AbstractContextManager[str]]:
    """Serves a node on a free port, within ``with``; its address."""

    @contextmanager
    def serve(node: Any) -> Iterator[str]:
        server = make_server("127.0.0.1", 0, create_app(node), threaded=True)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.port}"
        finally:
            server.shutdown()
            thread.join()

    return serve


@pytest.fixture
def address(node: Any, serving: Callable[[Any], AbstractContextManager[str]]) -> Iterator[str]:
    with serving(node) as address:
        yield address


@pytest.fixture
def page(browser: Browser, address: str) -> Iterator[Page]:
    """A wide page; fails the test that leaves errors in the console (the policy's violations are such)."""
    complaints: list[str] = []
    context = browser.new_context(base_url=address, viewport={"width": 1280, "height": 800})
    page = context.new_page()
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("dialog", lambda dialog: complaints.append(f"dialog: {dialog.message}"))
    yield page
    context.close()
    assert [text for text in complaints if "status of 4" not in text] == []


RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
"""Of axe-core: WCAG 2.2 to level AA, and what it calls best practice."""


@pytest.fixture
def barriers(browser: Browser, address: str) -> Callable[[Sequence[str]], list[str]]:
    """What axe-core finds on these pages, in both themes, each on a wide screen and a phone: rule, page, element."""

    def find(paths: Sequence[str]) -> list[str]:
        found = []
        for theme, width in (("light", 1440), ("dark", 390)):
            context = browser.new_context(
                base_url=address, viewport={"width": width, "height": 900}, color_scheme=theme, reduced_motion="reduce"
            )
            page = context.new_page()
            for path in paths:
                page.goto(path)
                page.locator(".scripted body").wait_for()
                for violation in Axe().run(page, options=RULES).response["violations"]:
                    found.append(f"{violation['id']}: {path} ({theme}) {violation['nodes'][0]['html'][:200]}")
            context.close()
        return found

    return find


@pytest.fixture
def drop() -> Callable[[Page, str, bytes], None]:
    """Lets go of a file over the page, as a file manager does."""

    def let_go(page: Page, name: str, content: bytes) -> None:
        page.evaluate(
            """([name, content]) => {
                const bytes = Uint8Array.from(atob(content), (letter) => letter.charCodeAt(0));
                const dataTransfer = new DataTransfer();
                dataTransfer.items.add(new File([bytes], name));
                for (const type of ["dragenter", "dragover", "drop"])
                    document.body.dispatchEvent(new DragEvent(type, { dataTransfer, bubbles: true, cancelable: true }));
            }""",
            [name, base64.b64encode(content).decode()],
        )

    return let_go
