"""Networks of the joint model: the published one, and the one whose vectors are kept.

Both predict a picture's statistics from its image code and its photographer's vector; both hold the vectors as their
own parameters, so that one optimiser fits everything.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from itertools import pairwise

import torch
from torch import Tensor, nn

from workers.photographers.joint.options import CODE
from workers.photographers.joint.targets.mds_targets import MdsTargets

STRAIN = 10.0
"""Weight of the strain. Measured on presets from 3 to 30: distances of vectors fit better the larger it is, and
predictions hardly worsen."""

_BENDS, _BEND_COST = 32, 0.1


class JointNetwork(nn.Module, ABC):
    """Interface of both networks.

    Attributes:
        vectors: (p, d), one row a photographer.
    """

    vectors: nn.Parameter

    @abstractmethod
    def forward(self, codes: Tensor, vectors: Tensor) -> Tensor:
        """Predicted statistics float32 (n, k) of pictures with codes (n, 16) by photographers with vectors (n, d)."""

    def penalty(self) -> Tensor:
        """Regularisation of the vectors and of the layers that read them, added to the loss; a scalar."""
        return torch.zeros(())

    def strain(self) -> Tensor:
        """Weighted error of the distances between vectors, added to the loss; a scalar."""
        return torch.zeros(())


class PublishedNetwork(JointNetwork):
    """The published architecture, kept as a baseline: fully connected layers with tanh.

    Widths: image branch 16-28-28-10, photographer branch d-d-d, joint branch (10 + d)-8-8-k.
    """

    def __init__(self, people: int, dimensions: int, outputs: int) -> None:
        super().__init__()
        self.image = _layers(CODE, 28, 28, 10)
        self.photographer = _layers(dimensions, dimensions, dimensions)
        self.joint = _layers(10 + dimensions, 8, 8, outputs)[:-1]
        self.vectors = nn.Parameter(0.1 * torch.randn(people, dimensions))

    def forward(self, codes: Tensor, vectors: Tensor) -> Tensor:
        joined = torch.cat([self.image(codes), self.photographer(vectors)], dim=1)
        predicted: Tensor = self.joint(joined)
        return predicted


class ShiftNetwork(JointNetwork):
    """Statistics predicted from the image code, plus a shift that depends on the photographer's vector alone.

    Two photographers then differ by the same amount whatever the picture. The penalty costs vectors and the map that
    reads them alike, so that two trainings agree, and it leaves a photographer with few photos near the middle.
    Source: Srebro, Rennie and Jaakkola, "Maximum-margin matrix factorization", NIPS 2004.

    Vectors of few components that predict best are those of the few strongest differences, and two photographers who
    differ in another lie together. MDS targets keep distances to what they are in all settings; the map from
    vectors to shifts is nonlinear so that they still predict. Source: Kruskal, "Multidimensional scaling by optimizing
    goodness of fit to a nonmetric hypothesis", Psychometrika 1964, for the stress, here of the distances themselves.
    """

    def __init__(
        self,
        people: int,
        dimensions: int,
        outputs: int,
        mds_targets: MdsTargets | None = None,
        *,
        random_start: bool = False,
    ) -> None:
        """Vectors start where ``mds_targets`` has them, or with ``random_start`` at random, as far from each other on
        average; the distances that they are to have are the same."""
        super().__init__()
        self.image = _layers(CODE, 28, 28, outputs)[:-1]
        self.shift = nn.Linear(dimensions, outputs, bias=False)
        self.bent = _layers(dimensions, _BENDS, outputs)[:-1]
        vectors, self.distances = torch.randn(people, dimensions) * (1.0 if random_start else 0.1), None
        if mds_targets is not None:
            if not random_start:
                vectors += torch.from_numpy(mds_targets.start)
            self.distances = torch.from_numpy(mds_targets.distances)
        self.vectors = nn.Parameter(vectors)

    def forward(self, codes: Tensor, vectors: Tensor) -> Tensor:
        predicted: Tensor = self.image(codes) + self.shift(vectors) + self.bent(vectors)
        return predicted

    def penalty(self) -> Tensor:
        """Squares of everything but the biases: the image branch, too, has few pictures to learn from."""
        costs = [
            (_BEND_COST if name.startswith("bent.") else 1.0) * parameter.square().sum()
            for name, parameter in self.named_parameters()
            if parameter.ndim == 2
        ]
        return torch.stack(costs).sum()

    def strain(self) -> Tensor:
        """Mean squared difference of distances, as a share of the mean square of the MDS targets' distances."""
        if self.distances is None:
            return super().strain()
        differences = nn.functional.pdist(self.vectors) - self.distances
        return STRAIN * differences.square().mean() / (2 * self.vectors.shape[1])


def _layers(*widths: int) -> nn.Sequential:
    """Fully connected layers of these widths, a tanh after each."""
    made: list[nn.Module] = []
    for width, following in pairwise(widths):
        made += [nn.Linear(width, following), nn.Tanh()]
    return nn.Sequential(*made)
