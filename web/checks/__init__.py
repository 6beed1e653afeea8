"""Checks of ``likewise doctor``.

They change nothing, and load no model.

Start with ``run``.

* ``models``: Checks of models: whether their weights are or will be here
* ``result``: Result of one check of ``likewise doctor``
* ``run``: Checks of ``likewise doctor``: the state of each thing and, where it is not well, what to do
"""
