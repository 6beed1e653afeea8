"""R3D-18 on Kinetics-400: the 512 averaged activations of a clip before the classifier.

The layers are declared here, under torchvision's names, because torchvision takes two seconds to import.
"""

from __future__ import annotations

from collections import OrderedDict

from torch import Tensor, nn

from search.model_descriptions.description import ModelDescription
from search.model_descriptions.registry import R3D18
from workers.embedders.networks import Normalise, StateDict, declared, load_state
from workers.embedders.weights import weights_of

MEAN = (0.43216, 0.394666, 0.37645)
STD = (0.22803, 0.22145, 0.216989)
"""Source: torchvision ``R3D_18_Weights.KINETICS400_V1.transforms()``."""

STAGES = (64, 128, 256, 512)
"""Channels of each stage of two blocks. Source: Tran et al., CVPR 2018, table 1."""


class _Clips(nn.Module):
    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.normalise, self.network = Normalise(MEAN, STD), network

    def forward(self, clips: Tensor) -> tuple[Tensor]:
        return (self.network(self.normalise(clips)).float(),)


class _Block(nn.Module):
    """Two convolutions of 3 x 3 x 3 beside a shortcut, which is projected where the shape changes."""

    def __init__(self, before: int, channels: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Sequential(*_convolution(before, channels, 3, stride), nn.ReLU(inplace=True))
        self.conv2 = nn.Sequential(*_convolution(channels, channels, 3, 1))
        self.relu = nn.ReLU(inplace=True)
        self.downsample: nn.Module | None = None
        if before != channels:
            self.downsample = nn.Sequential(*_convolution(before, channels, 1, stride))

    def forward(self, x: Tensor) -> Tensor:
        shortcut = x if self.downsample is None else self.downsample(x)
        out: Tensor = self.conv2(self.conv1(x))
        out += shortcut
        return self.relu(out)  # type: ignore[no-any-return]


def r3d18_network(state: StateDict | None = None, model: ModelDescription = R3D18) -> nn.Module:
    """uint8 clips ``(n, 16, 112, 112, 3)`` to activations float32 ``(n, 512)``, not normalised, because clips of a
    video are averaged first.

    Args:
        state: weights in torchvision's names; the published ones when left out.

    Raises:
        ModelError: the weights cannot be had or do not fit.
    """
    with declared():
        network = _layers()
    load_state(network, weights_of(model) if state is None else state, model.name)
    return _Clips(network[:-1])


def _layers() -> nn.Sequential:
    """float ``(n, 3, 16, 112, 112)`` to scores ``(n, 400)``."""
    stem = nn.Conv3d(3, 64, (3, 7, 7), (1, 2, 2), (1, 3, 3), bias=False)
    layers: OrderedDict[str, nn.Module] = OrderedDict(
        stem=nn.Sequential(stem, nn.BatchNorm3d(64), nn.ReLU(inplace=True))
    )
    before = 64
    for number, channels in enumerate(STAGES, 1):
        first = _Block(before, channels, 1 if channels == before else 2)
        layers[f"layer{number}"] = nn.Sequential(first, _Block(channels, channels, 1))
        before = channels
    layers |= {"avgpool": nn.AdaptiveAvgPool3d(1), "flatten": nn.Flatten(), "fc": nn.Linear(before, 400)}
    return nn.Sequential(layers)


def _convolution(before: int, channels: int, kernel: int, stride: int) -> tuple[nn.Module, nn.Module]:
    return nn.Conv3d(before, channels, kernel, stride, kernel // 2, bias=False), nn.BatchNorm3d(channels)
