"""The function that makes a model, found by the ``module:function`` of its description.

A builder of a network is called as ``build(state, model)``:

* ``state``: tensors by name; None for the published weights (``workers.embedders.weights.weights_of``).
* ``model``: the description, so that one builder can serve several models.

It returns a network from uint8 rows to a tuple of float32 tensors with as many rows. Of a model of ``visual``, rows are
crops ``(n, 224, 224, 3)``, and the tuple is unit vectors ``(n, dim)`` and, where the description says
``imagenet_classes``, probabilities ``(n, 1000)``. It raises ``ModelError`` where weights cannot be had or do not fit.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from search.errors import ModelError


def load_builder(name: str) -> Any:
    """The function that ``module:function`` names; its module is imported.

    Raises:
        ModelError: there is no such module or function, or a package that it needs is not installed.
    """
    module, _, function = name.partition(":")
    try:
        return getattr(import_module(module), function)
    except (ImportError, AttributeError, ValueError) as error:
        raise ModelError(f"'{name}', which makes a model, cannot be imported: {error}.") from error
