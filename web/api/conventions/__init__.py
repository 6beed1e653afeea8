"""What calls of the API share beyond a single one: keys by which a repetition is harmless, and links to the next page.

It never knows a particular call.

* ``idempotency``: Answers a request that starts a job once for each ``Idempotency-Key``
* ``next_page``: Names the next page of a list in the header ``Link``
"""
