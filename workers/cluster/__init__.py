"""Batches and questions over Celery and Redis: sending, splitting, finding, repeating.

It never trusts what comes from the broker: every message is signed, and checked when it is read.

Start with ``runner``.

* ``app``: The Celery application: queues, priorities, time limits and how tasks survive the death of a worker
* ``backoff``: When to retry a service that is unavailable, without blocking the coordinator meanwhile
* ``batch_split``: A batch on the workers, whole or split in halves to find the file that ends the worker
* ``broker``: State of the broker: whether it answers, the depth of its queues, and which workers listen
* ``checks``: Checks of what came in a message: types, ranges, lengths
* ``orders``: Orders to workers: published signed, and checked by a worker before Celery looks at them
* ``points``: Points and facts of files in messages
* ``remote_encoder``: Embed files and words on a worker, and choose models there, from a process that has no models
* ``results``: Results of tasks as the broker keeps them: workers store them signed, coordinators read and check them
* ``retry``: Retry an action while its error is retryable
* ``runner``: Run batches on the workers of a cluster, by Celery over Redis
* ``serialization``: Messages between a job's coordinator and the workers, as plain JSON types
* ``signing``: Signatures of all messages that go through the broker
* ``task_lookup``: Look tasks up: in a queue, with a worker that answers, or nowhere
* ``task_queue``: Queue of batch tasks: send, withdraw and look them up at the broker, and read their results
"""
