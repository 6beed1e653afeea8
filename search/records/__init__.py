"""Stored records without a question by example: one, a page of them, counts of their values.

It never compares vectors.

Start with ``lookup``.

* ``browse``: Lists a collection page by page, in an order that people know
* ``cursors``: Where a page of a listing ended, as a text that only the listing itself reads
* ``differences``: Lists the facts in which records differ, and tells which record says most
* ``lookup``: Looks up one record, the vectors of an example, and the values of facets
* ``natural_order``: Sorts names as people expect: capitals and accents do not count, and 9 comes before 10
* ``recent``: Keeps what recent questions found until something changes, for the next page of an answer
* ``shown``: Records as answers show them, kept in memory while the store holds them as they are
* ``sound_rows``: When each row of a recording's vectors is heard, kept in a few numbers of its record
* ``status``: Describes what a store holds, as ``likewise status`` and ``/api/v1/status`` answer
"""
