"""Open files below a folder, so that no symbolic link leads out of it, not even one that is made at that moment.

By ``openat2`` where the kernel has it (Linux 5.6), else by comparing what was opened with what was checked.
"""

# Paths stay text, as in ``workers.storage.files``.

from __future__ import annotations

import ctypes
import errno
import os
import stat

from search import addresses

_OPENAT2 = 437
"""Number of the system call, the same for x86 and ARM. Source: include/uapi/asm-generic/unistd.h of Linux."""

_NO_MAGICLINKS, _NO_SYMLINKS, _BENEATH = 0x02, 0x04, 0x08
"""Flags of ``resolve``. Source: openat2(2)."""

_FLAGS = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NOCTTY | os.O_NONBLOCK
"""Without O_NONBLOCK, opening a pipe that has been put in the file's place would wait for a writer."""

_TRIES = 8
"""The kernel asks to try again (EAGAIN) when folders are renamed meanwhile."""

_MISSING = (errno.ENOSYS, errno.EPERM)
"""There is no such call: an older kernel, or a sandbox that does not let it through."""

_libc = ctypes.CDLL(None, use_errno=True)


class _OpenHow(ctypes.Structure):
    _fields_ = (("flags", ctypes.c_uint64), ("mode", ctypes.c_uint64), ("resolve", ctypes.c_uint64))


def open_beneath(folder: str, path: str) -> int:
    """A descriptor, for reading, of a regular file at or below ``folder``. The caller closes it.

    Links on the way are followed where they stay below the folder, whose own path holds none.

    Raises:
        OSError: it cannot be opened; with EXDEV, it leads out of the folder; with EINVAL, it is no regular file.
    """
    real = os.path.realpath(path, strict=True)
    if not addresses.is_at_or_below(real, folder):
        raise OSError(errno.EXDEV, f"a symbolic link leads out of '{folder}'", path)
    descriptor = _open_without_links(real)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "it is no regular file", path)
    return descriptor


def _open_without_links(real: str) -> int:
    try:
        return _openat2(real)
    except OSError as error:
        if error.errno not in _MISSING:
            raise
    return _open_and_compare(real)


def _openat2(real: str) -> int:
    how = _OpenHow(_FLAGS, 0, _BENEATH | _NO_SYMLINKS | _NO_MAGICLINKS)
    top = os.open("/", os.O_PATH | os.O_CLOEXEC)
    try:
        for _ in range(_TRIES):
            descriptor: int = _libc.syscall(
                _OPENAT2, top, os.fsencode(real.lstrip("/")), ctypes.byref(how), ctypes.sizeof(how)
            )
            if descriptor >= 0:
                return descriptor
            number = ctypes.get_errno()
            if number != errno.EAGAIN:
                break
        raise OSError(number, os.strerror(number), real)
    finally:
        os.close(top)


def _open_and_compare(real: str) -> int:
    descriptor = os.open(real, _FLAGS)
    try:
        opened, there = os.fstat(descriptor), os.lstat(real)
        if not os.path.samestat(opened, there) or os.path.realpath(real) != real:
            raise OSError(errno.EXDEV, "it was replaced while it was opened", real)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor
