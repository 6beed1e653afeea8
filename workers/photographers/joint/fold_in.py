"""Fold a new photographer into the photographer space: their vector is fitted, everything else stays."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from search.errors import UsageError
from search.photographers.answers import Alike
from search.photographers.folded_in import FoldedIn, read_folded_in, write_folded_in
from search.photographers.space import PhotographerSpace
from workers.photographers.joint.autoencoder import codes_of
from workers.photographers.joint.files import read_model
from workers.photographers.joint.fit import PRIOR
from workers.photographers.joint.network import JointNetwork
from workers.photographers.joint.targets.style import FINGERPRINT, extract

_STEPS, _RATE = 400, 0.05


@dataclass(frozen=True, slots=True)
class FoldInResult:
    """Vector of a new photographer, float32 (d,), and the most similar photographers, nearest first."""

    vector: NDArray[np.float32]
    similar: tuple[Alike, ...]


def fold_in(folder: Path, pictures: NDArray[np.uint8], n: int = 10) -> FoldInResult:
    """Vector of the photographer of whole pictures uint8 (k, 224, 224, 3); about ten are enough.

    Raises:
        UsageError: there is no picture.
        ModelError: the folder holds no photographer space.
        SpaceMismatchError: it was learnt from statistics of another version.
    """
    if not len(pictures):
        raise UsageError("Nobody can be placed without a photo.", "Give about ten.")
    space, kept = PhotographerSpace.load(folder), read_model(folder, FINGERPRINT)
    codes = kept.codes(codes_of(kept.autoencoder, pictures))
    _, statistics = extract(pictures)
    vector = vector_of(kept.network, codes, kept.coordinates(statistics))
    return FoldInResult(vector, space.near(vector, n))


def place(folder: Path, name: str, pictures: NDArray[np.uint8]) -> FoldInResult:
    """Fold the photographer of ``pictures`` into the space of ``folder``, under ``name``, and store the result there.

    All-black pictures, which stand for missing ones, are left out.

    Args:
        pictures: uint8 (k, 224, 224, 3), whole.

    Raises:
        UsageError, ModelError, SpaceMismatchError: as :func:`fold_in`.
    """
    usable = pictures[pictures.any(axis=(1, 2, 3))]
    folded = fold_in(folder, usable)
    vector = tuple(float(value) for value in folded.vector)
    write_folded_in(folder, (*read_folded_in(folder), FoldedIn(name, len(usable), vector)))
    return folded


def vector_of(network: JointNetwork, codes: NDArray[np.float32], targets: NDArray[np.float32]) -> NDArray[np.float32]:
    """Vector float32 (d,) that predicts ``targets`` best, under the prior that the others were fitted with.

    The network does not change. The fit starts from the mean of all vectors, so the same photos give the same vector.

    Args:
        codes: float32 (k, 16), standardised.  targets: float32 (k, t), style coordinates.
    """
    inputs, wanted = torch.from_numpy(codes), torch.from_numpy(targets)
    vector = network.vectors.detach().mean(dim=0, keepdim=True).clone().requires_grad_(True)
    optimiser = torch.optim.Adam([vector], _RATE)
    for _ in range(_STEPS):
        predicted = network(inputs, vector.expand(len(inputs), -1))
        loss = (predicted - wanted).square().sum() + PRIOR * vector.square().sum()
        (vector.grad,) = torch.autograd.grad(loss, [vector])
        optimiser.step()
    found: NDArray[np.float32] = vector.detach().numpy()[0].copy()
    return found
