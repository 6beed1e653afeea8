"""Jobs: create, run, pause, resume and cancel jobs, from any process that shares the ledger.

It never reads a media file: an ingest job calls ``ingest.scan`` and ``ingest.plan``, and every other kind its task.

Start reading at ``kinds`` and ``service``.

* ``bulk_indexing``: Hold the store's indexing while a job writes many records, and release it afterwards.
* ``commands``: What people ask of jobs, stored in the ledger for the processes that run them.
* ``failures``: Failed files in the ledger: listing them, and the libraries that have some.
* ``ingest_run``: One run of an ingest job: scan, plan, embed in batches, record reports, handle missing files.
* ``kinds``: Kinds of job: what each is called where it is stored, what people read, and which options it takes.
* ``leases``: Leases of jobs: the ledger names the one coordinator that runs a job.
* ``options``: Reading the options of a job from the texts that the ledger keeps into a frozen type.
* ``progress``: Progress of a job, as the command line, pages and the API show it.
* ``retries``: Run a job's work again after errors that pass, with waiting times that grow.
* ``rows``: Job rows of the ledger, and :class:`LiveJob`, a job while it runs in this process.
* ``scheduling``: Which jobs may run at the same time, and which waiting job runs first.
* ``service``: Start, run, pause, resume, cancel and list jobs, from any process that shares the ledger.
* ``tasks``: The protocol of job kinds other than ``ingest``, and how such a task runs as a job.
* ``unstored``: How jobs of this process ended while the ledger could not note it, because its disk is full, say.
* ``workload``: How much work a job has, and how fast it goes: by the kind and bytes of files, over the last while.
"""
