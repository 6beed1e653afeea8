"""Runs a command in a child of this process, so that an end in the middle of an instruction is told in words.

The embedded store writes through memory maps. It makes sure of room before each write; but where others fill the disk
at that very moment, the operating system ends the process with a bus error (SIGBUS), and nothing in that process can
say why. On Linux only; elsewhere the command runs as it is.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from contextlib import suppress

_PR_SET_PDEATHSIG = 1
_PASSED_ON = frozenset({signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2})


def run_in_child() -> int | None:
    """Fork, before any thread is started.

    Returns:
        None in the child, which does the work; it ends with its parent. In the parent, once the child has ended, its
        exit status, or minus the number of the signal that ended it.
    """
    if sys.platform != "linux":
        return None
    waited_for = {*_PASSED_ON, signal.SIGCHLD}
    before = signal.pthread_sigmask(signal.SIG_BLOCK, waited_for)
    parent = os.getpid()
    child = os.fork()
    if child == 0:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # it ended before it could be asked for the signal
            os._exit(1)
        return None
    while True:
        told = signal.sigwaitinfo(waited_for)
        if told.si_signo != signal.SIGCHLD:
            # What a terminal sends goes to the whole group, and has reached the child.
            if told.si_code <= 0:
                os.kill(child, told.si_signo)
            continue
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
            return os.waitstatus_to_exitcode(status)


def end_as(status: int) -> None:
    """End this process as its child has ended: with a status, or by a signal."""
    if status < 0:
        with suppress(OSError):  # of SIGKILL, which needs no such thing
            signal.signal(-status, signal.SIG_DFL)
        os.kill(os.getpid(), -status)
    sys.exit(status)
