"""Scan: list the files below folders and in buckets, and hash them.

It never decides what becomes of a file; ``ingest.plan`` does.

Start reading at ``sources``.

* ``allowed``: Where media may lie: the folders that an administrator lists, or those that people have named.
* ``folders``: List the files below folders, folder by folder, without opening any.
* ``hashing``: SHA-256 of files, several at a time, ahead of their use.
* ``ignore``: Rules for files that a scan leaves out: patterns of the settings and of ``.likewiseignore`` files.
* ``remote``: List the objects below prefixes of buckets, with sizes and times from the listings alone.
* ``sidecars``: The sidecars beside a file, as one text that changes whenever one of them does.
* ``sources``: Sources of a job: checks paths and addresses that people name, and scans folders and buckets.
* ``stored_files``: Open the files of records to be served, where they are allowed and still what was taken in.
* ``system_files``: What other programs and systems keep beside photos, which scans leave out.
"""
