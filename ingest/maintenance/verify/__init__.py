"""Verify everything that is stored: read it back, name what is damaged, and repair what still has its file.

It never changes anything unless it is asked to repair.

Start reading at ``task``.

* ``findings``: what is damaged, and the reports of the last runs, which the ledger keeps
* ``record_checks``: checks records of the store by themselves: readable, as their checksums say, with a preview
* ``ledger_checks``: compares records with the ledger: paths, credits, records without files, files without records
* ``repair``: embeds damaged records anew, and writes anew what follows from the ledger
* ``scrub``: checks the records of the store again and again in the background, at a set rate
* ``task``: the job kind ``verify``
"""
