"""Parts of a collection that are learnt from and tested on, so that no group of photos is on both sides."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from search.photographers.photos.grouping import Groups

Index: TypeAlias = NDArray[np.intp]
"""Positions of photos, rising."""

Labels: TypeAlias = NDArray[np.intp]
"""intp ``(n,)``: whose each photo is, as a position in the sorted names."""


@dataclass(frozen=True, eq=False)
class Fold:
    """Positions to learn from, and to test on."""

    train: Index
    test: Index


def grouped_folds(labels: Labels, grouped: Groups, folds: int, seed: int) -> list[Fold]:
    """Every photo is tested in exactly one fold; its group is wholly in that fold.

    Groups are dealt photographer by photographer, those with few groups first and large groups first, each to the fold
    that has least of that photographer, so that everybody with two groups is both learnt from and tested.
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
    return _folds(fold_of[grouped], folds)


def random_folds(labels: Labels, folds: int, seed: int) -> list[Fold]:
    """Folds that know nothing of groups: what careless measuring would use, to see how much that flatters."""
    return grouped_folds(labels, np.arange(len(labels)), folds, seed)


def photographers_out(labels: Labels, folds: Sequence[Fold], seed: int) -> list[tuple[Fold, Index]]:
    """Tests with strangers: photographers are dealt to as many parts as there are folds, and in each fold one part is
    neither learnt from nor among the known. With each such fold come the positions of the strangers' photos.

    A fold that leaves fewer than two to be told apart is passed over; of two photographers, that is every one.
    """
    found = np.unique(labels)
    parts = np.array_split(np.random.default_rng(seed).permutation(found), min(len(folds), len(found)))
    made = []
    for fold, part in zip(folds, parts, strict=False):
        strange = np.isin(labels, part)
        known = Fold(fold.train[~strange[fold.train]], fold.test[~strange[fold.test]])
        if len(np.unique(labels[known.train])) > 1:
            made.append((known, np.flatnonzero(strange)))
    return made


def _folds(fold_of: NDArray[np.int_], folds: int) -> list[Fold]:
    found = [Fold(np.flatnonzero(fold_of != at), np.flatnonzero(fold_of == at)) for at in range(folds)]
    return [fold for fold in found if len(fold.test) and len(fold.train)]
