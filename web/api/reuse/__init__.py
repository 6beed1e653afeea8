"""API calls about reused film and sound.

* ``overlaps``: Start the job that compares recordings, and list the spans that it has found
"""
