"""The JSON API: the questions of ``search`` and the jobs of ``ingest`` over HTTP.

It never renders HTML.

Start with ``operation``.

* ``conventions``: What calls share: idempotency keys, and cursors of listings
* ``crediting``: API calls by which people say who took what, how photographers are called, and when and where
* ``description``: The description of the API that ``/openapi.json`` serves
* ``prediction``: API calls that predict photographers of several photos
* ``reuse``: API calls about reused film and sound
* ``cluster``: API call about the cluster: state of the broker, depth of its queues, and workers
* ``filtering``: Parameters of a request that make a filter, derived from the table in ``search.store.filters``
* ``generations``: API calls that change the model of a space, and list or delete generations of collections
* ``health``: Health checks and metrics: ``/healthz``, ``/readyz`` and ``/metrics``
* ``jobs``: API calls about jobs: list, start, show, follow, pause, resume, cancel; and failed files
* ``maintenance``: API calls that start a backup, a migration to another store, or learning likeness curves
* ``media``: Serve the preview and the file of a stored media by its id, never by a path of the request
* ``operation``: An API call declared once: its route, what it takes and what it answers
* ``params``: Reads a request's query string or body into the dataclasses that operations take, strictly
* ``photographers``: API calls about photographers: list, show, compare, predict, label and train
* ``ports``: Protocols of the node that the web front end needs; ``ingest.node.Node`` implements them
* ``problem``: An error as JSON, in the form of RFC 9457 (``application/problem+json``)
* ``questions``: API operations that ask: similar, words, browse, facets, duplicates, one record, status
* ``uploads``: Embed an uploaded file: store it in the shared place, encode it, and delete it
* ``vectors``: API operations that list the vectors of one space, and the features of pictures, page by page
"""
