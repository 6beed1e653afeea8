"""What a training of the joint model may be told; nothing here imports torch."""

from __future__ import annotations

from dataclasses import dataclass

from search.errors import UsageError

CODE = 16
"""Components of an image code."""

CLUSTERS = 30
"""Pseudo-photographers of the published set-up."""


@dataclass(frozen=True, slots=True)
class JointOptions:
    """How the joint model is trained.

    Attributes:
        dimensions: components of a photographer's vector.
        epochs: passes over the training photos at most.
        autoencoder_epochs: likewise of the autoencoder.
        seconds: time after which the training comes to an end with what it has; None for as long as it takes. Looking
            at the pictures is not cut short: it takes some 40 ms each on an idle core, and gathering them comes before.
        clusters: pseudo-photographers that KMeans makes of the published set-up's features.
        held_out: share of every photographer's photos that nothing is learnt from.
        repeats: trainings with other seeds whose vectors are compared; 0 for none.
        threads: of torch.
    """

    dimensions: int = 3
    epochs: int = 200
    autoencoder_epochs: int = 20
    seconds: float | None = 600.0
    clusters: int = CLUSTERS
    held_out: float = 0.3
    repeats: int = 2
    seed: int = 0
    threads: int = 1

    def __post_init__(self) -> None:
        if not 1 <= self.dimensions <= 64:
            raise UsageError(f"A photographer's vector cannot have {self.dimensions} components.", "Take 1 to 64.")
        if not 0 < self.held_out < 1:
            raise UsageError(f"The share of held-out photos is {self.held_out}, not between 0 and 1.")
        if min(self.epochs, self.autoencoder_epochs, self.clusters, self.threads) < 1 or self.repeats < 0:
            raise UsageError("Epochs, clusters and threads of the joint model are 1 or more, repeats 0 or more.")
        if self.seconds is not None and self.seconds <= 0:
            raise UsageError(f"A training cannot end after {self.seconds} seconds.")
