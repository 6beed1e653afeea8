"""R3D-18 on Kinetics-400: the 512 averaged activations of a clip before the classifier."""

from __future__ import annotations

from torch import Tensor, nn
from torchvision.models.video import r3d_18

from search.model_descriptions.description import ModelDescription
from search.model_descriptions.registry import R3D18
from workers.embedders.networks import Normalise, StateDict, load_state
from workers.embedders.weights import weights_of

MEAN = (0.43216, 0.394666, 0.37645)
STD = (0.22803, 0.22145, 0.216989)
"""Source: torchvision ``R3D_18_Weights.KINETICS400_V1.transforms()``."""


class _Clips(nn.Module):
    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.normalise, self.network = Normalise(MEAN, STD), network

    def forward(self, clips: Tensor) -> tuple[Tensor]:
        return (self.network(self.normalise(clips)).float(),)


def r3d18_network(state: StateDict | None = None, model: ModelDescription = R3D18) -> nn.Module:
    """uint8 clips ``(n, 16, 112, 112, 3)`` to activations float32 ``(n, 512)``, not normalised, because clips of a
    video are averaged first.

    Args:
        state: weights in torchvision's names; the published ones when left out.

    Raises:
        ModelError: the weights cannot be had or do not fit.
    """
    network = r3d_18(weights=None)
    load_state(network, weights_of(model) if state is None else state, model.name)
    network.fc = nn.Identity()
    return _Clips(network)
