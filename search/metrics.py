"""Counts and times what a process does, for Prometheus.

Each event is counted by one of the functions; ``search.scrape`` shows the counts. A file is counted once,
by the process that decided how it ended: the worker that embedded it, or the coordinator that gave it up. No label is
taken from what people store or ask (a path, a job), so that the number of series stays small.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import Counter, Gauge, Histogram, disable_created_metrics

from search.errors import LikewiseError

disable_created_metrics()  # type: ignore[no-untyped-call]  # a second series for each of ours, to say when counting began

_SHORT = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
"""Seconds; for what should take milliseconds."""
_LONG = (0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)

STAGE_SECONDS = Counter(
    "likewise_stage_seconds_total", "Seconds spent in a stage of batches (decode, embed, write).", ("stage", "kind")
)
ITEMS = Counter(
    "likewise_items_total",
    "Files that ended: embedded, duplicate, skipped or failed, with the reason or failure code.",
    ("kind", "outcome", "code"),
)
ITEM_SECONDS = Histogram(
    "likewise_item_seconds",
    "Seconds from a file's turn to its end, of files that were decoded.",
    ("kind",),
    buckets=_LONG,
)
BATCHES = Counter(
    "likewise_batches_total", "Batches that ended: done, failed, or cut in two to find a guilty file.", ("kind", "end")
)
IN_FLIGHT = Gauge(
    "likewise_batches_in_flight", "Batches sent to workers and not reported yet.", multiprocess_mode="livesum"
)
DEVICE_MEMORY = Gauge(
    "likewise_device_memory_bytes",
    "Memory of the device that models run on: used by this process, and total.",
    ("device", "what"),
    multiprocess_mode="livemax",
)
STORE_SECONDS = Histogram(
    "likewise_store_seconds", "Seconds a call of the vector store took.", ("operation",), buckets=_SHORT
)
STORE_ERRORS = Counter("likewise_store_errors_total", "Calls of the vector store that failed.", ("operation", "code"))
QUESTION_SECONDS = Histogram(
    "likewise_question_seconds", "Seconds an answer took, by the kind of question.", ("question",), buckets=_LONG
)
QUESTION_ERRORS = Counter("likewise_question_errors_total", "Questions that failed.", ("question", "code"))


def stage_took(stage: str, kind: str, seconds: float) -> None:
    """
    Args:
        stage: ``decode``, ``embed`` or ``write``.
        kind: ``image``, ``video`` or ``audio``.
    """
    STAGE_SECONDS.labels(stage, kind).inc(seconds)


def item_ended(kind: str, outcome: str, code: str = "", seconds: float = 0.0) -> None:
    """
    Args:
        outcome: ``embedded``, ``duplicate``, ``skipped`` or ``failed``.
        code: the failure code, or the reason why it was skipped.
        seconds: 0 for a file that needed no decoding.
    """
    ITEMS.labels(kind, outcome, code).inc()
    if seconds:
        ITEM_SECONDS.labels(kind).observe(seconds)


def batch_ended(kind: str, end: str) -> None:
    """
    Args:
        end: ``done``, ``failed`` or ``cut``.
    """
    BATCHES.labels(kind, end).inc()


def batches_in_flight(change: int) -> None:
    """
    Args:
        change: 1 for a batch sent, -1 for one reported or given up.
    """
    IN_FLIGHT.inc(change)


def device_memory(device: str, used: int, total: int) -> None:
    """
    Args:
        device: as in the settings, ``cuda:0``.
        used: bytes that this process holds.
        total: bytes that the device has.
    """
    DEVICE_MEMORY.labels(device, "used").set(used)
    DEVICE_MEMORY.labels(device, "total").set(total)


@contextmanager
def store_call(operation: str) -> Iterator[None]:
    """Count a call of the store for the time of the block."""
    began = time.perf_counter()
    try:
        yield
    except Exception as error:
        STORE_ERRORS.labels(operation, code_of(error)).inc()
        raise
    finally:
        STORE_SECONDS.labels(operation).observe(time.perf_counter() - began)


@contextmanager
def question(name: str) -> Iterator[None]:
    """Count a question for the time of the block.

    Args:
        name: what is asked, in one word of the program's own: ``similar``, ``search_words``.
    """
    began = time.perf_counter()
    try:
        yield
    except Exception as error:
        QUESTION_ERRORS.labels(name, code_of(error)).inc()
        raise
    finally:
        QUESTION_SECONDS.labels(name).observe(time.perf_counter() - began)


def code_of(error: BaseException) -> str:
    """The stable code of one of our errors, ``error`` for any other."""
    return error.code if isinstance(error, LikewiseError) else "error"
