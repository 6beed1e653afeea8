"""Who runs a job: the one coordinator that holds its lease in the ledger.

A coordinator is a process with an :class:`ingest.jobs.service.JobService`. It takes a job's lease before it does anything
for it, renews it every few seconds, and looks for it in every transaction of the job: one that slept through the end
of its lease (a paused machine, a network that was cut) finds another's name there, and stops without having changed
anything. A lease that nobody renews runs out; one whose holder was a process of this very machine and is dead runs
out at once.
"""

from __future__ import annotations

import hashlib
import logging
import os
import secrets
import socket
import threading
from collections.abc import Iterable, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from sqlalchemy import Connection, Row, update

from ingest.ledger.database import Ledger
from ingest.ledger.tables import jobs
from search.errors import LikewiseError

log = logging.getLogger(__name__)

LEASE_SECONDS = 30.0
"""After so long without a sign of life, a job may be taken from its coordinator."""

HEARTBEAT_SECONDS = 3.0


class JobCommand(StrEnum):
    """What people have asked of a job, from whichever machine."""

    NOTHING = ""
    PAUSE = "pause"
    CANCEL = "cancel"


class LeasedJob(Protocol):
    """A job that runs in this process, as its heart beats."""

    def renew(self, connection: Connection, now: float) -> None:
        """Write down that it is alive, and hear what is wanted of it; find out that it is another's now."""
        ...


def new_coordinator_name() -> str:
    """A name for a coordinator in this process: readable, and unlike that of any other there ever was."""
    return f"{_place()}/{os.getpid()}/{secrets.token_hex(4)}"


def is_free(row: Row[tuple[object, ...]], name: str, now: float) -> bool:
    """Whether the coordinator called ``name`` may take (or has) the lease of a job."""
    owner, heartbeat = row._mapping["owner"], row._mapping["heartbeat"]
    if owner in ("", name) or heartbeat is None or now - heartbeat > LEASE_SECONDS:
        return True
    return _is_dead(owner)


def take(connection: Connection, number: int, name: str, now: float) -> None:
    """Write the lease down; whether that may be done has been seen in the same transaction."""
    connection.execute(update(jobs).where(jobs.c.id == number).values(owner=name, heartbeat=now))


def release(connection: Connection, numbers: Iterable[int], name: str) -> None:
    """Let jobs go that ``name`` holds, for anybody to take."""
    mine = jobs.c.id.in_(list(numbers)) & (jobs.c.owner == name)
    connection.execute(update(jobs).where(mine).values(owner="", heartbeat=None))


class LeaseKeeper:
    """Keeps the leases of one coordinator: of jobs it runs, and of those it has yet to begin."""

    def __init__(self, ledger: Ledger, name: str) -> None:
        self.name = name
        self._ledger = ledger
        self._lock = threading.Lock()
        self._held: dict[int, LeasedJob | None] = {}
        self._beating: threading.Thread | None = None
        self._changed = threading.Event()

    def keep(self, number: int, live: LeasedJob | None = None) -> None:
        """Renew this job's lease from now on; ``live`` hears what is wanted of it."""
        with self._lock:
            self._held[number] = live
            if self._beating is None:
                self._beating = threading.Thread(target=self._beat, name="leases", daemon=True)
                self._beating.start()

    def drop(self, number: int) -> None:
        """Renew it no longer, and let it go."""
        with self._lock:
            self._held.pop(number, None)
            self._changed.set()
        try:
            with self._ledger.write() as connection:
                release(connection, [number], self.name)
        except LikewiseError as error:
            log.warning("The lease of job %d runs out by itself: %s", number, error)

    def drop_waiting(self) -> None:
        """Let go of every job that has not begun."""
        with self._lock:
            waiting = [number for number, live in self._held.items() if live is None]
        for number in waiting:
            self.drop(number)

    def _beat(self) -> None:
        while True:
            self._changed.wait(HEARTBEAT_SECONDS)
            with self._lock:
                self._changed.clear()
                held = dict(self._held)
                if not held:
                    self._beating = None
                    return
            try:
                self._renew(held)
            except LikewiseError as error:
                log.warning("The leases of jobs cannot be renewed just now: %s", error)

    def _renew(self, held: Mapping[int, LeasedJob | None]) -> None:
        with self._ledger.write() as connection:
            now = self._ledger.now(connection)
            for number, live in held.items():
                if live is not None:
                    live.renew(connection, now)
                else:
                    mine = (jobs.c.id == number) & (jobs.c.owner == self.name)
                    connection.execute(update(jobs).where(mine).values(heartbeat=now))


def _place() -> str:
    """Where process numbers mean the same: this host, since it was started, in this container."""
    parts = [socket.gethostname()]
    for path in (Path("/proc/sys/kernel/random/boot_id"), Path("/proc/self/ns/pid")):
        try:
            parts.append(str(path.readlink()) if path.is_symlink() else path.read_text("ascii").strip())
        except OSError:
            continue
    return f"{parts[0][:32]}/{hashlib.sha256('/'.join(parts).encode()).hexdigest()[:8]}"


def _is_dead(owner: str) -> bool:
    """Whether this was a process that can be seen from here to be gone."""
    place, _, rest = owner.rpartition("/")[0].rpartition("/")
    if place != _place() or not rest.isdecimal():
        return False
    try:
        os.kill(int(rest), 0)
    except ProcessLookupError:
        return True
    except OSError:
        return False
    return False
