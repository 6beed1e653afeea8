"""The store on a Qdrant server or cluster, through qdrant-client.

It never deletes a collection that it did not make.

Start with ``store``.

* ``collections``: Makes, describes, switches and drops collections on a Qdrant server
* ``connection``: Connects to a Qdrant server: addresses of its nodes, certificate, key, and how long to wait
* ``errors``: Translates the errors of a Qdrant server and its client into ``search.errors``
* ``filters``: Spells filters as a Qdrant server takes them
* ``grpc_nodes``: Sends requests by gRPC as REST does: addresses in turn, one deadline, certificates, key
* ``grpc_points``: Sends and fetches points with their vectors by gRPC, in a quarter of the bytes of REST
* ``layout``: Configures a collection on a Qdrant server: vectors, index, shards, compression
* ``limits``: What a Qdrant server takes in one request: what it usually does, and what its refusals have taught
* ``names``: Resolves the name of a collection or generation to a collection on the server
* ``points``: Sends and fetches points with their vectors by REST, in the form in which a Qdrant server takes them
* ``questions``: Cuts the query for hits into requests that a Qdrant server answers
* ``ready``: Waits until a collection that was just made is whole on every node of a Qdrant server
* ``store``: The store on a Qdrant server or cluster: points and queries, through qdrant-client
* ``timing``: How long the client of a Qdrant server waits, and for how long it holds what it knows: all in one place
* ``warnings``: What ``likewise doctor`` warns of about a Qdrant server that answers
"""
