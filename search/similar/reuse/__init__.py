"""Finds which span of a film or recording is in which other: cut, edited, flipped, or between other footage.

It compares fingerprints over time, which decoders make (``workers.decode.fingerprints``), and never reads a media file.

Start with ``search``.

* ``films``: spans that two films share, by fingerprints of their frames
* ``footprints``: fingerprints over time of one content, and their form as bytes
* ``landmarks``: spans that two sounds share, by pairs of spectral peaks
* ``overlaps``: what was found: a span of one content that is in another
* ``rows_index``: frames of many films that are nearly equal to those of one
* ``search``: compares some contents with all others, in bounded memory
"""
