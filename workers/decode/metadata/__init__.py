"""What files say of themselves: when, where, with what and by whom they were taken.

It never decides on its own clock or machine: what a file does not say is absent.

Start with ``pictures``.

* ``pictures``: Read the metadata of a picture
* ``recordings``: Read the metadata of a video or a sound
* ``sources``: What one source says of a file
"""
