"""Where vectors and payloads live: one protocol (``base``), embedded (``edge``) or on a Qdrant server (``server``)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from search.settings import Settings
    from search.store.base import Store


def open_store(settings: Settings) -> Store:
    """The store the settings ask for. The caller closes it.

    Raises:
        StoreLockedError: another process has the data directory open.
        StoreUnavailableError: the server cannot be reached.
        SpaceMismatchError, StoreError: a collection on disk cannot be opened.
    """
    if settings.store == "server":
        # Imported on demand: qdrant-client takes longer to import than an embedded store takes to open.
        from search.store.server.store import connect

        return connect(settings)
    from search.store.edge.store import EdgeStore

    return EdgeStore(settings.home)
