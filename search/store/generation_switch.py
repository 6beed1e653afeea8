"""Switches several collections to new generations at once, also when a process dies half-way.

A space such as ``visual`` lives in more than one collection, and half of them under another model would be of no use:
each generation carries the names of all that are switched with it, and the next process that opens the store finishes a
switch that was cut short.
"""

from __future__ import annotations

from collections.abc import Sequence

from search.store.base import Store

SWITCHING = "switching_with"
"""Metadata key of a generation that is about to be promoted: the names of all that go with it, in that order."""


def promote_together(store: Store, generations: Sequence[str]) -> None:
    """Let questions go to these generations from now on."""
    for name in generations:
        store.set_metadata(name, {SWITCHING: list(generations)})
    _promote(store, generations)


def finish_switch(store: Store) -> bool:
    """Bring a switch that was cut short to its end; True when there was one."""
    for collection in sorted(store.collections()):
        names = store.metadata(collection).get(SWITCHING)
        if names:
            _promote(store, names)
            return True
    return False


def _promote(store: Store, generations: Sequence[str]) -> None:
    for name in generations:
        if name not in _current(store):
            store.promote(name)
    for name in generations:
        store.set_metadata(name, {SWITCHING: None})


def _current(store: Store) -> set[str]:
    return {
        generation.name
        for collection in store.collections()
        for generation in store.generations(collection)
        if generation.current
    }
