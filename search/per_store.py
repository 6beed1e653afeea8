"""Keeps one object for each store, made on first use and released with the store."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar
from weakref import WeakKeyDictionary, proxy

from search.store.base import Store

T = TypeVar("T")


class PerStore(Generic[T]):
    """Call it with a store for the one object of that store. Thread-safe.

    Args:
        make: is given a weak proxy of the store: an object that held the store itself would keep it alive for ever.
    """

    def __init__(self, make: Callable[[Store], T]) -> None:
        self._make = make
        self._made: WeakKeyDictionary[Store, T] = WeakKeyDictionary()
        self._lock = threading.Lock()

    def __call__(self, store: Store) -> T:
        with self._lock:
            if store not in self._made:
                self._made[store] = self._make(proxy(store))
            return self._made[store]
