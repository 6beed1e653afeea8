"""The two joint models: the published one, and the one whose vectors are kept.

Both foretell a picture's statistics from its image code and its photographer's vector; both hold the vectors as their
own parameters, so that one optimiser moves everything.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from itertools import pairwise

import torch
from torch import Tensor, nn

from workers.joint.options import CODE


class JointNetwork(nn.Module, ABC):
    """What the two have in common.

    Attributes:
        vectors: (p, d), one row a photographer.
    """

    vectors: nn.Parameter

    @abstractmethod
    def forward(self, codes: Tensor, vectors: Tensor) -> Tensor:
        """Statistics (n, k) of pictures with these codes (n, 16), by whoever has these vectors (n, d)."""

    def penalty(self) -> Tensor:
        """What the vectors and whatever reads them cost, added to the loss."""
        return torch.zeros(())


class PublishedNetwork(JointNetwork):
    """Image branch 16-28-28-10, photographer branch d-d-d, joint (10 + d)-8-8-k, all tanh. Source: REFERENCE §4."""

    def __init__(self, people: int, dimensions: int, outputs: int) -> None:
        super().__init__()
        self.image = _layers(CODE, 28, 28, 10)
        self.photographer = _layers(dimensions, dimensions, dimensions)
        self.joint = _layers(10 + dimensions, 8, 8, outputs)[:-1]
        self.vectors = nn.Parameter(0.1 * torch.randn(people, dimensions))

    def forward(self, codes: Tensor, vectors: Tensor) -> Tensor:
        seen = torch.cat([self.image(codes), self.photographer(vectors)], dim=1)
        foretold: Tensor = self.joint(seen)
        return foretold


class ShiftNetwork(JointNetwork):
    """What the image code says of the statistics, and a shift that is linear in the photographer's vector.

    Two photographers at a distance then differ by the same amount whatever the picture, so distances mean something.
    The penalty costs vectors and the map that reads them alike: among all pairs with the same shifts it chooses one
    that is unique up to a rotation, so that two trainings agree, and it leaves a photographer with few photos near the
    middle. Source: Srebro, Rennie and Jaakkola, "Maximum-margin matrix factorization", NIPS 2004.
    """

    def __init__(self, people: int, dimensions: int, outputs: int) -> None:
        super().__init__()
        self.image = _layers(CODE, 28, 28, outputs)[:-1]
        self.shift = nn.Linear(dimensions, outputs, bias=False)
        self.vectors = nn.Parameter(0.1 * torch.randn(people, dimensions))

    def forward(self, codes: Tensor, vectors: Tensor) -> Tensor:
        foretold: Tensor = self.image(codes) + self.shift(vectors)
        return foretold

    def penalty(self) -> Tensor:
        """Squares of everything but the biases: the image branch, too, has few pictures to learn from."""
        weights = [parameter for parameter in self.parameters() if parameter.ndim == 2]
        return torch.stack([weight.square().sum() for weight in weights]).sum()


def _layers(*widths: int) -> nn.Sequential:
    """Fully connected layers of these widths, a tanh after each."""
    made: list[nn.Module] = []
    for width, following in pairwise(widths):
        made += [nn.Linear(width, following), nn.Tanh()]
    return nn.Sequential(*made)
