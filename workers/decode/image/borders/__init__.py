"""Borders: what surrounds a picture in its file and is no part of it.

It never cuts anything by itself: ``picture`` decides what is measured within the borders.

Start with ``find``.

* ``bands``: Bands of one colour along a side of a picture, and the line in which they end
* ``find``: Find what surrounds a picture in its file: frames, letterboxes, slide mounts and strips with a caption or
  watermark
"""
