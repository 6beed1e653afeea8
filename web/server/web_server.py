"""Accepts connections, closes slow ones, and finishes what is in work when it is told to stop."""

from __future__ import annotations

import errno
import json
import logging
import socket
import time
from collections.abc import Callable, Iterable
from typing import Any

from waitress import wasyncore
from waitress.adjustments import Adjustments
from waitress.server import TcpWSGIServer
from waitress.task import ThreadedTaskDispatcher

from web.api.problem import CONTENT_TYPE, problem
from web.server.channel import ClientChannel
from web.server.limits import OVERHEAD, BodyRoom, ServerLimits, origin_of
from web.server.requests import BUSY_SECONDS, MOST_HEAD

log = logging.getLogger(__name__)

RECEIVED_A_CALL = 1 << 16
BACKLOG = 1024
"""Connections that the system keeps until they are accepted."""
UNSENT = 1 << 18
"""Bytes of an answer that the system keeps before they are on their way; by itself it keeps 4 MiB for a slow reader."""
PAUSE_SECONDS = 1.0
"""How long nothing is accepted when the process, or the machine, has no open files left."""
THREAD_SECONDS = 1.0
"""How long threads are waited for after the last answer, or after the time for answers."""

INDEPENDENT_PATHS = frozenset({"/healthz", "/metrics"})
STATIC_PATH = "/static/"
INDEPENDENT_THREADS = 2
"""Threads for what needs neither store nor ledger, and has to be answered while those hold all other threads."""

PREVIEW_THREADS = 2
"""Threads for previews alone: the pictures of a page that is there do not queue behind the questions of others."""

FULL = (
    f"HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nContent-Type: {CONTENT_TYPE}\r\n"
    f"Retry-After: {BUSY_SECONDS}\r\nContent-Length: {{length}}\r\n\r\n{{body}}"
)
FULL_BODY = json.dumps(problem(503, "error", "Too many connections are open.", "Close some."))


class WebServer(TcpWSGIServer):  # type: ignore[misc]  # waitress has no types
    """Answers requests from one thread that receives and sends, and ``threads`` that run the application.

    Whole files are sent by the loop (``wsgi.file_wrapper``); an application that makes its answer bit by bit keeps a
    thread until its reader has taken all of it, and has to limit such answers itself.

    Attributes:
        limits: what clients are granted.
        bodies: room for bodies.
        is_stopping: :meth:`stop` has been called.
    """

    channel_class = ClientChannel

    def __init__(
        self,
        application: Callable[..., Iterable[bytes]],
        listening: socket.socket,
        limits: ServerLimits,
        *,
        threads: int,
        behind_proxy: bool = False,
        is_shared: bool = False,
    ) -> None:
        """
        Args:
            listening: bound; closed when the server stops.
            behind_proxy: the application itself reads ``X-Forwarded`` headers, which are removed otherwise.
            is_shared: other processes accept from the same socket, so that requests are left to them while all
                threads of this one are at work.
        """
        self.limits, self.bodies, self.is_stopping = limits, BodyRoom(limits.all_bodies), False
        self._is_shared, self._has_ended = is_shared, False
        self._accepts_from = self._drains_since = 0.0
        dispatcher, self._independent, self._previews = (ThreadedTaskDispatcher() for _ in range(3))
        dispatcher.set_thread_count(threads)
        self._independent.set_thread_count(INDEPENDENT_THREADS)
        self._previews.set_thread_count(PREVIEW_THREADS)
        adjustments = Adjustments(
            ident=None,
            threads=threads,
            backlog=BACKLOG,
            recv_bytes=RECEIVED_A_CALL,
            max_request_header_size=MOST_HEAD + RECEIVED_A_CALL,  # ``requests`` is stricter, and says why
            max_request_body_size=limits.largest_upload + OVERHEAD,
            clear_untrusted_proxy_headers=not behind_proxy,
            log_socket_errors=False,
        )
        adjustments.socket_options = [
            (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1),
            (socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, UNSENT),
        ]
        about = (listening.family, listening.type, listening.proto, listening.getsockname())
        super().__init__(
            application, {}, True, listening, dispatcher=dispatcher, adj=adjustments, sockinfo=about, bind_socket=False
        )

    def add_task(self, task: ClientChannel) -> None:
        """Have a thread answer the request of a connection."""
        path = getattr(task.requests[0], "path", "")
        if path in INDEPENDENT_PATHS or path.startswith(STATIC_PATH):
            self._independent.add_task(task)
        elif path.startswith("/media/") and path.endswith("/preview"):
            self._previews.add_task(task)
        else:
            self.task_dispatcher.add_task(task)

    def stop(self) -> None:
        """Let :meth:`run` return once the requests in work are answered. May be called from any thread, and from a
        signal handler."""
        self.is_stopping = True
        if not self._has_ended:
            self.pull_trigger()

    def run(self, on_tick: Callable[[], object] = lambda: None) -> None:
        """Serve until :meth:`stop`; then answer what is in work, within ``drain_seconds``.

        Args:
            on_tick: called in this thread once a tick.
        """
        checked = 0.0
        try:
            while not self._is_drained():
                wasyncore.poll2(min(self.limits.tick, 0.1) if self._drains_since else self.limits.tick, self._map)
                now = time.monotonic()
                if now - checked >= self.limits.tick:
                    checked = now
                    on_tick()
                    self.maintenance(now)
                if self.is_stopping:
                    self._drain(now)
        finally:
            self._has_ended = True
            for channel in list(self.active_channels.values()):
                channel.handle_close()
            self.task_dispatcher.shutdown(timeout=THREAD_SECONDS)
            self._independent.shutdown(timeout=THREAD_SECONDS)
            self._previews.shutdown(timeout=THREAD_SECONDS)
            self.close()

    def readable(self) -> bool:
        if not self.accepting or time.monotonic() < self._accepts_from:
            return False
        return not (self._is_shared and self.task_dispatcher.queue)

    def handle_accept(self) -> None:
        self._accept()

    def _accept(self) -> bool:
        """Accept a connection; whether there was one."""
        try:
            accepted = self.accept()
            if accepted is None:
                return False
            connection, address = accepted
            self.set_socket_options(connection)
        except OSError as error:
            if error.errno in {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}:
                log.warning("No connection can be accepted just now: %s.", error.strerror)
                self._accepts_from = time.monotonic() + PAUSE_SECONDS
                return False
            return True  # the client has left already
        if self._has_room(address[0]):
            self.channel_class(self, connection, address, self.adj, map=self._map)
        else:
            _refuse(connection)
        return True

    def _has_room(self, address: str) -> bool:
        """Whether a connection of this address may be opened; those that wait longest are closed for it."""
        limits, channels = self.limits, list(self.active_channels.values())
        if limits.connections_an_address is not None:
            origin = origin_of(address)
            own = [channel for channel in channels if channel.origin == origin]
            if len(own) >= limits.connections_an_address and not _close_longest_waiting(own):
                return False
        return len(self.active_channels) < limits.connections or _close_longest_waiting(channels)

    def maintenance(self, now: float) -> None:
        """Close connections whose clients have used up their time."""
        for channel in list(self.active_channels.values()):
            if channel.is_overdue(now):
                channel.give_up()

    def _drain(self, now: float) -> None:
        if not self._drains_since:
            self._drains_since = now
            while self.accepting and self._accept():  # they have connected before they could know
                pass
            wasyncore.dispatcher.close(self)  # the listening socket alone
            wasyncore.poll2(0.0, self._map)
        for channel in list(self.active_channels.values()):
            channel.is_overdue(now)  # so that its clocks go on
            patience = self.limits.drain_head_seconds
            is_late = channel.is_waiting and now - self._drains_since > patience
            if channel.is_idle or is_late or channel.takes_nothing_since(now, patience):
                channel.handle_close()

    def _is_drained(self) -> bool:
        if not self._drains_since:
            return False
        return not self.active_channels or time.monotonic() - self._drains_since > self.limits.drain_seconds


def _close_longest_waiting(channels: list[Any]) -> bool:
    """Close the connection that has waited longest for a request of its client; whether there was one."""
    waiting = [channel for channel in channels if channel.is_waiting]
    if not waiting:
        return False
    min(waiting, key=lambda channel: channel.waits_since).handle_close()
    return True


def _refuse(connection: socket.socket) -> None:
    connection.setblocking(False)
    try:
        connection.send(FULL.format(length=len(FULL_BODY), body=FULL_BODY).encode("ascii"))
    except OSError:
        log.debug("The client left before it was refused.")
    connection.close()
