"""Makes and learns: decodes files, embeds them, writes points, trains models.

It knows nothing of folders, jobs, ledgers or HTML.

Start with ``batch.processor``.

* ``batch``: A batch from files to points: decode, embed, write, report how each file ended
* ``cluster``: Batches and questions over Celery and Redis: sending, splitting, finding, repeating
* ``decode``: Untrusted bytes to arrays, in child processes with limits
* ``embedders``: Networks: decoded media to vectors
* ``engines``: What a node embeds with: models in this process, or workers elsewhere
* ``photographers``: Learning about photographers: classifier, joint model, and the benchmark with invented
  photographers
* ``storage``: Files wherever they lie: folders, buckets, previews, the place that web and workers share
* ``training``: A training in a child process here, or by a worker
* ``worker``: The process behind ``likewise worker``
* ``alignment``: Compare two pictures by their previews: is something in one that is not in the other, once they are
  aligned?
* ``calibrate``: Learn likeness curves (``search.likeness.curve``) from labelled media
* ``device``: Choose the device of the models, check it and measure its memory
* ``runtime``: Settings of the C library and of OpenMP for a process that computes
"""
