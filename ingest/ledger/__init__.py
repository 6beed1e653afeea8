"""The ledger: an SQL database with a row for every file, the jobs, and the credits of photographers.

It never writes files of media, and touches the store only to write credits.

Start reading at ``tables``.

* ``access``: Tokens with a scope, sessions and login codes, of which only digests are kept.
* ``credit_edits``: Credits by hand, and of jobs that label, that can be undone: what the sources said before.
* ``credits``: Credits of records: what each source says, which one counts, and writing that into the store.
* ``database``: The ledger: an SQL database with a row for every file that has been ingested, and the jobs.
* ``display_names``: How photographers are shown where people have said so, by the name that they are credited by.
* ``entries``: Read and write the ledger's file rows, always inside a transaction of the caller.
* ``libraries``: Libraries, named groups of roots: a file belongs to that of the closest root at or above it.
* ``overlaps``: Spans of films and sounds that are in others, and which contents were compared for them.
* ``postgres``: Connections to PostgreSQL that keep to the deadline of the request, also while the server is frozen.
* ``request_keys``: Idempotency keys: a request that starts a job and is sent again is answered as the first time.
* ``shoot_names``: What people call shoots, kept with each of their photos: shoots are found anew whenever photos come.
* ``tables``: Tables of the ledger, for SQLite and PostgreSQL.
* ``told_facts``: Dates and places that people have told by a table, and what counts of them beside what the file says.
* ``upgrade``: Upgrade a ledger of an older version to the present layout, in place and in one transaction.
"""
