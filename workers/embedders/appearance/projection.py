"""Projection of statistics to the numbers that are stored, and the file of it.

Distances between standardised statistics are kept as well as so few numbers can: by their principal components over
photos that show all sorts of things.

Source: Jolliffe, "Principal Component Analysis", 2nd edition, 2002.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from search.errors import ModelError
from search.model_descriptions.registry import APPEARANCE
from search.store.base import Array
from workers.embedders.appearance.statistics import DIMENSIONS

WEIGHTS = "weights.npz"
"""Beside this module; made by ``workers.embedders.appearance.train``."""

FARTHEST = 5.0
"""Deviations from the mean at which a statistic is cut off, so that one odd channel does not decide a distance."""


class Projection(nn.Module):
    """Statistics float32 ``(n, DIMENSIONS)`` to float32 ``(n, APPEARANCE.dim)``, of no fixed length.

    Attributes:
        middle, scale: float32 ``(DIMENSIONS,)``, mean and deviation of each statistic.
        axes: float32 ``(DIMENSIONS, APPEARANCE.dim)``, the weight of each block of statistics included.
    """

    middle: Tensor
    scale: Tensor
    axes: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("middle", torch.zeros(DIMENSIONS))
        self.register_buffer("scale", torch.ones(DIMENSIONS))
        self.register_buffer("axes", torch.zeros(DIMENSIONS, APPEARANCE.dim))

    def forward(self, statistics: Tensor) -> Tensor:
        standard = ((statistics - self.middle) / self.scale).clamp(-FARTHEST, FARTHEST)
        return standard @ self.axes

    def arrays(self) -> dict[str, NDArray[np.float16 | np.float32]]:
        """Its weights for an ``.npz``, the axes in half precision."""
        arrays = {name: tensor.numpy() for name, tensor in self.state_dict().items()}
        return {name: array.astype(np.float16) if name == "axes" else array for name, array in arrays.items()}

    @classmethod
    def of(cls, arrays: Mapping[str, NDArray[np.generic]]) -> Projection:
        """
        Raises:
            ModelError: names or shapes are not those of :meth:`arrays`.
        """
        projection = cls()
        try:
            state = {name: torch.from_numpy(np.asarray(array, np.float32)) for name, array in arrays.items()}
            projection.load_state_dict(state)
        except (RuntimeError, ValueError, TypeError) as error:
            raise ModelError(f"These are no weights of the projection of appearance: {error}") from error
        return projection.eval()


def fit(statistics: Array, blocks: Sequence[int]) -> Projection:
    """The projection that keeps distances between photos like these best.

    Args:
        statistics: float32 ``(n, DIMENSIONS)`` of more photos than the projection has dimensions.
        blocks: lengths of blocks of statistics, in order; each block counts alike, however many numbers it has.
    """
    middle, scale = statistics.mean(axis=0), statistics.std(axis=0)
    scale = scale + 1e-6 * (1 + np.abs(middle))
    weights = np.concatenate([np.full(length, length**-0.5) for length in blocks])
    standard = np.clip((statistics - middle) / scale, -FARTHEST, FARTHEST) * weights
    _, _, axes = np.linalg.svd(standard - standard.mean(axis=0), full_matrices=False)
    return Projection.of({"middle": middle, "scale": scale, "axes": weights[:, None] * axes[: APPEARANCE.dim].T})


def shipped_projection() -> Projection:
    """
    Raises:
        ModelError: the file is not there or is not whole.
    """
    try:
        with (
            files("workers.embedders.appearance").joinpath(WEIGHTS).open("rb") as file,
            np.load(file, allow_pickle=False) as held,
        ):
            return Projection.of(dict(held))
    except (OSError, ValueError, EOFError, BadZipFile) as error:
        raise ModelError(
            f"The weights of the projection of appearance cannot be read: {error}", "Install Likewise again."
        ) from error


def save_projection(projection: Projection, path: Path) -> str:
    """Write its weights to ``path`` (``.npz``) and give their revision; the same weights make the same bytes."""
    np.savez(path, **projection.arrays())  # type: ignore[arg-type]  # numpy's stub takes every keyword for allow_pickle
    return revision(path.read_bytes())


def revision(weights: bytes) -> str:
    """16 hex digits of the file's SHA-256, what ``registry.APPEARANCE`` calls these weights."""
    return hashlib.sha256(weights).hexdigest()[:16]
