"""Commands that ask: similar, search, duplicates, evaluate, export.

They never change a library.

Start with ``similar``.

* ``clock``: Moments of recordings, as they are typed
* ``duplicates``: ``likewise duplicates``: identical files and edited copies
* ``evaluate``: ``likewise evaluate`` measures the answers on labelled files
* ``export``: ``likewise export``: vectors and file names, for other programs
* ``feature_table``: Tables of the features of pictures as CSV, Parquet or npz, read from the API page by page
* ``import_vectors``: ``likewise import``: vectors of another program, matched with this library's files and compared
* ``filters``: Command-line options that narrow a question, derived from the table of filters
* ``similar``: ``likewise similar``: what is like this file, or this stored media?
* ``words``: ``likewise search``: media that show these words, or are called so
"""
