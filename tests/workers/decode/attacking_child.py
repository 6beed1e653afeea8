"""A decoder child that a hostile file has taken over: it does to its target what the name of the file says.

It gives up its powers by the same call as any other decoder child. Its first arguments are the mechanisms that this
kernel shall seem to lack: ``landlock``, ``seccomp``.
"""

# What the system is asked to do is written as it is asked.
# ruff: noqa: PTH101, PTH102, PTH104, PTH108, PTH208, PTH211

from __future__ import annotations

import ctypes
import fcntl
import json
import os
import resource
import signal
import socket
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import NoReturn

from search.media import Kind
from workers.decode.decoded import Decoded, MediaFacts
from workers.decode.opened import OpenedMedia
from workers.decode.sandbox import powers
from workers.decode.sandbox.child import serve
from workers.decode.sandbox.landlock import LandlockError
from workers.decode.sandbox.options import DecodeOptions
from workers.decode.sandbox.seccomp import SeccompError
from workers.decode.sound import Sound

LIBC = ctypes.CDLL(None, use_errno=True)
ZERO = ctypes.c_ulong(0)
PTRACE_SEIZE, F_SETSIG = 0x4206, 10


def checked(result: int) -> int:
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


def read(path: str) -> None:
    with Path(path).open("rb") as file:
        file.read()


def opened(path: str, flags: int) -> None:
    os.close(os.open(path, flags, 0o600))


def connect(family: socket.AddressFamily, address: object) -> None:
    with socket.socket(family) as made:
        made.connect(address)


def fork() -> None:
    if (child := os.fork()) == 0:
        os._exit(0)
    os.waitpid(child, 0)


def read_memory(process: int, address: int) -> None:
    into = ctypes.create_string_buffer(8)
    here, there = ((ctypes.c_void_p * 2)(at, 8) for at in (ctypes.addressof(into), address))
    one = ctypes.c_ulong(1)
    checked(LIBC.process_vm_readv(process, here, one, there, one, ZERO))


def share_memory() -> None:
    made = checked(LIBC.shmget(0, ctypes.c_size_t(4096), 0o600))
    checked(LIBC.shmctl(made, 0, None))


def mount(folder: str) -> None:
    checked(LIBC.mount(b"none", folder.encode(), b"tmpfs", ZERO, None))
    checked(LIBC.umount2(folder.encode(), 2))


def direct_signals(process: int) -> None:
    """Have the kernel kill another process when something arrives here."""
    fcntl.fcntl(0, fcntl.F_SETOWN, process)
    fcntl.fcntl(0, F_SETSIG, signal.SIGKILL)
    fcntl.fcntl(0, fcntl.F_SETOWN, 0)


ATTACKS: dict[str, Callable[[SimpleNamespace], object]] = {
    "read a token": lambda at: read(f"{at.folder}/token"),
    "read passwords": lambda _: read("/etc/shadow"),
    "read a file beside": lambda at: read(at.precious),
    "open its own file by path": lambda at: read(f"/proc/self/fd/{at.own}"),
    "list a folder": lambda at: os.listdir(at.folder),
    "read its parent's environment": lambda _: read(f"/proc/{os.getppid()}/environ"),
    "connect to a port": lambda at: connect(socket.AF_INET, ("127.0.0.1", at.port)),
    "connect to a path": lambda at: connect(socket.AF_UNIX, at.path),
    "connect to an abstract name": lambda at: connect(socket.AF_UNIX, at.abstract),
    "fork": lambda _: fork(),
    "trace a process": lambda at: checked(LIBC.ptrace(PTRACE_SEIZE, at.process, None, None)),
    "read a process": lambda at: read_memory(at.process, at.address),
    "limit a process": lambda at: resource.prlimit(at.process, resource.RLIMIT_CORE, (0, 0)),
    "signal its parent": lambda _: os.kill(os.getppid(), signal.SIGWINCH),
    "direct signals": lambda at: direct_signals(at.process),
    "share memory": lambda _: share_memory(),
    "truncate a file": lambda at: os.truncate(at.precious, 0),
    "open a file emptied": lambda at: opened(at.precious, os.O_RDONLY | os.O_TRUNC),
    "open a file to write": lambda at: opened(at.precious, os.O_RDWR),
    "open its own file to write": lambda at: opened(f"/proc/self/fd/{at.own}", os.O_RDWR),
    "create a file": lambda at: opened(at.new, os.O_WRONLY | os.O_CREAT | os.O_EXCL),
    "create a temporary file": lambda at: opened(at.temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL),
    "make a folder": lambda at: os.mkdir(at.new),
    "make a link": lambda at: os.link(at.precious, at.new),
    "make a symbolic link": lambda at: os.symlink(at.precious, at.new),
    "rename a file": lambda at: os.rename(at.precious, at.new),
    "remove a file": lambda at: os.unlink(at.precious),
    "change a mode": lambda at: os.chmod(at.precious, 0o777),
    "change an owner": lambda at: os.chown(at.precious, os.getuid(), os.getgid()),
    "change its own file's mode": lambda at: os.fchmod(at.own, 0o777),
    "change its own file's times": lambda at: os.utime(at.own, (0, 0)),
    "mount": lambda at: mount(f"{at.folder}/folder"),
    "execute a program": lambda _: os.execv("/bin/sh", ["sh", "-c", "exit 42"]),
    "kill a process": lambda at: os.kill(at.process, signal.SIGKILL),
}


def work(_: SimpleNamespace) -> None:
    """What every decoder does: a thread, a module that nobody has imported before, signals to itself."""
    thread = threading.Thread(target=os.getpid)
    thread.start()
    thread.join()
    import wave

    assert wave
    os.kill(os.getpid(), 0)


def attack(media: OpenedMedia, kind: Kind | None, options: DecodeOptions, sound: Sound) -> Decoded:
    told = json.loads(os.pread(media.descriptor, 65536, 0))
    (ATTACKS | {"work": work})[media.name](SimpleNamespace(own=media.descriptor, **told))
    return Decoded(Kind.IMAGE, "done", MediaFacts())


def lacking(error: Exception) -> Callable[..., NoReturn]:
    def refuse(*_: object) -> NoReturn:
        raise error

    return refuse


if __name__ == "__main__":
    *without, options = sys.argv[1:]
    if "landlock" in without:
        powers.confine = lacking(LandlockError("the kernel has no Landlock"))
    if "seccomp" in without:
        powers.install_filter = lacking(SeccompError("the kernel takes no filter"))
    serve(attack, DecodeOptions.from_json(options))
