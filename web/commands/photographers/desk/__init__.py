"""Commands of ``likewise photographers`` for the picture desk: credits by hand, display names, dates and places,
evidence.

* ``credit``: ``likewise photographers credit``, ``undo`` and ``display``: by hand, at once
* ``evidence``: ``likewise photographers evidence``: write predictions with all behind them as one HTML file
* ``facts``: ``likewise photographers facts``: note when and where photos were taken, by a table
"""
