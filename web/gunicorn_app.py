"""Serve from several processes: gunicorn's arbiter in this one, and a node in each that it forks.

The arbiter opens nothing: stores, ledgers and threads do not survive a fork. The token of the data directory, which all
of them accept, is made before.
"""

from __future__ import annotations

import json
import logging
import os
import socket
import threading
from collections.abc import Callable
from multiprocessing import SimpleQueue
from types import FrameType
from typing import Any

from flask import Flask
from gunicorn.app.base import BaseApplication
from gunicorn.arbiter import Arbiter
from gunicorn.glogging import Logger
from gunicorn.http import errors as refusals
from gunicorn.util import write_nonblock
from gunicorn.workers.gthread import ThreadWorker

from ingest.home import make_home, own_token
from ingest.node import CLOSING_SECONDS, Node
from search.errors import LikewiseError
from search.scrape import forget_process
from search.settings import Settings
from web.app import create_app
from web.running import Running, announced
from web.serve import address

log = logging.getLogger(__name__)

BOOT_SECONDS = 300
"""How long a process may take to open a large embedded store before it counts as hung."""

GRACE_SECONDS = int(CLOSING_SECONDS) + 10
"""How long a process may take to finish its requests and release its job."""

REFUSED = {
    refusals.ForbiddenProxyRequest: (403, "Forbidden"),
    refusals.LimitRequestLine: (414, "URI Too Long"),
    refusals.ExpectationFailed: (417, "Expectation Failed"),
    refusals.LimitRequestHeaders: (431, "Request Header Fields Too Large"),
    refusals.UnsupportedTransferCoding: (501, "Not Implemented"),
}
"""Status of requests that gunicorn refuses before the application gets them; others are bad requests."""


def serve_processes(settings: Settings, listening: socket.socket, on_ready: Callable[[Node, str], None]) -> None:
    """Answer requests in ``web_processes`` forked processes until SIGTERM or SIGINT.

    The function does not return: it exits from this process and from the forked ones.

    Args:
        listening: from ``web.serve.listen``.
        on_ready: called in the first process that can answer, with its node and the page's address.

    Raises:
        LikewiseError: a node could not be opened.
        SystemExit: at the end.
    """
    make_home(settings)
    url = address(settings.host, listening.getsockname()[1])
    app = _Gunicorn(settings, listening, on_ready, url)
    try:
        with announced(settings.home, Running(url, os.getpid(), app.token)):
            app.run()
    except SystemExit:
        if not app.failures.empty():
            raise app.failures.get() from None
        raise


class _Gunicorn(BaseApplication):  # type: ignore[misc]  # gunicorn has no types
    """The application of the arbiter; ``load`` runs in each forked process.

    Attributes:
        token: sent by the command line and accepted by every process.
        failures: errors of processes that could not open their nodes, raised by the arbiter's process.
    """

    def __init__(
        self, settings: Settings, listening: socket.socket, on_ready: Callable[[Node, str], None], url: str
    ) -> None:
        self.settings, self._listening, self._on_ready, self._url = settings, listening, on_ready, url
        self.token = own_token(settings.home)
        self.failures: SimpleQueue[LikewiseError] = SimpleQueue()
        self.node: Node | None = None
        super().__init__()

    def load_config(self) -> None:
        options = {
            "bind": f"fd://{self._listening.detach()}",
            "workers": self.settings.web_processes,
            "threads": self.settings.web_threads,
            "worker_class": _Process,
            "logger_class": _Log,
            "loglevel": self.settings.log_level,
            "timeout": BOOT_SECONDS,
            "limit_request_line": 8190,  # the maximum: an address may hold many ids
            "graceful_timeout": GRACE_SECONDS,
            "forwarded_allow_ips": "",  # whom to believe about clients is ``web.app``'s business
            "control_socket_disable": True,
            "proc_name": "likewise",
            "child_exit": lambda _, process: forget_process(process.pid),
        }
        for name, value in options.items():
            self.cfg.set(name, value)

    def load(self) -> Flask:
        try:
            self.node = Node.open(self.settings)
            self.node.prepare()
        except LikewiseError as error:
            self.failures.put(error)
            raise SystemExit(Arbiter.APP_LOAD_ERROR) from None
        return create_app(self.node)

    def begin(self, *, first: bool) -> None:
        """Called when the process begins to answer requests."""
        assert self.node is not None
        self.node.watch_jobs()
        if first:
            threading.Thread(target=self._on_ready, args=(self.node, self._url), daemon=True).start()


class _Process(ThreadWorker):  # type: ignore[misc]
    """One forked process: a node, and threads that answer."""

    def run(self) -> None:
        self.app.begin(first=self.age == 1)
        try:
            super().run()
        finally:
            self.app.node.close()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """On SIGTERM, stop the job in work at once, not after the last response."""
        if self.app.node is not None:  # it may be on its way up
            threading.Thread(target=self.app.node.halt).start()
        super().handle_exit(sig, frame)

    def handle_error(self, req: Any, client: Any, addr: Any, exc: BaseException) -> None:
        """Answer a request that did not reach the application, in the form of all errors."""
        if isinstance(exc, refusals.ParseException):
            status, reason = REFUSED.get(type(exc), (400, "Bad Request"))
            code, message = "usage", f"{reason}: {exc}."
        else:
            log.error("A request broke off.", exc_info=exc)
            status, reason, code, message = (
                500,
                "Internal Server Error",
                "error",
                "Something went wrong inside Likewise.",
            )
        body = json.dumps({"error": {"code": code, "message": message, "hint": ""}}).encode()
        head = (
            f"HTTP/1.1 {status} {reason}\r\nConnection: close\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        try:
            write_nonblock(client, head.encode("ascii") + body)
        except OSError:
            log.debug("The client left before it was refused.")


class _Log(Logger):  # type: ignore[misc]
    """Messages of gunicorn go to ``search.logs`` as all others; requests are not logged."""

    def setup(self, cfg: Any) -> None:
        self.cfg = cfg
        self._access_log_enabled = False
        self.error_log.propagate = True
        self.error_log.setLevel(logging.NOTSET)
        # Starts and ends of processes are logged only at other levels.
        self.error_log.addFilter(lambda record: record.levelno != logging.INFO)
