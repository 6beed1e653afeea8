"""Vector of ``motion`` of how a film moves: standardised parts of equal weight.

A number more or less in a part does not change what the part weighs. Mean and deviation ship (``flow.npz``, made by
``workers.embedders.video.fit_flow``), so that a film has one vector in every library.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from io import BytesIO

import numpy as np
from numpy.typing import NDArray

from search.store.base import Array
from workers.decode.recording.movement.flow import BLOCKS

STATISTICS = "flow.npz"
"""Beside this module: ``mean`` and ``deviation``, float32 ``(221,)`` each."""

LIMIT = 3.0
"""Deviations at which a number is clipped."""

LEAST_DEVIATION = 1e-3


@dataclass(frozen=True, slots=True)
class FlowEmbedder:
    """Mean and deviation of each number of ``workers.decode.recording.movement.flow``, float32 ``(221,)``."""

    mean: NDArray[np.float32]
    deviation: NDArray[np.float32]

    def embed(self, movement: NDArray[np.float32]) -> Array:
        """A unit vector float32 ``(1, 221)`` of a film that moves as ``movement`` says, float32 ``(221,)``."""
        standard = np.clip((movement - self.mean) / self.deviation, -LIMIT, LIMIT)
        parts = np.split(standard, np.cumsum(BLOCKS)[:-1])
        weighed = np.concatenate([part / np.sqrt(len(part)) for part in parts])
        length = float(np.linalg.norm(weighed))
        unit: Array = (weighed / length if length else weighed)[None].astype(np.float32)
        return unit


def flow_embedder() -> FlowEmbedder:
    """The embedder as it ships."""
    data = np.load(BytesIO(files("workers.embedders.video").joinpath(STATISTICS).read_bytes()), allow_pickle=False)
    return FlowEmbedder(data["mean"], data["deviation"])


def fit(sets: Sequence[NDArray[np.float32]]) -> FlowEmbedder:
    """Mean and deviation over sets of films with the same weight each.

    Args:
        sets: float32 ``(n, 221)`` each, n at least 1.
    """
    mean = np.mean([rows.mean(axis=0) for rows in sets], axis=0)
    variance = np.mean([np.square(rows - mean).mean(axis=0) for rows in sets], axis=0)
    return FlowEmbedder(mean.astype(np.float32), np.maximum(np.sqrt(variance), LEAST_DEVIATION).astype(np.float32))


def revision(data: bytes) -> str:
    """Revision of the statistics in a file: the beginning of its SHA-256, hex."""
    return hashlib.sha256(data).hexdigest()[:16]
