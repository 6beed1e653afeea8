"""Powers that a decoder child gives up before it reads the first request, as far as the kernel can take them.

A decoder that a hostile file has taken over runs as the account that started it. Afterwards it can still compute,
read the libraries of the decoders, read the file it was given, and answer.

Source: prctl(2), ``PR_SET_NO_NEW_PRIVS``; ``landlock`` and ``seccomp`` name theirs.
"""

from __future__ import annotations

import ctypes
import importlib.util
import os
import sys
import sysconfig
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from workers.decode.sandbox.landlock import LandlockError, confine
from workers.decode.sandbox.seccomp import SeccompError, install_filter

Wanted = Literal["auto", "required", "off"]
"""``auto``: what the kernel has; ``required``: Landlock and a filter, or no decoder; ``off``: none."""

_PR_SET_NO_NEW_PRIVS = 38
_LIBRARIES = ("av", "cv2", "numpy", "PIL", "pillow_heif", "rawpy")
"""Packages in whose folders, beside them, lies what decoders import while they decode."""
_PACKAGES = ("search", "workers")
"""Those of this project; what else lies beside them in a checkout is none of a decoder's business."""
_OF_THE_SYSTEM = (
    *("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib", "/nix/store", "/gnu/store", "/etc/ld.so.cache"),
    *("/etc/localtime", "/usr/share/zoneinfo", "/sys/devices/system/cpu"),
)
"""Shared libraries, time zones, and how many cores there are. Nothing below ``/proc``: what of it a decoder needs is
opened before."""


@dataclass(frozen=True, slots=True)
class Confinement:
    """What keeps a decoder child from acting on others, in words.

    Attributes:
        in_force: one a mechanism.
        lacking: one a mechanism that is missing, with the reason.
    """

    in_force: tuple[str, ...] = ()
    lacking: tuple[str, ...] = ()


class PowersKeptError(Exception):
    """Powers that had to be given up could not be; the message says which, and why."""


def give_up_powers(wanted: Wanted) -> Confinement:
    """Confine this process, for good. What is open stays open.

    Raises:
        PowersKeptError: something is lacking, and ``required``.
    """
    if wanted == "off":
        return Confinement(lacking=("LIKEWISE_DECODER_SANDBOX=off switches it off",))
    in_force, lacking = [], []
    if _forbid_new_privileges():
        in_force.append("no new privileges")
    else:
        lacking.append("no_new_privs cannot be set")
    try:
        abi = _confine_paths()
        in_force.append(f"Landlock (ABI {abi}): of all paths, only libraries can be opened, and only for reading")
    except LandlockError as error:
        lacking.append(f"{error}, so a decoder can open what its account can")
    try:
        install_filter()
        in_force.append("a filter of system calls: no sockets, no programs, no processes, no change to any file")
    except SeccompError as error:
        lacking.append(f"{error}, so a decoder can start programs and connect")
    if lacking and wanted == "required":
        raise PowersKeptError("; ".join(lacking))
    return Confinement(tuple(in_force), tuple(lacking))


def readable_paths() -> Iterator[Path]:
    """Files and folders that decoders read beside the file they are given; some may not exist."""
    yield from (folder for name in _PACKAGES for folder in _folders_of(name))
    yield from (folder.parent for name in _LIBRARIES for folder in _folders_of(name))
    yield from (Path(sysconfig.get_path(name)) for name in ("stdlib", "platstdlib"))
    yield from (Path(prefix, folder) for prefix in {sys.prefix, sys.base_prefix} for folder in ("lib", "lib64"))
    yield from (Path(folder) for folder in os.environ.get("LD_LIBRARY_PATH", "").split(":") if folder)
    yield from map(Path, _OF_THE_SYSTEM)


def _folders_of(package: str) -> list[Path]:
    found = importlib.util.find_spec(package)
    return [Path(folder) for folder in (found and found.submodule_search_locations) or ()]


def _confine_paths() -> int:
    """Landlock's ABI.

    Raises:
        LandlockError: it cannot be used.
    """
    threads = len(os.listdir("/proc/self/task"))  # noqa: PTH208  (names are enough)
    if threads > 1:
        raise LandlockError(f"Landlock holds for one thread, and there are {threads}")
    return confine(readable_paths())


def _forbid_new_privileges() -> bool:
    """Whether set-user-id programs and file capabilities count no more; Landlock and filters ask for that."""
    zero = ctypes.c_ulong(0)
    result: int = ctypes.CDLL(None).prctl(_PR_SET_NO_NEW_PRIVS, ctypes.c_ulong(1), zero, zero, zero)
    return result == 0
