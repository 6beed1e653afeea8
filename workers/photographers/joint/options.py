"""Options of a training of the joint model; imports no torch."""

from __future__ import annotations

from dataclasses import dataclass

from search.errors import UsageError

CODE = 16
"""Components of an image code."""

CLUSTERS = 30
"""Pseudo-photographers of the published set-up."""


@dataclass(frozen=True, slots=True)
class JointOptions:
    """Settings of one training.

    Attributes:
        dimensions: components of a photographer's vector.
        epochs: passes over the training photos at most.
        autoencoder_epochs: likewise of the autoencoder, but for one whose codes still lie near a line.
        seconds: time after which the training ends with what it has; None for as long as it takes. Extracting features
            is not cut short: it takes some 40 ms a picture on an idle core, and gathering pictures comes before.
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
