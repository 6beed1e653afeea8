"""Sounds as statistics of their log-mel spectrogram, and how those are standardised.

They never see more than the first 30 seconds that the decoder gives.

Start with ``logmel``.

* ``fit_logmel``: Fit the mean and deviation by which sounds are standardised, on folders of sounds
* ``logmel``: Statistics of the log-mel spectrogram of a sound, as its vector; there are no weights
* ``standardise``: Standardise sounds: centre and scale each dimension of ``sound_raw``, and rewrite older sounds
"""
