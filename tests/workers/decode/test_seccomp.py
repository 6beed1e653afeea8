"""The filter of system calls of both machines, run as the kernel runs it."""

from __future__ import annotations

import errno
import os
import signal
import struct

import pytest

from workers.decode.sandbox import seccomp


class Simulated:
    """A kernel that runs the filter of one machine. Source: Linux, ``Documentation/networking/filter.rst``."""

    def __init__(self, machine: str, process: int) -> None:
        self.architecture = seccomp._MACHINES[machine][1]
        self.lines = list(struct.iter_unpack("=HBBI", seccomp.filter_for(machine, process)))

    def answer(self, number: int, *arguments: int, architecture: int | None = None) -> str:
        data = struct.pack("=IIQ6Q", number, architecture or self.architecture, 0, *(arguments + (0,) * 6)[:6])
        at = held = 0
        while True:
            code, yes, no, value = self.lines[at]
            at += 1
            if code == 0x20:
                (held,) = struct.unpack_from("=I", data, value)
            elif code == 0x54:
                held &= value
            elif code in (0x15, 0x35):
                at += yes if (held == value if code == 0x15 else held >= value) else no
            else:
                assert code == 0x06
                action, detail = value & 0xFFFF0000, value & 0xFFFF
                return {0x7FFF0000: "allowed", 0x80000000: "killed"}.get(action) or errno.errorcode[detail]


OWN, THREAD = 4321, 0x3D0F00
"""A process, and the flags with which glibc starts a thread."""
CALLS = [
    # On x86-64 and AArch64, arguments, answer
    ((0, 63), (), "allowed"),  # read
    ((257, 56), (0, 0, os.O_RDONLY | os.O_CLOEXEC), "allowed"),  # openat
    ((257, 56), (0, 0, os.O_WRONLY), "EPERM"),
    ((257, 56), (0, 0, os.O_RDWR), "EPERM"),
    ((257, 56), (0, 0, os.O_CREAT), "EPERM"),
    ((257, 56), (0, 0, os.O_TRUNC), "EPERM"),
    ((257, 56), (0, 0, os.O_TMPFILE), "EPERM"),
    ((56, 220), (THREAD,), "allowed"),  # clone
    ((56, 220), (signal.SIGCHLD,), "EPERM"),
    ((56, 220), (THREAD | 0x40000000,), "EPERM"),  # a thread in a new network
    ((62, 129), (OWN, signal.SIGABRT), "allowed"),  # kill
    ((62, 129), (0, signal.SIGKILL), "EPERM"),
    ((62, 129), (2**32 - 1, signal.SIGKILL), "EPERM"),
    ((234, 131), (OWN, OWN + 1, signal.SIGABRT), "allowed"),  # tgkill
    ((234, 131), (OWN + 1, OWN + 1, signal.SIGKILL), "EPERM"),
    ((302, 261), (0, 3, 0, 1), "allowed"),  # prlimit64
    ((302, 261), (0, 3, 1 << 32), "EPERM"),
    ((302, 261), (OWN + 1, 3, 0), "EPERM"),
    ((72, 25), (3, 1030, 3), "allowed"),  # fcntl F_DUPFD_CLOEXEC
    ((72, 25), (3, 8, OWN + 1), "EPERM"),  # F_SETOWN
    ((72, 25), (3, 4, 0x2000), "EPERM"),  # F_SETFL O_ASYNC
    ((16, 29), (0, 0x5401), "allowed"),  # ioctl TCGETS
    ((16, 29), (0, 0x5412), "EPERM"),  # TIOCSTI
    ((157, 167), (15,), "allowed"),  # prctl PR_SET_NAME
    ((157, 167), (4, 1), "EPERM"),  # PR_SET_DUMPABLE
    ((47, 212), (0,), "allowed"),  # recvmsg
    ((47, 212), (3,), "EPERM"),
    *((numbers, (), "EPERM") for numbers in [
        (41, 198), (42, 203), (49, 200), (53, 199), (46, 211),  # socket connect bind socketpair sendmsg
        (59, 221), (322, 281), (101, 117), (310, 270), (311, 271),  # execve execveat ptrace process_vm_readv, writev
        (165, 40), (166, 39), (155, 41), (272, 97), (308, 268),  # mount umount2 pivot_root unshare setns
        (76, 45), (77, 46), (263, 35), (264, 38), (265, 37),  # truncate ftruncate unlinkat renameat linkat
        (266, 36), (258, 34), (268, 53), (91, 52), (260, 54), (93, 55),  # symlinkat mkdirat fchmodat fchmod chownat
        (250, 219), (321, 280), (298, 241), (282, 282), (319, 279),  # keyctl bpf perf_event_open userfaultfd memfd
        (200, 130), (129, 138), (304, 265), (280, 88), (190, 7),  # tkill rt_sigqueueinfo open_by_handle_at …
        (29, 194), (161, 51), (105, 146),  # shmget chroot setuid
    ]),
    *(((number, number), (), "ENOSYS") for number in (
        424, 425, 426, 427, 428, 434, 435, 437, 438, 440, 442, 443, 452, 999,  # from pidfd_send_signal on
    )),
]  # fmt: skip


@pytest.mark.parametrize(("machine", "column"), [("x86_64", 0), ("aarch64", 1)])
def test_the_filter_of_each_machine(machine: str, column: int) -> None:
    kernel = Simulated(machine, OWN)
    answers = [(numbers, arguments, kernel.answer(numbers[column], *arguments)) for numbers, arguments, _ in CALLS]
    assert answers == CALLS
    assert kernel.answer(0, architecture=0x40000003) == "killed"  # as on i386, where numbers mean other calls
    assert machine != "x86_64" or kernel.answer(2, 0, os.O_RDWR) == "EPERM"  # open
    assert kernel.answer(0x40000000 | 59) == "ENOSYS"  # as on x32


def test_a_machine_without_a_list_of_calls_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform.machine", lambda: "riscv64")
    with pytest.raises(seccomp.SeccompError, match="riscv64"):
        seccomp.install_filter()
