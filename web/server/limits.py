"""How long and how much the server waits for clients, and room for the bodies that it receives."""

from __future__ import annotations

import ipaddress
import resource
import threading
from dataclasses import dataclass

from search.settings import Settings

MIB = 1 << 20

DESCRIPTORS = 3
"""Most open files of a connection: itself, a body on disk, a file that is sent."""
OTHER_DESCRIPTORS = 512
"""Open files of everything else in the process: store, ledger, decoders."""

OVERHEAD = MIB
UPLOADS_AT_ONCE = 4
"""So many uploads of the largest size have room at once, over all processes that serve one address."""


CONNECTIONS = 1024
"""Of one process, where it may have enough open files."""


@dataclass(frozen=True, slots=True)
class ServerLimits:
    """What one process grants its clients; times in seconds, sizes in bytes.

    Attributes:
        largest_upload: of a file; a body that exceeds it by more than ``OVERHEAD`` is refused, whatever it is for.
        all_bodies: declared sizes of the bodies that are being received or worked on, together.
        connections: open at once; more closes the one that has waited longest for a request, or is refused.
        connections_an_address: of one address, or of one IPv6 network of 64 bits; None where a proxy is in front.
        head_seconds: from connecting, or from the first byte of a request, to the end of its headers.
        body_rate: least bytes a second of a body, on average, after the first ``head_seconds``.
        idle_seconds: between two requests of a connection.
        reader_seconds: a client that takes nothing of its answer for so long is gone.
        linger_seconds: what a refused client still sends is thrown away for so long, so that it reads why.
        drain_seconds: for answers in work, when the server is told to stop.
        drain_head_seconds: for requests that have only begun to arrive then, and for clients that take nothing.
        tick: how often all this is checked.
    """

    largest_upload: int
    all_bodies: int
    connections: int = CONNECTIONS
    connections_an_address: int | None = CONNECTIONS // 2
    head_seconds: float = 20.0
    body_rate: float = 8192.0
    idle_seconds: float = 60.0
    reader_seconds: float = 120.0
    linger_seconds: float = 5.0
    drain_seconds: float = 15.0
    drain_head_seconds: float = 2.0
    tick: float = 1.0

    @classmethod
    def of(cls, settings: Settings, processes: int) -> ServerLimits:
        """Limits of one of the processes that serve with these settings at one address."""
        largest = settings.max_upload_mb * MIB
        connections = _connections(CONNECTIONS)
        return cls(
            largest_upload=largest,
            all_bodies=max(1, UPLOADS_AT_ONCE // processes) * (largest + OVERHEAD),
            connections=connections,
            connections_an_address=None if settings.web_proxies else connections // 2,
        )


def _connections(wanted: int) -> int:
    """How many connections the process may have open files for, after raising its own limit as far as it may."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = DESCRIPTORS * wanted + OTHER_DESCRIPTORS
    if soft != resource.RLIM_INFINITY and soft < needed:
        soft = needed if hard == resource.RLIM_INFINITY else min(hard, needed)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    if soft == resource.RLIM_INFINITY or soft >= needed:
        return wanted
    return max(16, (soft - OTHER_DESCRIPTORS) // DESCRIPTORS)


class BodyRoom:
    """Bytes that all bodies may take together, in memory and on disk. Thread-safe.

    Attributes:
        free: bytes that no body takes at present.
    """

    def __init__(self, most: int) -> None:
        self._lock = threading.Lock()
        self.free = most

    def reserve(self, size: int) -> Reservation | None:
        """Room for a body of ``size`` bytes; None where there is none at present."""
        with self._lock:
            if size > self.free:
                return None
            self.free -= size
        return Reservation(self, size)

    def give_back(self, size: int) -> None:
        with self._lock:
            self.free += size


class Reservation:
    """Room for one body, until :meth:`end`, which may be called more than once and from any thread."""

    def __init__(self, room: BodyRoom, size: int) -> None:
        self._room, self._size = room, size
        self._lock = threading.Lock()

    def end(self) -> None:
        with self._lock:
            size, self._size = self._size, 0
        self._room.give_back(size)


def origin_of(address: str) -> str:
    """An IPv4 address, or the network of an IPv6 address: one household or machine has 64 bits of them."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped is not None:
            return str(parsed.ipv4_mapped)
        return str(ipaddress.ip_network((parsed, 64), strict=False))
    return address
