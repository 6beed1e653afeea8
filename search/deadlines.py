"""How long a request waits for the services behind it, and who asks one that does not answer.

A request of the web has a deadline, which all calls to the store, the ledger and the broker share. Jobs have none: they
wait as long as each service's own limits say, and try again. The deadline belongs to the thread that answers the
request; a thread which that one starts has none.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from search.errors import LikewiseError

CONNECT_SECONDS = 2.0
"""Most seconds of a request that are spent on connecting to a service."""

_LEAST_SECONDS = 0.001
"""Timeout of a call after the deadline: libraries take 0 for no timeout."""


@dataclass(slots=True)
class _Deadline:
    """
    Attributes:
        ends: by the monotonic clock, seconds.
        is_paused: its time does not run.
    """

    ends: float
    is_paused: bool = False


_current: ContextVar[_Deadline | None] = ContextVar("deadline", default=None)


@contextmanager
def deadline(seconds: float) -> Iterator[None]:
    """Let the calls within the block take ``seconds`` together; those of an outer deadline, where that ends before."""
    ends, outer = time.monotonic() + seconds, _current.get()
    token = _current.set(_Deadline(ends if outer is None else min(ends, outer.ends)))
    try:
        yield
    finally:
        _current.reset(token)


@contextmanager
def paused_deadline() -> Iterator[None]:
    """Let the block, which waits for something with a limit of its own, take nothing of the time until the deadline."""
    current = _current.get()
    if current is None or current.is_paused:
        yield
        return
    began, current.is_paused = time.monotonic(), True
    try:
        yield
    finally:
        current.ends += time.monotonic() - began
        current.is_paused = False


def has_deadline() -> bool:
    """Whether the caller answers a request."""
    return _current.get() is not None


def within_deadline(seconds: float) -> float:
    """A timeout of a call, seconds: the given one, or what is left until the deadline where that is less."""
    current = _current.get()
    if current is None or current.is_paused:
        return seconds
    return max(_LEAST_SECONDS, min(seconds, current.ends - time.monotonic()))


class CircuitBreaker:
    """Keeps requests from waiting for a service that has left a call without an answer. Thread-safe.

    From then until the service answers, one request at a time calls it and the others fail at once, so that they do not
    hold the threads that could answer other requests. Calls without a deadline always pass.

    Source: Nygard, "Release It!", chapter "Stability Patterns".
    """

    def __init__(self, refusal: Callable[[], LikewiseError]) -> None:
        """
        Args:
            refusal: makes the error of a request that does not call the service.
        """
        self._refusal = refusal
        self._lock = threading.Lock()
        self._is_open = False
        self._caller: int | None = None  # thread of the one request that calls while it is open

    @property
    def is_open(self) -> bool:
        """Whether the service has left the last call without an answer."""
        return self._is_open

    @contextmanager
    def call(self) -> Iterator[None]:
        """Call the service within the block, which then says :meth:`answered` or :meth:`unanswered`. May be nested.

        Raises:
            LikewiseError: the refusal; the deadline has passed while the service did not answer, or another request is
                calling it.
        """
        thread = threading.get_ident()
        if self._is_open and within_deadline(_LEAST_SECONDS * 2) <= _LEAST_SECONDS:
            raise self._refusal()
        with self._lock:
            is_first = self._is_open and has_deadline() and self._caller != thread
            if is_first and self._caller is not None:
                raise self._refusal()
            if is_first:
                self._caller = thread
        try:
            yield
        finally:
            if is_first:
                with self._lock:
                    self._caller = None

    def answered(self) -> None:
        """The service has answered, also if with an error: every request may call it."""
        self._is_open = False

    def unanswered(self) -> None:
        """The service could not be reached, or has not answered in time."""
        self._is_open = True
