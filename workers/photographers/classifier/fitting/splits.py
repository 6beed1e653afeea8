"""Splits of a collection into training and test photos, with no group of photos on both sides."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from search.photographers.photos.grouping import Groups

Index: TypeAlias = NDArray[np.intp]
"""Positions of photos, intp ``(k,)``, ascending."""

Labels: TypeAlias = NDArray[np.intp]
"""Photographer of each photo as a position in the sorted names, intp ``(n,)``."""


@dataclass(frozen=True, eq=False)
class TrainTestSplit:
    """Positions of the training photos and of the test photos."""

    train: Index
    test: Index


def grouped_folds(labels: Labels, grouped: Groups, folds: int, seed: int) -> list[TrainTestSplit]:
    """Folds of a cross-validation: every photo is tested in exactly one, and so is its whole group.

    Groups are dealt photographer by photographer, those with few groups first and large groups first, each to the fold
    that has least of that photographer, so that everybody with two groups is both trained on and tested.

    Args:
        labels: intp ``(n,)``.  grouped: group of each photo, int64 ``(n,)``.
    """
    rng = np.random.default_rng(seed)
    fold_of = np.full(int(grouped.max(initial=-1)) + 1, -1)
    sizes = np.bincount(grouped, minlength=len(fold_of))
    totals = np.zeros(folds)
    own = {int(label): np.unique(grouped[labels == label]) for label in np.unique(labels)}
    for label in sorted(own, key=lambda label: (len(own[label]), label)):
        mine = np.bincount(grouped[labels == label], minlength=len(fold_of))
        dealt = own[label][fold_of[own[label]] >= 0]
        held = np.bincount(fold_of[dealt], weights=mine[dealt], minlength=folds)
        waiting = rng.permutation(np.setdiff1d(own[label], dealt))
        for group in waiting[np.argsort(-mine[waiting], kind="stable")]:
            fold = min(range(folds), key=lambda at: (held[at], totals[at], at))
            fold_of[group] = fold
            held[fold] += mine[group]
            totals[fold] += sizes[group]
    return _splits(fold_of[grouped], folds)


def random_folds(labels: Labels, folds: int, seed: int) -> list[TrainTestSplit]:
    """Folds that ignore groups, to measure by how much a careless split flatters.

    Args:
        labels: intp ``(n,)``.
    """
    return grouped_folds(labels, np.arange(len(labels)), folds, seed)


def photographers_out(labels: Labels, folds: Sequence[TrainTestSplit], seed: int) -> list[tuple[TrainTestSplit, Index]]:
    """Open-set splits: in each fold, one part of the photographers is neither trained on nor tested as known.

    With each fold come the positions of these strangers' photos, intp. A fold that leaves fewer than two photographers
    is left out; of two photographers, that is every one.

    Args:
        labels: intp ``(n,)``.
    """
    found = np.unique(labels)
    parts = np.array_split(np.random.default_rng(seed).permutation(found), min(len(folds), len(found)))
    made = []
    for fold, part in zip(folds, parts, strict=False):
        strange = np.isin(labels, part)
        known = TrainTestSplit(fold.train[~strange[fold.train]], fold.test[~strange[fold.test]])
        if len(np.unique(labels[known.train])) > 1:
            made.append((known, np.flatnonzero(strange)))
    return made


def _splits(fold_of: NDArray[np.int_], folds: int) -> list[TrainTestSplit]:
    found = [TrainTestSplit(np.flatnonzero(fold_of != at), np.flatnonzero(fold_of == at)) for at in range(folds)]
    return [split for split in found if len(split.test) and len(split.train)]
