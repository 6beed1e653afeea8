"""Landlock: what this process can open, connect to and signal, restricted for good.

Source: landlock(7); Linux, ``Documentation/userspace-api/landlock.rst`` and ``include/uapi/linux/landlock.h``. The
numbers of the three calls are the same on every architecture.
"""

from __future__ import annotations

import ctypes
import errno
import os
import struct
from collections.abc import Iterable
from pathlib import Path

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_VERSION_OF_ABI = 1
_RULE_PATH_BENEATH = 1

_READ_FILE, _READ_DIR = 1 << 2, 1 << 3
_FILE_RIGHTS = {1: (1 << 13) - 1, 2: 1 << 13, 3: 1 << 14, 5: 1 << 15}
"""What a ruleset can take from a process that opens paths, by the ABI that brought it: 13 rights from executing to
making symbolic links, then linking across folders, truncating, and ``ioctl`` on devices."""
_TCP_RIGHTS = {4: 0b11}
"""Binding and connecting."""
_SCOPES = {6: 0b11}
"""Connecting to abstract sockets of other processes, and sending them signals."""

_NOT_HERE = {
    errno.ENOSYS: "the kernel has no Landlock (Linux 5.13 brought it)",
    errno.EOPNOTSUPP: "Landlock is switched off (the boot parameter lsm= leaves it out)",
    errno.EPERM: "Landlock's calls are forbidden here (by a container's seccomp profile, say)",
}


class LandlockError(Exception):
    """Landlock cannot be used; the message says why."""


def kernel_abi() -> int:
    """What the kernel's Landlock can take: 1 knows paths, 3 truncating, 4 TCP, 6 signals and abstract sockets.

    Raises:
        LandlockError: there is none.
    """
    return _checked(_CREATE_RULESET, None, ctypes.c_size_t(0), ctypes.c_uint32(_VERSION_OF_ABI))


def confine(readable: Iterable[Path]) -> int:
    """Let this thread, and whatever threads it starts, open nothing but files at and below ``readable``, for reading.

    What is open stays open. Paths that do not exist are left out. It needs ``no_new_privs``.

    Returns:
        :func:`kernel_abi`.

    Raises:
        LandlockError: the kernel refuses it; nothing was taken.
    """
    abi = kernel_abi()
    attributes = struct.pack("=QQQ", _up_to(abi, _FILE_RIGHTS), _up_to(abi, _TCP_RIGHTS), _up_to(abi, _SCOPES))
    ruleset = _checked(_CREATE_RULESET, attributes, ctypes.c_size_t(len(attributes)), ctypes.c_uint32(0))
    try:
        for path in readable:
            _allow(ruleset, path)
        _checked(_RESTRICT_SELF, ctypes.c_int(ruleset), ctypes.c_uint32(0))
    finally:
        os.close(ruleset)
    return abi


def _allow(ruleset: int, path: Path) -> None:
    try:
        descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    try:
        rights = _READ_FILE | (_READ_DIR if path.is_dir() else 0)
        rule = struct.pack("=Qi", rights, descriptor)
        _checked(_ADD_RULE, ctypes.c_int(ruleset), ctypes.c_int(_RULE_PATH_BENEATH), rule, ctypes.c_uint32(0))
    finally:
        os.close(descriptor)


def _up_to(abi: int, since: dict[int, int]) -> int:
    """The bits that a kernel of this ABI knows."""
    bits = 0
    for first, more in since.items():
        bits |= more if first <= abi else 0
    return bits


def _checked(number: int, *arguments: object) -> int:
    """Result of a system call."""
    result: int = ctypes.CDLL(None, use_errno=True).syscall(ctypes.c_long(number), *arguments)
    if result < 0:
        code = ctypes.get_errno()
        raise LandlockError(_NOT_HERE.get(code, f"Landlock answers with {os.strerror(code)}"))
    return result
