"""Normalises rows of vectors."""

from __future__ import annotations

import numpy as np

from search.store.base import Array


def unit_rows(rows: Array) -> Array:
    """Rows scaled to length 1; a row of zeros stays as it is.

    Args:
        rows: float ``(n, dim)``.

    Returns:
        float32 ``(n, dim)``.
    """
    norms = np.linalg.norm(rows, axis=1, keepdims=True)
    return (rows / np.where(norms > 0, norms, 1.0)).astype(np.float32)
