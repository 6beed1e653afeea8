"""ResNet-18 on ImageNet: the 512 averaged activations before its classifier.

The layers are declared here, under torchvision's names, because torchvision takes two seconds to import.
"""

from __future__ import annotations

from collections import OrderedDict

from torch import Tensor, nn

from search.model_descriptions.description import ModelDescription
from search.model_descriptions.registry import RESNET18
from workers.embedders.image.fuse_batchnorm import fuse_batch_norms
from workers.embedders.networks import Normalise, PooledClassifier, StateDict, declared, load_state
from workers.embedders.weights import weights_of

MEAN = (0.485, 0.456, 0.406)
STD = (0.229, 0.224, 0.225)
"""Source: torchvision ``ResNet18_Weights.IMAGENET1K_V1.transforms()``."""

STAGES = (64, 128, 256, 512)
"""Channels of each stage of two blocks. Source: He et al., CVPR 2016, table 1."""


class _Block(nn.Module):
    """Two convolutions of 3 x 3 beside a shortcut, which is projected where the shape changes."""

    def __init__(self, before: int, channels: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(before, channels, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.relu = nn.ReLU(inplace=True)
        self.conv2 = nn.Conv2d(channels, channels, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)
        self.downsample: nn.Module | None = None
        if before != channels:
            self.downsample = nn.Sequential(
                nn.Conv2d(before, channels, 1, stride, bias=False), nn.BatchNorm2d(channels)
            )

    def forward(self, x: Tensor) -> Tensor:
        shortcut = x if self.downsample is None else self.downsample(x)
        out: Tensor = self.bn2(self.conv2(self.relu(self.bn1(self.conv1(x)))))
        out += shortcut
        return self.relu(out)  # type: ignore[no-any-return]


def resnet18_network(state: StateDict | None = None, model: ModelDescription = RESNET18) -> nn.Module:
    """uint8 ``(n, 224, 224, 3)`` to unit vectors float32 ``(n, 512)`` and probabilities float32 ``(n, 1000)``.

    Args:
        state: weights in torchvision's names; the published ones when left out.

    Raises:
        ModelError: the weights cannot be had or do not fit.
    """
    with declared():
        network = _layers()
    load_state(network, weights_of(model) if state is None else state, model.name)
    return fuse_batch_norms(PooledClassifier(Normalise(MEAN, STD), network[:-1], network[-1]))


def _layers() -> nn.Sequential:
    """float ``(n, 3, 224, 224)`` to scores ``(n, 1000)``."""
    layers: OrderedDict[str, nn.Module] = OrderedDict(
        conv1=nn.Conv2d(3, 64, 7, 2, 3, bias=False),
        bn1=nn.BatchNorm2d(64),
        relu=nn.ReLU(inplace=True),
        maxpool=nn.MaxPool2d(3, 2, 1),
    )
    before = 64
    for number, channels in enumerate(STAGES, 1):
        first = _Block(before, channels, 1 if channels == before else 2)
        layers[f"layer{number}"] = nn.Sequential(first, _Block(channels, channels, 1))
        before = channels
    layers |= {"avgpool": nn.AdaptiveAvgPool2d(1), "flatten": nn.Flatten(), "fc": nn.Linear(before, 1000)}
    return nn.Sequential(layers)
