"""Somebody new in the photographer space: only their vector is sought, everything else stays as it is."""

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
    """Where somebody new is: float32 (d,), and who works alike, nearest first."""

    vector: NDArray[np.float32]
    similar: tuple[Alike, ...]


def fold_in(folder: Path, pictures: NDArray[np.uint8], n: int = 10) -> FoldInResult:
    """Place whoever took ``pictures``, uint8 (k, 224, 224, 3) whole pictures; about ten tell enough.

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
    """Place whoever took ``pictures`` in the space of ``folder`` by that name, which is kept there from now on.

    Pictures of nothing but black, which is also what lost ones look like, are left out.

    Raises:
        UsageError, ModelError, SpaceMismatchError: as :func:`fold_in`.
    """
    seen = pictures[pictures.any(axis=(1, 2, 3))]
    folded = fold_in(folder, seen)
    vector = tuple(float(value) for value in folded.vector)
    write_folded_in(folder, (*read_folded_in(folder), FoldedIn(name, len(seen), vector)))
    return folded


def vector_of(network: JointNetwork, codes: NDArray[np.float32], targets: NDArray[np.float32]) -> NDArray[np.float32]:
    """The vector float32 (d,) that foretells ``targets`` (k, t) best, under the prior that the others were learnt with.

    The network is left as it is. Starts from the middle of everybody, so that the same photos give the same vector.
    """
    seen, wanted = torch.from_numpy(codes), torch.from_numpy(targets)
    vector = network.vectors.detach().mean(dim=0, keepdim=True).clone().requires_grad_(True)
    optimiser = torch.optim.Adam([vector], _RATE)
    for _ in range(_STEPS):
        predicted = network(seen, vector.expand(len(seen), -1))
        loss = (predicted - wanted).square().sum() + PRIOR * vector.square().sum()
        (vector.grad,) = torch.autograd.grad(loss, [vector])
        optimiser.step()
    placed: NDArray[np.float32] = vector.detach().numpy()[0].copy()
    return placed
