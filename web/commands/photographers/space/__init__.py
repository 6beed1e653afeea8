"""Commands of ``likewise photographers`` on the photographer space that ``train --joint`` has made.

* ``encode``: ``likewise photographers encode``: image codes of files, by the encoder of the photographer space
* ``place``: ``likewise photographers place``: fold a new photographer into the photographer space
"""
