"""A store, ledger or broker that is frozen, behind a served page: it is alive, fails in time, and goes on at once."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from search.store.server.timing import ALIASES_HELD

pytestmark = pytest.mark.chaos

SECONDS = 7.0
"""What a request may wait for them."""
MARGIN = 3.0
"""More than a busy machine needs beyond that, and less than any timeout of theirs."""
REQUESTS = 20
TOKEN = "correct horse battery"


@pytest.fixture
def start_serving(tmp_path: Path, repository: Path) -> Iterator[Callable[..., str]]:
    """Starts `likewise serve` with these settings; the address of its page."""
    started: list[subprocess.Popen[str]] = []

    def start(**variables: str) -> str:
        command = [sys.executable, "-m", "web.cli", "serve", "--home", str(tmp_path / "home"), "--port", "0", "--json"]
        environ = {name: value for name, value in os.environ.items() if not name.startswith("LIKEWISE_")} | variables
        with (tmp_path / "serve.log").open("w") as log:
            process = subprocess.Popen(
                command, cwd=repository, stdout=subprocess.PIPE, stderr=log, text=True, env=environ
            )
        started.append(process)
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line, (tmp_path / "serve.log").read_text()
        return str(json.loads(line)["url"])

    yield start
    for process in started:
        process.kill()
        process.wait()


def get(url: str) -> tuple[int, float]:
    """Status, and seconds until the answer."""
    began = time.monotonic()
    headers = {"Authorization": f"Bearer {TOKEN}", "Accept": "text/html"}
    status = httpx.get(url, headers=headers, timeout=60, trust_env=False).status_code
    return status, time.monotonic() - began


def test_each_in_turn(start_serving: Callable[..., str], qdrant: Any, broker: Any, postgres: Any) -> None:
    url = start_serving(
        LIKEWISE_STORE="server",
        LIKEWISE_QDRANT_URL=qdrant.url,
        LIKEWISE_BROKER_URL=broker.url,
        LIKEWISE_DATABASE_URL=postgres.make(),
        LIKEWISE_TOKEN=TOKEN,
        LIKEWISE_STORE_SECONDS=str(SECONDS),
    )
    parts: dict[str, tuple[Callable[[], object], Callable[[], object], str]] = {
        "store": (qdrant.freeze, qdrant.thaw, "/"),
        "ledger": (postgres.freeze, postgres.thaw, "/jobs"),
        "broker": (
            lambda: os.kill(broker.pid, signal.SIGSTOP),
            lambda: os.kill(broker.pid, signal.SIGCONT),
            "/status",
        ),
    }
    for name, (freeze, thaw, page) in parts.items():
        assert get(url + page)[0] == 200, name
        freeze()
        time.sleep(ALIASES_HELD)  # for which a server's collections are not asked for anew
        try:
            with ThreadPoolExecutor(REQUESTS) as readers:
                waiting = [readers.submit(get, url + page) for _ in range(REQUESTS)]
                time.sleep(0.2)
                for alive in ("/healthz", "/static/mark.svg", "/metrics"):
                    status, seconds = get(url + alive)
                    assert (status, seconds < MARGIN) == (200, True), (name, alive, seconds)
                answers = [one.result() for one in waiting]
            assert max(seconds for _, seconds in answers) < SECONDS + MARGIN, (name, answers)
            if name != "broker":  # without which pages are shown, and say so
                assert {status for status, _ in answers} == {503}, name
            assert get(url + "/readyz")[0] == 503, name
        finally:
            thaw()
        status, seconds = get(url + page)
        assert (status, seconds < MARGIN) == (200, True), (name, seconds)
