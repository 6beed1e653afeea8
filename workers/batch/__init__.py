"""A batch from files to points: decode, embed, write, report how each file ended.

It never decides which files there are; ``ingest`` does.

Start with ``processor``.

* ``backfill``: Fill a collection with new vectors of some spaces and keep the vectors of the others
* ``batch_metrics``: Metrics and log lines of an embedded batch
* ``collecting_store``: Store of a worker without access to the real one: collects the points of a batch, to be sent
  back
* ``delivery``: Write the points that workers send back into a store that only this process can write
* ``embedding_store``: Protocol of the store as embedding uses it; a worker without a store collects points instead
* ``encode``: Embed one file, or words, as the example of a query; nothing is stored
* ``items``: State of files and batches between submission to the decoders and their outcome
* ``local_runner``: Run batches in this process
* ``processor``: Embed batches of files: decode, embed, write points, and report the outcome of each file
* ``records``: Media records of embedded files, and merges of records of the same content
* ``report``: Types of a batch of files and of its report, with one outcome for each file
* ``writer``: Write previews and points of embedded files
"""
