"""Commands that start processes, and look after them.

They never answer questions.

Start with ``up``.

* ``browser``: Opens a page in the browser of the person at this terminal
* ``demo``: ``likewise demo``: make a sample library, ingest it and open the page
* ``doctor``: ``likewise doctor``: list settings with their origins, and check that everything needed works
* ``open_page``: ``likewise open``: open the page of the running server in a browser
* ``serve``: ``likewise serve``: serve page and API from several processes, as the web part of a cluster
* ``token``: ``likewise token``: show this data directory's token; make, list and revoke others
* ``up``: ``likewise up``: serve the page on this machine, and ingest folders in the background
* ``worker``: ``likewise worker``: embed for the jobs and questions of a cluster
"""
