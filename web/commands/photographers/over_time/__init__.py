"""Commands of ``likewise photographers`` on shoots and the change of style.

* ``shoots``: ``likewise photographers shoots``: list a photographer's shoots, or name one
* ``timeline``: ``likewise photographers timeline``: show shoots and style over time, and what has changed
"""
