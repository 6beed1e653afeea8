"""Backups: everything that one Likewise knows as a folder of files, and back.

    manifest      what is in the folder, with a checksum of every part; written last
    parts         points and ledger rows as parquet, and back
    books         the ledger's rows in a form that SQLite and PostgreSQL share
    writing       from a store and a ledger into a folder
    checking      is every part as the manifest says?
    restoring     from a folder into an empty store and ledger, of either kind

A folder without ``manifest.json`` is no backup. While one is being written a journal (``unfinished.jsonl``) lists the
parts that are whole, so that a killed backup goes on after them.
"""
