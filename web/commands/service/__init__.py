"""Commands that start processes, and look after them.

They never answer questions.

Start with ``up``.

* ``demo``: ``likewise demo``: make a sample library, ingest it and open the page
* ``doctor``: ``likewise doctor``: list settings with their origins, and check that everything needed works
* ``serve``: ``likewise serve``: serve page and API from several processes, as the web part of a cluster
* ``up``: ``likewise up``: serve the page on this machine, and ingest folders in the background
* ``worker``: ``likewise worker``: embed for the jobs and questions of a cluster
"""
