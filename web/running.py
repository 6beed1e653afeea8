"""How the command line finds a running ``likewise up`` of the same data directory: ``server.json`` in it.

The file holds the address, the process id and a token of that process; only its owner may read it. It is there while
the server answers; one left behind by a killed process is recognised because nobody answers at its address.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import httpx

FILE = "server.json"


@dataclass(frozen=True, slots=True)
class Running:
    """A server of this data directory.

    Attributes:
        url: without a path, ``http://127.0.0.1:8000``.
        token: what to send as ``Authorization: Bearer``; never shown.
    """

    url: str
    pid: int
    token: str

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}


@contextmanager
def announced(home: Path, running: Running) -> Iterator[None]:
    """Let the command line find ``running`` for the time of the block."""
    path = home / FILE
    fresh = path.with_suffix(f".{running.pid}.tmp")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        json.dump(asdict(running), file)
    fresh.replace(path)
    try:
        yield
    finally:
        if running.pid == os.getpid() and _read(path) == running:  # not in a process that was forked meanwhile
            path.unlink(missing_ok=True)


def find_running(home: Path) -> Running | None:
    """The server of ``home`` that answers just now, or None."""
    running = _read(home / FILE)
    if running is None or not _is_alive(running.pid):
        return None
    try:
        answer = httpx.get(f"{running.url}/healthz", headers=running.headers, timeout=5, trust_env=False)
    except httpx.HTTPError:
        return None
    return running if answer.is_success else None


def _read(path: Path) -> Running | None:
    try:
        found = json.loads(path.read_text("utf-8"))
        return Running(str(found["url"]), int(found["pid"]), str(found["token"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
