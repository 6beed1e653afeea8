"""Shows the counts of ``search.metrics`` to Prometheus, of one process or of several.

Processes that a program forks (``likewise serve``) are scraped through whichever of them answers, so that each must
know the counts of all: they share a folder, in the way of prometheus_client's multiprocess mode.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry, Metric
    from prometheus_client.registry import Collector

log = logging.getLogger(__name__)

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

DEPTHS_SECONDS = 0.3
"""How long a scrape waits for the broker; one that works answers within a few milliseconds."""

_FOLDER = "PROMETHEUS_MULTIPROC_DIR"
"""The library decides how it counts by this variable when it is imported, and takes no other answer."""


def share_counts(folder: Path) -> None:
    """Count together with every process forked from this one. To be called before ``search.metrics`` is imported.

    Args:
        folder: exists, empty, of this program's run alone; deleted by the caller after the last process has ended.

    Raises:
        RuntimeError: too late, something has been counted by itself already.
    """
    if "prometheus_client" in sys.modules:
        raise RuntimeError("share_counts() must be called before search.metrics is imported")
    os.environ[_FOLDER] = str(folder)


def forget_process(pid: int) -> None:
    """What a process that has ended had in flight no longer counts; what it had done still does."""
    if _FOLDER in os.environ:
        from prometheus_client.multiprocess import mark_process_dead

        mark_process_dead(pid)  # type: ignore[no-untyped-call]


def registry(*collectors: Collector) -> CollectorRegistry:
    """The counts of this process, or of all that share them, and what ``collectors`` find out when scraped."""
    from prometheus_client import REGISTRY, CollectorRegistry
    from prometheus_client.multiprocess import MultiProcessCollector

    together = CollectorRegistry()
    if _FOLDER in os.environ:
        MultiProcessCollector(together)  # type: ignore[no-untyped-call]
    else:
        together.register(REGISTRY)
    for collector in collectors:
        together.register(collector)
    return together


def exposition(source: CollectorRegistry) -> bytes:
    """The text that Prometheus reads, of ``CONTENT_TYPE``."""
    from prometheus_client import generate_latest

    return generate_latest(source)


class QueueDepths:
    """Tasks that wait in each queue of the broker, asked for when scraped; absent while the broker does not answer.

    A scrape does not wait for a broker that is frozen: the other counts are wanted most just then.
    """

    def __init__(self, ask: Callable[[], Mapping[str, int]]) -> None:
        """
        Args:
            ask: answers how many tasks wait in the queue of each name; may raise.
        """
        self._ask = ask

    def collect(self) -> Iterable[Metric]:
        from prometheus_client.core import GaugeMetricFamily

        metric = GaugeMetricFamily(
            "likewise_queue_depth", "Tasks that wait in a queue of the broker.", labels=["queue"]
        )
        found: SimpleQueue[Mapping[str, int]] = SimpleQueue()

        def ask() -> None:
            try:
                found.put(self._ask())
            except Exception as error:  # a scrape shows what is known, whatever the broker's client raises
                log.warning("The depths of the queues are not known: %s", error)
                found.put({})

        threading.Thread(target=ask, name="queue depths", daemon=True).start()
        with suppress(Empty):
            for queue, depth in found.get(timeout=DEPTHS_SECONDS).items():
                metric.add_metric([queue], depth)
        return [metric]


def serve_counts(port: int, *collectors: Collector) -> None:
    """Show the counts at ``http://<any address>:port/metrics`` from a thread of this process, for as long as it lives.

    The port belongs on a network that only Prometheus reaches: it asks for no token. One that is taken is logged,
    for a worker that embeds is worth more than its counts.
    """
    from prometheus_client import start_http_server

    try:
        start_http_server(port, registry=registry(*collectors))
    except OSError as error:
        log.warning("Metrics are not shown on port %d: %s.", port, error.strerror)
