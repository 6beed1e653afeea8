"""Gives each request its deadline for store, ledger and broker, counted from its arrival."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from typing import Any

from flask import Flask, request

from ingest.ledger.access import Scope
from search.deadlines import deadline

RECEIVED = "likewise.received"
"""Key of a WSGI environment: when the request had arrived whole, by the monotonic clock."""

CHANGE_SECONDS = 60.0
"""For requests that change something, which should not end half-way because a service is slow."""

PROBE_SECONDS = 2.0
METRICS_SECONDS = 0.5
"""For requests of programs that watch this one. They are wanted most while a service does not answer."""

_DEADLINE = "likewise.deadline"

Application = Callable[[dict[str, Any], Any], Iterable[bytes]]


def install_deadlines(app: Flask, seconds: float, scopes: Mapping[str, Scope]) -> None:
    """Give every request a deadline, from before its caller is known until its answer begins.

    What is sent bit by bit, as events and exports, has none afterwards.

    Args:
        seconds: of a request that changes nothing.
        scopes: what endpoints need; those that need ``read`` change nothing, whatever their method.
    """
    inner: Application = app.wsgi_app

    def with_deadline(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        with ExitStack() as stack:
            environ[_DEADLINE] = stack
            return inner(environ, start_response)

    def begin() -> None:
        granted = _seconds(request.endpoint or "", request.method, scopes, seconds)
        now = time.monotonic()
        waited = now - request.environ.get(RECEIVED, now)
        request.environ[_DEADLINE].enter_context(deadline(granted - waited))

    app.wsgi_app = with_deadline  # type: ignore[method-assign]
    app.before_request(begin)


def _seconds(endpoint: str, method: str, scopes: Mapping[str, Scope], seconds: float) -> float:
    if endpoint == "health.readyz":
        return min(PROBE_SECONDS, seconds)
    if endpoint == "health.metrics":
        return min(METRICS_SECONDS, seconds)
    changes = method not in {"GET", "HEAD", "OPTIONS"} and scopes.get(endpoint) != Scope.READ
    return max(CHANGE_SECONDS, seconds) if changes else seconds
