"""The embedded store: Qdrant's engine in this process, a folder on disk for each collection.

It never serves two processes at once.

Start with ``store``.

* ``changes``: Remembers which points were written lately, so that what was read before can be kept where it still holds
* ``collections``: Holds the open collections of the embedded store and their generations on disk
* ``layout``: Configures a Qdrant Edge shard: vectors, approximate index, payload indexes, when to index
* ``lock``: Locks a data directory, so that one process at a time has it open
* ``optimise``: Builds the approximate index of a shard in a process of its own: ``python -P optimise.py SHARD``
* ``shard``: One collection of the embedded store on disk: a Qdrant Edge shard and its metadata file
* ``store``: The embedded store: Qdrant Edge, the Qdrant engine in this process, one shard a collection
"""
