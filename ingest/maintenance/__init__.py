"""Maintenance: job kinds that change or copy what is stored, and upgrades of older data.

It never ingests new files.

Start reading at ``reembed`` or ``backup``.

* ``backfill``: Add missing style, concepts, meaning and features to records of the current collections.
* ``backup``: Backups: write everything that a Likewise knows to a folder of files, and restore it.
* ``calibrate``: Job task ``calibrate``: learn likeness curves for the models of this library from labelled folders.
* ``fill``: Embed the records that a collection lacks; the common part of ``reembed`` and ``backfill``.
* ``migrate``: Job task ``migrate``: copy the store to another one and compare every point.
* ``overlaps``: Job task ``overlaps``: find which span of which film or sound is in which other.
* ``places``: Where backups and migrations may be written to, as the settings say.
* ``redecode``: Decode the files of records anew that an older version decoded, where this one decodes them otherwise.
* ``reembed``: Change the model of a space without downtime, in new generations of the collections that have it.
* ``upkeep``: Upgrade in place what an older version stored: standardised sounds, and keys of payloads.
* ``verify``: Verify everything that is stored: read it back, name what is damaged, and repair what still has its file.
"""
