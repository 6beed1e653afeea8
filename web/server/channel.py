"""One connection: receives requests one by one, sends answers, and tells when its client is too slow."""

from __future__ import annotations

import socket
import time
from typing import Any

from waitress.channel import HTTPChannel

from web.server.limits import origin_of
from web.server.requests import PermissionRequest, RequestParser, too_slow
from web.server.tasks import PermissionTask, RefusalTask, RequestTask

SENT_A_TURN = 1 << 20
"""Most bytes sent before other connections have their turn."""
SENT_A_CALL = 1 << 18
THROWN_AWAY = 1 << 16
"""Bytes of an unwanted body that one turn reads."""


class ClientChannel(HTTPChannel):  # type: ignore[misc]  # waitress has no types
    """A client's connection.

    waitress would keep a thread for a second request that arrives while the answer to the first is not taken, send a
    large file in one go for as long as its reader keeps up, and close no connection whose client takes nothing.

    Attributes:
        origin: by which connections of one client are counted.
        known: what the application keeps about this connection.
        has_unread: the answer in work refuses a body that the client may still be sending.
    """

    request: RequestParser | None
    close_when_flushed: bool
    parser_class = RequestParser
    error_task_class = RefusalTask

    def __init__(self, server: Any, sock: socket.socket, addr: Any, adj: Any, **extra: Any) -> None:
        super().__init__(server, sock, addr, adj, **extra)
        now = time.monotonic()
        self.origin = origin_of(addr[0])
        self.known: dict[str, Any] = {}
        self.has_unread = False
        self._held = b""
        self._has_asked = False
        self._began = self._quiet_since = self._taken_at = now
        self._taken = self._taken_before = 0
        self._lingers_since: float | None = None

    @staticmethod
    def task_class(channel: ClientChannel, request: Any) -> RequestTask | PermissionTask:
        kind = PermissionTask if isinstance(request, PermissionRequest) else RequestTask
        return kind(channel, request)

    # What the loop asks; all of it runs in the loop's thread.

    def readable(self) -> bool:
        if self._lingers_since is not None:
            return True
        if self._held and super().readable():
            try:
                self.received(b"")
            except Exception:  # as wasyncore does for every other event of a connection
                self.handle_error()
                return False
        return not self._held and bool(super().readable())

    def writable(self) -> bool:
        """Whether the loop has something to send. While a thread that answers is sending, it has not: the socket can be
        written to all the time, so that the loop would turn round and round, and keep that thread from its turn."""
        if self.requests and not self.will_close:
            if not self.outbuf_lock.acquire(blocking=False):
                return False
            self.outbuf_lock.release()
        return bool(super().writable())

    def received(self, data: bytes) -> bool:
        """Take what has arrived, up to the end of one request; the rest is held until that has been answered."""
        with self.requests_lock:
            if self.will_close or self.close_when_flushed:
                return False
            self._held += data
            while self._held and not self.requests:
                self._parse()
        return True

    def _parse(self) -> None:
        if self.request is None:
            self.request = self.parser_class(self.adj)
            self._began = time.monotonic()
        request = self.request
        taken = request.received(self._held)
        self._held = self._held[taken:]
        if request.completed:
            self.request, self.sent_continue = None, False
            if not request.empty:
                request.received_at = time.monotonic()
                self._has_asked = True
                self._start(request)
        elif request.awaits_permission(len(self._held)):
            self._start(PermissionRequest(request))

    def write_soon(self, data: Any) -> int:
        """Send, in a thread that answers, and leave to the loop what the client does not take at once."""
        written: int = super().write_soon(data)
        if self.total_outbufs_len:
            self.server.pull_trigger()  # waitress does so before the loop may send
        return written

    def _start(self, request: Any) -> None:
        self.requests.append(request)
        self.server.add_task(self)

    def handle_read(self) -> None:
        if self._lingers_since is None:
            super().handle_read()
            return
        try:
            self.recv(THROWN_AWAY)
        except OSError:
            self.handle_close()

    def handle_write(self) -> None:
        """As in waitress; but a client that may still be sending is listened to for a while before the connection is
        closed, for the system would otherwise tell it of a broken connection instead of the answer."""
        ends = self.close_when_flushed and self.has_unread and not self.will_close
        if ends:
            self.close_when_flushed = False
        super().handle_write()
        if not ends or self.will_close or not self.connected:
            return
        if self.total_outbufs_len:
            self.close_when_flushed = True
            return
        self._held, self._lingers_since = b"", time.monotonic()
        if self.request is not None:
            self.request.close()
            self.request = None
        try:
            self.socket.shutdown(socket.SHUT_WR)
        except OSError:
            self.handle_close()

    def handle_close(self) -> None:
        super().handle_close()
        if (request := self.request) is not None:  # not set to None: a thread may be about to send "100 Continue"
            request.close()

    def _flush_some(self, do_close: bool = True) -> bool:
        """Send some of what waits to be sent; whether anything was. Also called by threads that answer."""
        left = SENT_A_TURN
        while left > 0:
            buffer = self.outbufs[0]
            if not len(buffer):
                if len(self.outbufs) == 1:  # the last one takes what is written next
                    break
                self.outbufs.pop(0).close()
                continue
            piece = buffer.get(min(SENT_A_CALL, self.sendbuf_len))
            if not piece:  # a file that became shorter: nothing can make the answer whole
                self.will_close = True
                break
            sent = self.send(piece, do_close=do_close)
            if not sent:
                break
            buffer.skip(sent, True)
            self.total_outbufs_len -= sent
            self._taken += sent
            left -= sent
        return left < SENT_A_TURN

    # What the server asks, once a tick.

    @property
    def is_waiting(self) -> bool:
        """Whether it may be closed without a loss: no request has arrived whole, and no answer is in work."""
        at_work = self.requests or self.total_outbufs_len
        return not at_work and (self.request is None or not self.request.headers_finished)

    @property
    def is_idle(self) -> bool:
        """Whether nothing of a request has arrived since the last answer."""
        return self.is_waiting and self.request is None and self._lingers_since is None

    @property
    def waits_since(self) -> float:
        return self._quiet_since

    def is_overdue(self, now: float) -> bool:
        """Whether the client has used up its time for what it is at."""
        limits = self.server.limits
        if self._lingers_since is not None:
            return bool(now - self._lingers_since > limits.linger_seconds)
        if self._taken != self._taken_before or not self.total_outbufs_len:
            self._taken_before, self._taken_at = self._taken, now
        if self.total_outbufs_len or self.requests:  # an answer is in work: the client's clocks start again after it
            self._quiet_since = self._began = now
            return self.takes_nothing_since(now, limits.reader_seconds)
        if self.request is None:
            return bool(now - self._quiet_since > (limits.idle_seconds if self._has_asked else limits.head_seconds))
        granted: float = limits.head_seconds
        if self.request.headers_finished:
            granted += self.request.body_bytes_received / limits.body_rate
        return bool(now - self._began > granted)

    def takes_nothing_since(self, now: float, seconds: float) -> bool:
        return bool(self.total_outbufs_len) and now - self._taken_at > seconds

    def give_up(self) -> None:
        """End a connection that is overdue; a client that sends a body is told why."""
        with self.requests_lock:
            request = self.request
            if request is not None and request.headers_finished and not self.requests:
                request.refuse(too_slow())
                self.request = None
                self._start(request)
                return
        self.handle_close()
