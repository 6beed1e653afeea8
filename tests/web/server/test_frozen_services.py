"""A store that never answers: what needs it fails in time, and what does not is answered meanwhile."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from search.deadlines import within_deadline
from search.errors import StoreUnavailableError
from web.app import create_app
from web.server import deadlines

from .conftest import TOKEN, Server

Start = Callable[..., Server]

THREADS = 4
REQUESTS = 20
HANGS_SECONDS = 30.0


class FrozenStore:
    """Answers nothing, as long as its caller waits."""

    def __init__(self) -> None:
        self.waited: list[float] = []

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def call(*_arguments: object, **_options: object) -> None:
            seconds = within_deadline(HANGS_SECONDS)
            self.waited.append(seconds)
            time.sleep(seconds)
            raise StoreUnavailableError("The store does not answer.")

        return call


@pytest.fixture
def store() -> FrozenStore:
    return FrozenStore()


@pytest.fixture
def server(start: Start, make_node: Callable[..., Any], store: FrozenStore) -> Server:
    node = make_node(store_seconds=2, web_threads=THREADS)
    node.store = store
    return start(create_app(node).wsgi_app, threads=THREADS)


def get(server: Server, path: str) -> httpx.Response:
    headers = {"Authorization": f"Bearer {TOKEN}", "Accept": "text/html"}
    return httpx.get(server.url + path, headers=headers, timeout=HANGS_SECONDS, trust_env=False)


def test_pages_end_at_their_deadline_and_the_rest_is_answered_meanwhile(server: Server, store: FrozenStore) -> None:
    with ThreadPoolExecutor(REQUESTS) as readers:
        pages = [readers.submit(get, server, "/?q=forest") for _ in range(REQUESTS)]
        while len(store.waited) < THREADS:
            time.sleep(0.01)
        for path in ("/healthz", "/static/mark.svg", "/metrics"):
            assert get(server, path).status_code == 200, path
            assert not any(page.done() for page in pages), f"{path} waited for the store"
        answers = [page.result() for page in pages]
    assert {answer.status_code for answer in answers} == {503}
    assert all("does not answer" in answer.text and answer.headers["Retry-After"] for answer in answers)
    # The time in the queue counts: those that waited there do not begin to wait for the store.
    assert sum(store.waited) < THREADS * 3 < REQUESTS * 2


@pytest.mark.parametrize(
    ("endpoint", "method", "scopes", "seconds"),
    [
        ("pages.search", "GET", {}, 10),
        ("api.similar", "POST", {"api.similar": "read"}, 10),
        ("api.start_ingest", "POST", {"api.start_ingest": "ingest"}, deadlines.CHANGE_SECONDS),
        ("health.readyz", "GET", {}, deadlines.PROBE_SECONDS),
        ("health.metrics", "GET", {}, deadlines.METRICS_SECONDS),
    ],
)
def test_what_changes_something_has_more_time(
    endpoint: str, method: str, scopes: dict[str, Any], seconds: float
) -> None:
    assert deadlines._seconds(endpoint, method, scopes, 10.0) == seconds
