"""The JSON API: the questions of ``search`` and the jobs of ``ingest`` over HTTP."""
