"""Plan: compare a scan with the ledger, make batches of what differs, and record their reports.

It never embeds; a runner of ``workers`` takes the batches.

Start reading at ``plan``, then ``dispatch``.

* ``batches``: Number of files in a batch, by kind of media.
* ``dispatch``: Make batches of planned files, and write the reports of batches into the ledger.
* ``links``: Ledger row of a hashed file: a further path of an existing record, or a row of its own.
* ``missing``: Files that no longer exist: ask when too many are gone, mark them, later delete their records.
* ``plan``: Compare a scan with the ledger and plan only the differences.
* ``sidecars``: Read the facts of records anew whose sidecars have been edited, added or removed.
* ``store_records``: Keep records of the store consistent with the ledger: paths, libraries, missing and deleted
  records.
"""
