"""Leases of jobs: the ledger names the one coordinator that runs a job.

A coordinator is a process with a :class:`ingest.jobs.service.JobService`. It takes a job's lease before it does
anything for the job, renews it every few seconds, and checks it in every transaction of the job. A coordinator whose
lease expired unnoticed (a suspended machine, a network that was cut) finds the name of another there and stops without
having changed anything. A lease expires when it is not renewed; the lease of a process that is known to be dead, as it
ran on this machine, ends at once.
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
"""After so long without a heartbeat, another coordinator may take a job."""

HEARTBEAT_SECONDS = 3.0
"""How often a coordinator renews its leases."""


class JobCommand(StrEnum):
    """What people have asked of a job, from any machine; column ``jobs.wanted``."""

    NOTHING = ""
    PAUSE = "pause"
    CANCEL = "cancel"


class LeasedJob(Protocol):
    """A running job whose lease is renewed."""

    def renew(self, connection: Connection, now: float) -> None:
        """Write a heartbeat at ``now``, read the job's command, and notice when another coordinator has its lease."""
        ...


def new_coordinator_name() -> str:
    """A readable, unique name for a coordinator in this process."""
    return f"{_machine()}/{os.getpid()}/{secrets.token_hex(4)}"


def is_free(row: Row[tuple[object, ...]], name: str, now: float) -> bool:
    """Whether the coordinator ``name`` has the lease of a job or may take it at time ``now``."""
    owner, heartbeat = row._mapping["owner"], row._mapping["heartbeat"]
    if owner in ("", name) or heartbeat is None or now - heartbeat > LEASE_SECONDS:
        return True
    return _is_dead(owner)


def take(connection: Connection, number: int, name: str, now: float) -> None:
    """Write the lease; the same transaction has checked that it is free."""
    connection.execute(update(jobs).where(jobs.c.id == number).values(owner=name, heartbeat=now))


def release(connection: Connection, numbers: Iterable[int], name: str) -> None:
    """Give up the leases that ``name`` holds of these jobs, for any coordinator to take."""
    mine = jobs.c.id.in_(list(numbers)) & (jobs.c.owner == name)
    connection.execute(update(jobs).where(mine).values(owner="", heartbeat=None))


class LeaseKeeper:
    """Renews the leases of one coordinator, in a thread: of jobs it runs and of jobs it has yet to start."""

    def __init__(self, ledger: Ledger, name: str) -> None:
        self.name = name
        self._ledger = ledger
        self._lock = threading.Lock()
        self._held: dict[int, LeasedJob | None] = {}
        self._beating: threading.Thread | None = None
        self._changed = threading.Event()

    def keep(self, number: int, live: LeasedJob | None = None) -> None:
        """Renew this job's lease from now on; ``live`` is the job once it runs, and obeys its commands."""
        with self._lock:
            self._held[number] = live
            if self._beating is None:
                self._beating = threading.Thread(target=self._beat, name="leases", daemon=True)
                self._beating.start()

    def drop(self, number: int) -> None:
        """Stop renewing this job's lease, and give it up."""
        with self._lock:
            self._held.pop(number, None)
            self._changed.set()
        try:
            with self._ledger.write() as connection:
                release(connection, [number], self.name)
        except LikewiseError as error:
            log.warning("The lease of job %d cannot be given up and expires by itself: %s", number, error)

    def drop_waiting(self) -> None:
        """Give up the leases of all jobs that have not started."""
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
                log.warning("The leases of jobs cannot be renewed now: %s", error)
            except Exception:  # the boundary of one heartbeat: without the next ones, others take the jobs
                log.exception("The leases of jobs cannot be renewed now")

    def _renew(self, held: Mapping[int, LeasedJob | None]) -> None:
        with self._ledger.write() as connection:
            now = self._ledger.now(connection)
            for number, live in held.items():
                if live is not None:
                    live.renew(connection, now)
                else:
                    mine = (jobs.c.id == number) & (jobs.c.owner == self.name)
                    connection.execute(update(jobs).where(mine).values(heartbeat=now))


def _machine() -> str:
    """Names where process ids are comparable: this host since its last start, in this container."""
    parts = [socket.gethostname()]
    for path in (Path("/proc/sys/kernel/random/boot_id"), Path("/proc/self/ns/pid")):
        try:
            parts.append(str(path.readlink()) if path.is_symlink() else path.read_text("ascii").strip())
        except OSError:
            continue
    return f"{parts[0][:32]}/{hashlib.sha256('/'.join(parts).encode()).hexdigest()[:8]}"


def _is_dead(owner: str) -> bool:
    """Whether this coordinator was a process of this machine that has ended."""
    machine, _, rest = owner.rpartition("/")[0].rpartition("/")
    if machine != _machine() or not rest.isdecimal():
        return False
    try:
        os.kill(int(rest), 0)
    except ProcessLookupError:
        return True
    except OSError:
        return False
    return False
