"""Sounds as vectors, a row for each segment of a recording.

It never reads files: samples come from the decoders, at 16 kHz and mono.

Start with ``rows``.

* ``aisfx``: The network aisfx, trained on six collections of sound effects: what a sound is, whoever makes it
* ``character``: Says in plain words what kind of sound a recording is: coarse classes that are measured, not learnt
* ``fit_aisfx``: Fit the mean that is taken from what aisfx makes of a sound, on folders of speech
* ``fit_logmel``: Fit the mean and deviation by which sounds are standardised, on folders of sounds
* ``gated``: What a sound is and who speaks in it, in one vector, beside each alone
* ``logmel``: Statistics of the log-mel spectrogram of a sound, as its vector; there are no weights
* ``rows``: Cut a recording into segments as it is read, and embed each: one row of vectors a segment, with its time
* ``speech``: Whether somebody speaks: Silero VAD
* ``standardise``: Standardise sounds: centre and scale each dimension of ``sound_raw``, and rewrite older sounds
* ``voice``: The voice encoder GE2E: who speaks, whatever is said
"""
