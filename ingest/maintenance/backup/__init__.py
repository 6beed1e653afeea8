"""Backups: write everything that a Likewise knows to a folder of files, and restore it.

    manifest      lists the parts of a backup, with checksums; written last
    journal       lists the finished parts until then (in ``manifest``)
    parts         points and ledger rows as Parquet files, and back
    ledger_rows   rows of the ledger in a form that SQLite and PostgreSQL share
    previews      preview pictures, read and written
    write         from a store and a ledger into a folder
    verify        checks every part against the manifest
    restore       from a folder into an empty store and ledger, of either kind
    completeness  detects a ledger or store that is restored only in part
    task          the job kind ``backup``

A folder without ``manifest.json`` is not a backup. While one is being written, a journal (``unfinished.jsonl``) lists
the finished parts, so that a killed backup continues after them.
"""
