"""Serve from several processes: this one forks them, and starts another for each that ends.

This process opens nothing: stores, ledgers and threads do not survive a fork. The socket from which all of them accept
is bound before, and the token of the data directory is made, which all of them take.
"""

from __future__ import annotations

import logging
import math
import mmap
import os
import select
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing import SimpleQueue
from types import FrameType
from typing import NoReturn

from ingest.home import make_home, own_token
from ingest.node import CLOSING_SECONDS, Node
from ingest.opening import open_node
from search.errors import LikewiseError
from search.scrape import forget_process
from search.settings import Settings
from web.running import Running, announced
from web.serve import address, ended_by_signals, make_server
from web.server.limits import ServerLimits
from web.server.not_ready import NotReady, answering

log = logging.getLogger(__name__)

SILENT_SECONDS = 300.0
"""A process that has not said for so long that it is alive is killed: opening a large embedded store takes minutes."""
STOP_SECONDS = 10.0 + CLOSING_SECONDS
"""How long a process may take to end after its last answer, before it is killed."""
LOOK_SECONDS = 1.0
"""How often processes are looked after, and the least time between two starts of a process."""
BOOT_FAILED = 4
"""Exit status of a process whose node could not be opened."""

Ready = Callable[[Node, str], None]


@dataclass(slots=True)
class _Process:
    pid: int
    started: float


def serve_processes(settings: Settings, listening: socket.socket, on_ready: Ready) -> NoReturn:
    """Answer requests in ``web_processes`` forked processes until SIGTERM or SIGINT.

    The function does not return: it exits from this process and from the forked ones.

    Args:
        listening: from ``web.serve.listen``.
        on_ready: called in the first process that can answer, with its node and the page's address.

    Raises:
        LikewiseError: no node could be opened.
        SystemExit: at the end.
    """
    make_home(settings)
    url = address(settings.host, listening.getsockname()[1])
    with announced(settings.home, Running(url, os.getpid(), own_token(settings.home))):
        _Processes(settings, listening, on_ready, url).run()
    sys.exit(0)


class _Processes:
    """The forked processes, as the one that forks them sees them."""

    def __init__(self, settings: Settings, listening: socket.socket, on_ready: Ready, url: str) -> None:
        self._settings, self._listening, self._on_ready, self._url = settings, listening, on_ready, url
        self._drain_seconds = ServerLimits.of(settings, settings.web_processes).drain_seconds
        self._failures: SimpleQueue[LikewiseError] = SimpleQueue()
        # Times at which each process has said last that it is alive, by its place; 0 until it answers requests.
        self._alive = memoryview(mmap.mmap(-1, 8 * settings.web_processes)).cast("d")
        self._places: list[_Process | None] = [None] * settings.web_processes
        self._has_answered = False
        self._failure: LikewiseError | None = None
        self._is_told_to_stop = self._is_told_to_hurry = False
        self._started = self._stops_since = 0.0

    def run(self) -> None:
        """Look after the processes until they have ended, after a signal.

        Raises:
            LikewiseError: none has ever been able to answer, and why.
        """
        with self._signals() as woken:
            for place in range(len(self._places)):
                self._start(place, is_first=place == 0)
            while any(self._places) or not self._stops_since:
                select.select([woken], [], [], LOOK_SECONDS)
                with suppress(BlockingIOError):
                    os.read(woken, 4096)
                self._look()
        if self._failure is not None:
            raise self._failure

    def _look(self) -> None:
        now = time.monotonic()
        self._has_answered = self._has_answered or any(self._alive)
        for place, process in enumerate(self._places):
            if process is not None:
                self._check(place, process, now)
        if self._is_told_to_stop and not self._stops_since:
            self._stop()
        if not self._stops_since and None in self._places and now - self._started >= LOOK_SECONDS:
            self._start(self._places.index(None), is_first=False)

    def _check(self, place: int, process: _Process, now: float) -> None:
        """See whether a process has ended, and end it where it is late."""
        pid, status = os.waitpid(process.pid, os.WNOHANG)
        if pid:
            self._places[place] = None
            forget_process(pid)
            self._note_end(os.waitstatus_to_exitcode(status), process)
        elif self._stops_since:
            if self._is_told_to_hurry or now - self._stops_since > self._drain_seconds + STOP_SECONDS:
                os.kill(process.pid, signal.SIGKILL)
        elif now - max(process.started, self._alive[place]) > SILENT_SECONDS:
            log.error("Process %d has not said for %g s that it is alive.", process.pid, SILENT_SECONDS)
            os.kill(process.pid, signal.SIGKILL)

    def _note_end(self, status: int, process: _Process) -> None:
        failure = None if self._failures.empty() else self._failures.get()
        if self._stops_since:
            return
        if self._has_answered:
            why = failure or f"It ended with status {status}."
            log.error("Process %d is replaced. %s", process.pid, why)
        else:
            message = f"A process ended with status {status} before it could answer."
            self._failure = failure or LikewiseError(message, "Its log says why.")
            self._is_told_to_stop = True

    def _stop(self) -> None:
        self._stops_since = time.monotonic()
        self._listening.close()
        for process in filter(None, self._places):
            os.kill(process.pid, signal.SIGTERM)

    def _start(self, place: int, *, is_first: bool) -> None:
        self._alive[place] = 0.0
        signals = {signal.SIGTERM, signal.SIGINT}
        before = signal.pthread_sigmask(signal.SIG_BLOCK, signals)
        pid = os.fork()
        if pid == 0:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal sends it to all; this one is told by the other
            signal.signal(signal.SIGTERM, _exit)
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
            try:
                self._serve(place, is_first=is_first)
            except Exception:
                log.exception("A process broke off.")
                sys.exit(1)
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        self._started = time.monotonic()
        self._places[place] = _Process(pid, self._started)

    def _serve(self, place: int, *, is_first: bool) -> NoReturn:
        """What a forked process does."""
        parent = os.getppid()
        try:
            node = self._open(place)
        except LikewiseError as error:
            self._failures.put(error)
            sys.exit(BOOT_FAILED)
        with node:
            try:
                node.prepare()
            except LikewiseError as error:
                self._failures.put(error)
                sys.exit(BOOT_FAILED)
            server = make_server(node, self._listening, len(self._places))

            def tick() -> None:
                self._alive[place] = time.monotonic()
                if os.getppid() != parent and not server.is_stopping:
                    os.kill(os.getpid(), signal.SIGTERM)

            with ended_by_signals(server, node, signal.SIGTERM):
                node.watch_jobs()
                tick()
                if is_first:
                    threading.Thread(target=self._on_ready, args=(node, self._url), daemon=True).start()
                server.run(tick)
        sys.exit(0)

    def _open(self, place: int) -> Node:
        """The node; until its store and ledger are there, requests are answered that it is not ready.

        Raises:
            LikewiseError: it cannot be opened, and waiting would not help or is not wanted.
        """
        try:
            return Node.open(self._settings)
        except LikewiseError as error:
            if not error.retryable or not self._settings.wait_seconds:
                raise
            log.warning("%s Not ready until that works.", error.message)
            away = NotReady(error.message, error.hint)

        def tick() -> None:
            self._alive[place] = time.monotonic()

        limits = ServerLimits.of(self._settings, len(self._places))
        with answering(away, self._listening, limits, tick):
            return open_node(self._settings, math.inf)

    @contextmanager
    def _signals(self) -> Iterator[int]:
        """In the block, signals are counted; the descriptor can be read when one has come."""
        woken, writing = os.pipe()
        os.set_blocking(woken, False)
        os.set_blocking(writing, False)
        owner = os.getpid()

        def note(number: int, frame: FrameType | None) -> None:
            self._is_told_to_hurry = self._is_told_to_stop and number == signal.SIGINT
            self._is_told_to_stop = self._is_told_to_stop or number != signal.SIGCHLD

        numbers = (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD)
        before = {number: signal.signal(number, note) for number in numbers}
        wakes = signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
        try:
            yield woken
        finally:
            if os.getpid() == owner:  # not in a process that was forked meanwhile
                signal.set_wakeup_fd(wakes)
                for number, handler in before.items():
                    signal.signal(number, handler)
            os.close(woken)
            os.close(writing)


def _exit(number: int, frame: FrameType | None) -> None:
    """SIGTERM before requests are answered."""
    sys.exit(0)
