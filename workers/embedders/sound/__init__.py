"""Sounds as vectors, a row for each segment of a recording.

It never reads files: samples come from the decoders, at 16 kHz and mono.

Start with ``rows``.

* ``fit_logmel``: Fit the mean and deviation by which sounds are standardised, on folders of sounds
* ``logmel``: Statistics of the log-mel spectrogram of a sound, as its vector; there are no weights
* ``rows``: Cut a recording into segments as it is read, and embed each: one row of vectors a segment, with its time
* ``standardise``: Standardise sounds: centre and scale each dimension of ``sound_raw``, and rewrite older sounds
"""
