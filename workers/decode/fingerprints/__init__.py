"""Fingerprints over time, by which reused film and sound is found (``search.similar.reuse``).

They are made while a recording is read, in flat memory.

* ``frames``: fingerprints of a film's frames, four a second
* ``landmarks``: pairs of spectral peaks of a sound
"""
