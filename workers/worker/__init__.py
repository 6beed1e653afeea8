"""The process behind ``likewise worker``.

It never talks to the ledger.

Start with ``process``.

* ``process``: Run a worker: a Celery parent process, and one child that embeds with its own decoders
* ``reception``: What a worker takes from the broker: signed orders, and questions about itself; all else is refused
* ``state``: State of a worker process: models, decoders and the store, made when first needed and kept
* ``tasks``: Celery tasks of a worker: they take and answer JSON, and ``WorkerState`` does the work
"""
