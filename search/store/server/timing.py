"""How long the client of a Qdrant server waits, and for how long it holds what it knows: all in one place."""

from __future__ import annotations

ANSWER_SECONDS = 60
"""For the answer to one request."""

CONNECT_SECONDS = 5.0
"""For a connection, before the next address is tried."""

REST_INSTEAD_SECONDS = 30.0
"""For which everything is asked by REST, once no node was reached by gRPC."""

COMMIT_SECONDS = 60
"""For the nodes of a cluster to agree on a change of a collection or an alias."""

WHOLE_SECONDS = 10.0
"""For a collection that was just made to be whole on every node; it was seen to take up to one second."""

BEHIND_SECONDS = 3.0
"""For the same, of whoever only asks or writes."""

PAUSES = (0.05, 0.1, 0.2, 0.4)
"""Between two tries while a collection is not whole; the last one from then on."""

ALIASES_HELD = 1.5
"""For which questions trust what the aliases say; writes read them anew. A promotion is seen by then."""

DESCRIPTION_HELD = 4.0
"""For which the numbers of points and indexed vectors of a collection, and what it is made of, are not asked anew."""
