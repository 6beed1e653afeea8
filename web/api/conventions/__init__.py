"""What calls of the API share beyond a single one: keys by which a repetition is harmless, and places in listings.

It never knows a particular call.

* ``cursors``: Where a page of a listing ended, as a text that only this API reads
* ``idempotency``: Answers a request that starts a job once for each ``Idempotency-Key``
"""
