"""ResNet-18 on ImageNet: the 512 averaged activations before its classifier."""

from __future__ import annotations

from torch import nn
from torchvision.models import resnet18

from search.model_descriptions.description import ModelDescription
from search.model_descriptions.registry import RESNET18
from workers.embedders.image.fuse_batchnorm import fuse_batch_norms
from workers.embedders.networks import Normalise, PooledClassifier, StateDict, load_state
from workers.embedders.weights import weights_of

MEAN = (0.485, 0.456, 0.406)
STD = (0.229, 0.224, 0.225)
"""Source: torchvision ``ResNet18_Weights.IMAGENET1K_V1.transforms()``."""


def resnet18_network(state: StateDict | None = None, model: ModelDescription = RESNET18) -> nn.Module:
    """uint8 ``(n, 224, 224, 3)`` to unit vectors float32 ``(n, 512)`` and probabilities float32 ``(n, 1000)``.

    Args:
        state: weights in torchvision's names; the published ones when left out.

    Raises:
        ModelError: the weights cannot be had or do not fit.
    """
    network = resnet18(weights=None)
    load_state(network, weights_of(model) if state is None else state, model.name)
    head, network.fc = network.fc, nn.Identity()
    return fuse_batch_norms(PooledClassifier(Normalise(MEAN, STD), network, head))
