"""The account at the other end of a connection on this machine.

The kernel knows to whom each socket belongs and says so in ``/proc/net/tcp`` (Linux; see proc_net_tcp in the kernel's
documentation). So a login code or a session cookie that another account of this machine got hold of is of no use to it.
"""

from __future__ import annotations

import ipaddress
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

TABLES = (Path("/proc/net/tcp"), Path("/proc/net/tcp6"))
CONNECTION = "likewise.connection"
"""Key of a WSGI environment: what has been found out about the connection, a dictionary that lasts as long as it."""
_LOCAL, _REMOTE, _UID, _INODE = 1, 2, 7, 9
"""Columns of the tables."""


def account_of(environ: Mapping[str, Any]) -> int | None:
    """User id of the program that sent a WSGI request from this machine; None where that is not known.

    The kernel is asked once a connection: a socket keeps its user id, and the tables are as long as there are sockets.
    """
    known: dict[str, int] = environ.get(CONNECTION, {})
    if "account" not in known:
        found = _looked_up(environ)
        if found is None:
            return None
        known["account"] = found
    return known["account"]


def _looked_up(environ: Mapping[str, Any]) -> int | None:
    try:
        address = ipaddress.ip_address(str(environ["REMOTE_ADDR"]))
        port, own = int(str(environ["REMOTE_PORT"])), int(str(environ["SERVER_PORT"]))
    except (KeyError, ValueError):
        return None
    if not address.is_loopback:
        return None
    local = {f"{form}:{port:04X}" for form in _written(address)}
    for table in TABLES:
        try:
            lines = table.read_text("ascii").splitlines()[1:]
        except OSError:
            continue
        for line in lines:
            columns = line.split()
            # A socket without an inode has been closed by its program, and tells no account any more.
            if columns[_LOCAL] in local and columns[_REMOTE].endswith(f":{own:04X}") and columns[_INODE] != "0":
                return int(columns[_UID])
    return None


def _written(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> list[str]:
    """How the tables write an address: words of 32 bits in hex, in the machine's order of bytes."""
    if isinstance(address, ipaddress.IPv4Address):
        mapped = ipaddress.IPv6Address(f"::ffff:{address}")
        return [_words(address.packed), _words(mapped.packed)]
    return [_words(address.packed)]


def _words(packed: bytes) -> str:
    words = (packed[at : at + 4] for at in range(0, len(packed), 4))
    return "".join(f"{int.from_bytes(word, sys.byteorder):08X}" for word in words)
