"""What can be told of a model without its weights; nothing here imports torch."""

from __future__ import annotations

from dataclasses import dataclass

from search.spaces import Distance, Space


@dataclass(frozen=True, slots=True)
class ModelDescription:
    """Everything about a model that can be told without its weights.

    Attributes:
        name: what settings, spaces and notes call it.
        revision: which weights, or which version of a formula.
        dim: number of components of its vectors.
        licence: of the weights; of the code where there are none.
        source: who made it.
        weights: where the weights come from.
        preprocessing: everything done to the decoded media before the model, in one line.
        input: what one row of input is.
        tags: its classifier head names what a picture shows.
    """

    name: str
    revision: str
    dim: int
    licence: str
    source: str
    weights: str
    preprocessing: str
    input: str
    tags: bool = False

    def space(self, name: str, distance: Distance = Distance.COSINE) -> Space:
        """The vector space ``name`` as this model fills it."""
        return Space(name, self.name, self.revision, self.preprocessing, self.dim, distance)
