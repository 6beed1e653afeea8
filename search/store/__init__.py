"""Vectors and payloads at rest: one protocol, an embedded engine and a Qdrant server.

It never interprets what it stores: likeness, words and photographers are matters of other packages.

Start with ``base``.

* ``edge``: The embedded store: Qdrant's engine in this process, a folder on disk for each collection
* ``server``: The store on a Qdrant server or cluster, through qdrant-client
* ``answers``: Turns an engine's answers into hits, and diverse ones (MMR) into pages that fit together
* ``base``: The ``Store`` protocol: what every vector store must do, embedded or on a server
* ``checksums``: Checksums by which damage of stored vectors and facts is found
* ``conditions``: Compiles a filter into the conditions of either engine
* ``durable``: Writes files that are whole after a crash, copies sparse files, and reports a full disk early
* ``filters``: The table of filters: what a question can be narrowed by, on either store
* ``generation_switch``: Switches several collections to new generations at once, also when a process dies half-way
* ``generations``: Names of a collection's generations, the same for either store
* ``measured``: Counts and times the calls of a store for Prometheus
* ``payloads``: Payload indexes, and the form in which either engine stores payloads
* ``schemas``: Checks that a collection exists and holds the spaces that are meant, for either engine
* ``temporary_folders``: Temporary folders that are removed even where their process was killed
* ``vectors``: Checks vectors against a collection's schema, and translates them to and from an engine's form
"""

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
