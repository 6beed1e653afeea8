"""Run a worker: a Celery parent process, and one child that embeds with its own decoders.

The parent talks to the broker, imports no model library and never uses the device. It replaces a child that dies, that
exceeds the hard time limit, or that has grown too large. Decoders end with their child, and the child with its parent,
in every case.
"""

from __future__ import annotations

import logging
import os
import signal
import socket
import sys
import threading
import warnings
from collections.abc import Callable, Sequence
from typing import Any

from celery import signals
from celery.apps.worker import Worker, install_worker_term_handler, install_worker_term_hard_handler
from celery.platforms import SecurityWarning
from celery.worker import state

from search.errors import SettingsError
from search.logs import configure_logging
from search.scrape import serve_counts
from search.settings import Settings
from workers.cluster.app import QUEUES, make_app
from workers.cluster.broker import Listener
from workers.embedders.models import Models
from workers.runtime import make_ready_for_models
from workers.worker.reception import OrderConsumer, guard_this_process
from workers.worker.state import Build, WorkerState
from workers.worker.tasks import UNFIT_SIGNAL, register

log = logging.getLogger(__name__)

UNFIT = 3
"""Exit status of a parent whose child cannot work with its settings."""

_CHATTY = ("celery.apps.worker", "celery.worker.strategy", "celery.app.trace", "celery.backends.base")
"""Loggers whose messages repeat ours, or print every task with its result, or a traceback for each retry."""

STORING_TRIES = 60
"""Attempts to store a result while the broker is unavailable: about five minutes with Celery's own pauses."""


def run_worker(
    settings: Settings,
    queues: Sequence[str] = QUEUES,
    build: Build = Models,
    *,
    warm: bool = True,
    on_ready: Callable[[Listener], None] = lambda _: None,
) -> int:
    """Take tasks from these queues until a signal ends the worker; the exit status.

    The first SIGTERM or SIGINT lets the task in work come to its end, the second gives it back to its queue at once.

    Args:
        build: makes the models, in the child.
        warm: load the models when the child starts, so that the first query does not wait for them.
        on_ready: called when the worker listens.

    Raises:
        SettingsError: no broker is set, a queue does not exist, or the child found that it cannot work as it is set up.
    """
    if not queues or not set(queues) <= set(QUEUES):
        raise SettingsError(f"There are no such queues: '{','.join(queues)}'.", f"Queues are {', '.join(QUEUES)}.")
    make_ready_for_models()
    app = make_app(settings, is_worker=True)
    worker_state = WorkerState(settings, build)
    register(app, worker_state)
    guard_this_process()
    _configure(settings, app)
    worker = _Worker(
        app=app,
        hostname=f"likewise-{os.getpid()}@{socket.gethostname()}",
        queues=list(queues),
        pool="prefork",
        concurrency=1,
        without_gossip=True,
        without_mingle=True,
        without_heartbeat=True,
        consumer_cls=OrderConsumer,
        quiet=True,
    )

    def begun(**_: Any) -> None:
        log.info("Listening to %s as %s.", ", ".join(queues), worker.hostname)
        on_ready(Listener(worker.hostname, tuple(queues)))

    def child_begun(**_: Any) -> None:
        if settings.metrics_port:
            serve_counts(settings.metrics_port)
        if warm:
            threading.Thread(target=worker_state.warm, name="warm", daemon=True).start()

    signals.worker_ready.connect(begun, weak=False)
    signals.worker_process_init.connect(child_begun, weak=False)
    worker.start()
    if worker.exitcode == UNFIT:
        raise SettingsError("This worker cannot work as it is set up.", "What its child logged above says why.")
    return int(worker.exitcode or 0)


class _Worker(Worker):  # type: ignore[misc]  # celery is untyped
    """Celery's worker with our answers to signals."""

    def install_platform_tweaks(self, worker: Any) -> None:
        for name in ("SIGTERM", "SIGINT"):
            install_worker_term_handler(worker, sig=name, callback=_expect_second_signal, verbose=False)
        install_worker_term_hard_handler(worker)
        signal.signal(UNFIT_SIGNAL, _end_as_unfit)

    def stop(self, *args: Any, **options: Any) -> None:
        log.info("Ending once the task in work is done.")
        super().stop(*args, **options)


def _expect_second_signal(worker: Any) -> None:
    for name in ("SIGTERM", "SIGINT"):
        install_worker_term_hard_handler(worker, sig=name)


def _end_as_unfit(*_: object) -> None:
    state.should_stop = UNFIT


def _configure(settings: Settings, app: Any) -> None:
    """Log and limit as the settings say. Celery's own logging stays out of it."""

    def set_up_logging(**_: Any) -> None:
        configure_logging(settings)
        for name in _CHATTY:
            logging.getLogger(name).setLevel(logging.ERROR)

    signals.setup_logging.connect(set_up_logging, weak=False)
    app.conf.update(result_backend_always_retry=True, result_backend_max_retries=STORING_TRIES)
    if settings.worker_memory_mb:
        app.conf.worker_max_memory_per_child = settings.worker_memory_mb * 1024
    # Standard output belongs to the answer of a command; what Celery says when it is told to end goes elsewhere.
    sys.__stdout__ = sys.__stderr__  # type: ignore[misc]
    # Celery warns of pickles for root to open; this application takes JSON alone.
    warnings.filterwarnings("ignore", category=SecurityWarning)
