"""Draws pairs of labelled media, which likeness curves are learnt from and checked on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from search.likeness.best_pairs import Background, best_pair, corrected, effective_rows
from search.media import Kind
from search.store.base import Array

PAIRS_EACH = 20
"""Most pairs of the same label, and of others, for each medium that asks."""


PHOTOGRAPHERS = "photographers"
"""Prefix of the name of a folder whose labels are photographers."""

OF_PHOTOGRAPHERS = frozenset({"style"})
"""Spaces whose likeness is about photographers."""


MOVEMENTS = "movements"
"""Prefix of the name of a folder whose labels say how its films move."""

OF_MOVEMENTS = frozenset({"motion"})
"""Spaces whose likeness is about movements."""


def labels_are_about(space: str, folder: str) -> bool:
    """Whether labels in a folder of this name are what likeness in a space is about: the photographer in ``style``, the
    movement in ``motion``, the content in all others."""
    name = folder.rsplit("/", 1)[-1]
    if space in OF_MOVEMENTS or name.startswith(MOVEMENTS):
        return space in OF_MOVEMENTS and name.startswith(MOVEMENTS)
    return (space in OF_PHOTOGRAPHERS) == name.startswith(PHOTOGRAPHERS)


@dataclass(frozen=True, slots=True)
class Labelled:
    """One medium in one space.

    Attributes:
        rows: float32 ``(k, dim)``, L2-normalised.
        source: media with the same source are parts of one another, and make no pair.
    """

    kind: Kind
    label: str
    rows: Array
    source: str


@dataclass(frozen=True, slots=True)
class ScoredPairs:
    """Pairs of media of one pair of kinds, as float64 ``(n,)`` each.

    Attributes:
        scores: corrected scores of the best pairs of vectors.
        same: 1 where the labels agree, else 0.
        weights: those of one medium's pairs of the same label sum to a half, and those of other labels, so that neither
            a large label nor what is common outvotes the rest.
        items: how many media asked.
    """

    scores: NDArray[np.float64]
    same: NDArray[np.float64]
    weights: NDArray[np.float64]
    items: int


def draw_pairs(
    asking: Sequence[Labelled], held: Sequence[Labelled], background: Background, rng: np.random.Generator
) -> ScoredPairs | None:
    """For each medium that asks up to :data:`PAIRS_EACH` others of its label, and of other labels; None where no two
    share a label. Vectors are float32 ``(k, dim)`` of one space."""
    labels = np.array([one.label for one in held])
    sources = np.array([one.source for one in held])
    effective = np.array([effective_rows(one.rows, background) for one in held])
    scores, tries, same, weights, items = [], [], [], [], 0
    for one in asking:
        alike = np.flatnonzero((labels == one.label) & (sources != one.source))
        unlike = np.flatnonzero(labels != one.label)
        if not len(alike) or not len(unlike):
            continue
        items += 1
        own = effective_rows(one.rows, background)
        for candidates, truth in ((alike, 1.0), (unlike, 0.0)):
            drawn = rng.choice(candidates, min(PAIRS_EACH, len(candidates)), replace=False)
            for at in drawn:
                scores.append(best_pair(one.rows, held[at].rows))
                tries.append(own * effective[at])
                same.append(truth)
                weights.append(0.5 / len(drawn))
    if not items:
        return None
    single = corrected(np.array(scores, np.float64), np.array(tries), background)
    return ScoredPairs(single, np.array(same), np.array(weights), items)
