"""Find the running server of a data directory by ``server.json`` in it.

The file holds the address, the process id and a token of that process; only its owner may read it. It exists while the
server answers; one of a killed process is recognised because no server answers at its address. A file without a version
is of Likewise 0.1.0, which ignores the key.
"""

from __future__ import annotations

import json
import os
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import httpx

from search.errors import StoreLockedError

FILE = "server.json"
VERSION = 1
"""Version of the layout of the file."""

_PATIENCE = httpx.Timeout(20.0, connect=5.0)
"""Seconds. A server that loads models on a busy machine answers late, and nobody else may open its store."""


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
    """Let the command line find ``running`` within the block."""
    path = home / FILE
    fresh = path.with_suffix(f".{running.pid}.tmp")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        json.dump({"version": VERSION} | asdict(running), file)
    fresh.replace(path)
    try:
        yield
    finally:
        if running.pid == os.getpid() and _read(path) == running:  # not in a process that was forked meanwhile
            path.unlink(missing_ok=True)


def without_certificates() -> ssl.SSLContext:
    """For clients of servers of this machine, which use no TLS: reading all authorities takes longer than they take to
    answer."""
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def find_running(home: Path) -> Running | None:
    """The server of ``home`` that answers at present, or None.

    Raises:
        StoreLockedError: a running server of a newer version has written a layout that is not known here.
    """
    running = _read(home / FILE)
    if running is None or not _is_alive(running.pid):
        return None
    try:
        answer = httpx.get(
            f"{running.url}/healthz",
            headers=running.headers,
            timeout=_PATIENCE,
            trust_env=False,
            verify=without_certificates(),
        )
    except httpx.HTTPError:
        return None
    return running if answer.is_success else None


def _read(path: Path) -> Running | None:
    try:
        found = json.loads(path.read_text("utf-8"))
        version, pid = int(found.get("version", 1)), int(found["pid"])
        if version > VERSION and _is_alive(pid):
            raise StoreLockedError(
                f"A newer version of Likewise serves {path.parent}, whose {path.name} has layout {version}.",
                "Use that version, or stop it first.",
            )
        return Running(str(found["url"]), pid, str(found["token"]))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
