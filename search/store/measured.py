"""Counts and times the calls of a store for Prometheus."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, cast

from search.metrics import store_call
from search.store.base import Store

_NOT_TIMED = {"scroll", "close", "edition", "changed_since"}
"""``scroll`` yields point after point while its caller works on them, whose time would be counted."""


def measured(store: Store) -> Store:
    """The same store, each of whose calls is reported to ``search.metrics`` under the name of its method."""
    return cast("Store", _Measured(store))


class _Measured:
    """Stands for the store in every respect; a method is wrapped when it is first asked for."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._store, name)
        if name.startswith("_") or name in _NOT_TIMED or not callable(value):
            return value
        timed = _timed(name, value)
        setattr(self, name, timed)
        return timed


def _timed(operation: str, call: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(call)
    def timed(*args: Any, **kwargs: Any) -> Any:
        with store_call(operation):
            return call(*args, **kwargs)

    return timed
