"""Backups: write everything that a Likewise knows to a folder of files, and restore it.

* ``manifest``: the manifest of a backup, which is written last, and the journal that lists finished parts until then;
* ``snapshots``: the backups that one folder holds: the latest and those before, which share parts with it;
* ``parts``: points and ledger rows as Parquet files, and back;
* ``ledger_rows``: rows of the ledger in a form that SQLite and PostgreSQL share, with a digest;
* ``previews``: preview pictures, read for a backup and written from it;
* ``write``: from a store and a ledger into a folder;
* ``verify``: checks every part against the manifest;
* ``restore``: from a folder into an empty store and ledger, of either kind;
* ``completeness``: detects a ledger or store that is restored only in part;
* ``task``: the job kind ``backup``.

A folder without ``manifest.json`` is not a backup. While one is being written, a journal (``unfinished.jsonl``) lists
the finished parts, so that a killed backup continues after them.
"""
