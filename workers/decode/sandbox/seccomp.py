"""Seccomp: a filter that leaves a decoder the system calls it computes with, and none that act on others.

What is not on the list is denied, so that calls of later kernels are, too. A denied call fails with EPERM, and the
library that made it goes on as without rights; calls that came with Linux 5.1 or later fail with ENOSYS, after which
libraries use what they used before (``clone3``: ``clone``, ``openat2``: ``openat``).

Source: seccomp(2); Linux, ``Documentation/userspace-api/seccomp_filter.rst``, ``include/uapi/linux/seccomp.h``,
``include/uapi/linux/audit.h``; numbers of calls: ``arch/x86/entry/syscalls/syscall_64.tbl`` and
``include/uapi/asm-generic/unistd.h``.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import struct
import sys

_CALLS = {
    # Reading and writing what is open
    "read": (0, 63), "readv": (19, 65), "pread64": (17, 67), "write": (1, 64), "writev": (20, 66), "lseek": (8, 62),
    "close": (3, 57), "dup": (32, 23), "dup2": (33, None), "dup3": (292, 24), "fadvise64": (221, 223),
    "getdents64": (217, 61), "poll": (7, None), "ppoll": (271, 73),
    # What paths are
    "stat": (4, None), "lstat": (6, None), "fstat": (5, 80), "newfstatat": (262, 79), "statx": (332, 291),
    "access": (21, None), "faccessat": (269, 48), "faccessat2": (439, 439), "readlink": (89, None),
    "readlinkat": (267, 78), "getcwd": (79, 17),
    # Memory
    "mmap": (9, 222), "munmap": (11, 215), "mremap": (25, 216), "mprotect": (10, 226), "madvise": (28, 233),
    "brk": (12, 214), "mbind": (237, 235), "get_mempolicy": (239, 236), "membarrier": (324, 283),
    # Threads of its own
    "futex": (202, 98), "set_robust_list": (273, 99), "rseq": (334, 293), "sched_yield": (24, 124),
    "sched_getaffinity": (204, 123), "getcpu": (309, 168), "exit": (60, 93), "exit_group": (231, 94),
    "rt_sigaction": (13, 134), "rt_sigprocmask": (14, 135), "rt_sigreturn": (15, 139), "sigaltstack": (131, 132),
    "restart_syscall": (219, 128),
    # Time, and what it and the machine are
    "clock_gettime": (228, 113), "clock_getres": (229, 114), "clock_nanosleep": (230, 115), "nanosleep": (35, 101),
    "gettimeofday": (96, 169), "time": (201, None), "times": (100, 153), "getrusage": (98, 165),
    "getrlimit": (97, 163), "getpid": (39, 172), "gettid": (186, 178), "getppid": (110, 173), "getuid": (102, 174),
    "geteuid": (107, 175), "getgid": (104, 176), "getegid": (108, 177), "uname": (63, 160), "sysinfo": (99, 179),
    "getrandom": (318, 278),
    # With some arguments only, see _conditions
    "open": (2, None), "openat": (257, 56), "clone": (56, 220), "kill": (62, 129), "tgkill": (234, 131),
    "prlimit64": (302, 261), "fcntl": (72, 25), "ioctl": (16, 29), "prctl": (157, 167), "recvmsg": (47, 212),
}  # fmt: skip
"""Numbers of the calls on x86-64 and on AArch64, None where there is no such call."""
_SECCOMP = (317, 277)
_MACHINES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}
"""Column of the numbers, and the architecture as the kernel tells it to a filter."""

_NEWER = 424
"""From this number on, calls are the same on every architecture, and no library relies on them being there."""

_CLONE_THREAD, _CLONE_NEW = 0x10000, 0x7E020080
"""A thread of this process, and all kinds of namespaces."""
_OPENED_TO_CHANGE = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | 0x400000
"""Ways of opening that write, create or empty a file; the last is O_TMPFILE's own bit."""
_FCNTL = (0, 1, 2, 3, 1030)
"""Duplicate a descriptor, read and set whether it is inherited, read its mode. Setting who is signalled is not among
them: it would send any signal to any process of the account."""
_IOCTL = (0x5401, 0x802C542A, 0x5450, 0x5451)
"""Ask whether it is a terminal, by either call, and set whether it is inherited."""
_PRCTL = (15, 16, 0x53564D41)
"""Name a thread, ask for its name, name memory."""

_REQUESTS = 0
"""Descriptor by which a decoder is given its files."""

_LOAD, _AND, _EQUAL, _AT_LEAST, _RETURN = 0x20, 0x54, 0x15, 0x35, 0x06
"""Operations of classic BPF: load a word, mask it, jump if it is equal or at least as large, return."""
_ALLOW, _KILL, _FAIL = 0x7FFF0000, 0x80000000, 0x00050000
_NUMBER, _ARCHITECTURE, _ARGUMENTS = 0, 4, 16
"""Bytes at which ``struct seccomp_data`` has them. Arguments have 64 bits, lower half first on both machines."""
_ALL_BITS = 0xFFFFFFFF
_SET_FILTER, _ALL_THREADS, _KEEP_SPECULATION = 1, 1, 4
"""Without the last, kernels before 5.16 switch off speculation past stores for what is filtered, which costs time and
guards nothing here: a decoder's memory holds nothing but the file."""

_Instruction = tuple[int, int, int, int]
"""Operation, instructions to skip if true and if false, and a constant."""
_Condition = tuple[int, int, tuple[int, ...]]
"""Byte of a word of ``struct seccomp_data``, a mask, and the values that the masked word may have."""


class SeccompError(Exception):
    """There is no filter; the message says why."""


def install_filter() -> None:
    """Filter the system calls of all threads of this process, for good. It needs ``no_new_privs``.

    Raises:
        SeccompError: the kernel takes no filter, or this machine's calls are not known; nothing was taken.
    """
    machine = platform.machine()
    if machine not in _MACHINES or sys.maxsize < 1 << 32:
        raise SeccompError(f"system calls of this machine ({machine}) have no list here, so they are not filtered")
    code = filter_for(machine, os.getpid())
    instructions = ctypes.create_string_buffer(code, len(code))
    program = struct.pack("@HP", len(code) // 8, ctypes.addressof(instructions))
    library = ctypes.CDLL(None, use_errno=True)
    number = ctypes.c_long(_SECCOMP[_MACHINES[machine][0]])
    for flags in (_ALL_THREADS | _KEEP_SPECULATION, _ALL_THREADS):
        if library.syscall(number, ctypes.c_uint(_SET_FILTER), ctypes.c_uint(flags), program) == 0:
            return
        if ctypes.get_errno() != errno.EINVAL:
            break
    raise SeccompError(f"the kernel takes no filter of system calls ({os.strerror(ctypes.get_errno())})")


def filter_for(machine: str, process: int) -> bytes:
    """The filter as instructions of classic BPF, 8 bytes each.

    Args:
        machine: ``x86_64`` or ``aarch64``; calls made as another architecture kill the process.
        process: its own id, the only one that it may send a signal.
    """
    column, architecture = _MACHINES[machine]
    code: list[_Instruction] = [
        (_LOAD, 0, 0, _ARCHITECTURE),
        (_EQUAL, 1, 0, architecture),
        (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, _NUMBER),
    ]
    conditions = _conditions(process)
    for name, numbers in _CALLS.items():
        number = numbers[column]
        if number is not None:
            body = [*(line for one in conditions.get(name, ()) for line in _unless(one)), (_RETURN, 0, 0, _ALLOW)]
            code += [(_EQUAL, 0, len(body), number), *body]
    code += [
        (_AT_LEAST, 0, 1, _NEWER),
        (_RETURN, 0, 0, _FAIL | errno.ENOSYS),
        (_RETURN, 0, 0, _FAIL | errno.EPERM),
    ]
    return b"".join(struct.pack("=HBBI", *line) for line in code)


def _conditions(process: int) -> dict[str, tuple[_Condition, ...]]:
    """All that must hold of the arguments of a call. Of numbers, the kernel looks at the lower half only, too."""

    def argument(at: int, *values: int, mask: int = _ALL_BITS, upper: bool = False) -> _Condition:
        return _ARGUMENTS + 8 * at + 4 * upper, mask, values

    return {
        "open": (argument(1, 0, mask=_OPENED_TO_CHANGE),),
        "openat": (argument(2, 0, mask=_OPENED_TO_CHANGE),),
        "clone": (argument(0, _CLONE_THREAD, mask=_CLONE_THREAD | _CLONE_NEW),),
        "kill": (argument(0, process),),
        "tgkill": (argument(0, process),),
        "prlimit64": (argument(0, 0), argument(2, 0), argument(2, 0, upper=True)),
        "fcntl": (argument(1, *_FCNTL),),
        "ioctl": (argument(1, *_IOCTL),),
        "prctl": (argument(0, *_PRCTL),),
        "recvmsg": (argument(0, _REQUESTS),),
    }


def _unless(condition: _Condition) -> list[_Instruction]:
    """Fail with EPERM unless the condition holds, else go on behind these."""
    word, mask, values = condition
    jumps = [(_EQUAL, len(values) - at, 0, value) for at, value in enumerate(values)]
    return [(_LOAD, 0, 0, word), (_AND, 0, 0, mask), *jumps, (_RETURN, 0, 0, _FAIL | errno.EPERM)]
