"""Groups of photos that a train-test split must not separate: shoots, with near duplicates.

A photo whose twin was trained on proves nothing, nor does one from the same afternoon in the same place: both would be
recognised by what they show.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from search.photographers.photos.dataset import PhotoSet, Rows
from search.photographers.photos.disjoint_sets import DisjointSets, Groups, renumbered
from search.photographers.photos.shoots import find_shoots
from search.similar.banding import banded_pairs, codes_of
from search.similar.near import FINGERPRINT_BITS, MIN_COSINE, PICTURE_BITS

__all__ = [
    "BURST_COSINE",
    "Groups",
    "groups",
    "near_duplicate_groups",
    "near_pairs",
    "of_known_shoots",
    "shoots",
    "widened",
]

BURST_COSINE = 0.95
"""Least cosine in ``visual`` between frames of a burst."""

_BLOCK = 1024
_MOST_COMPARED = 30_000
"""Photos up to which all pairs are compared by cosine: minutes, beyond."""


def groups(photos: PhotoSet) -> Groups:
    """Number of each photo's shoot, int64 ``(n,)``; near duplicates are of one shoot."""
    sets = DisjointSets(len(photos))
    for shoot in shoots(photos):
        sets.join(pairwise(shoot))
    return sets.numbers()


def shoots(photos: PhotoSet) -> list[list[int]]:
    """Positions of the photos of each shoot in shooting order; every photo is in exactly one. See :mod:`.shoots`."""
    return find_shoots(photos, near_pairs(photos))


def of_known_shoots(shoots: Groups, trained: Rows, tested: Rows) -> NDArray[np.bool_]:
    """Which of the tested photos are of a shoot that was trained on in part; the others are of new shoots.

    A photo of a known shoot can be recognised by what the shoot shows, so a figure over both kinds flatters whoever
    is asked about new work.

    Args:
        shoots: of all photos, see :func:`groups`; those trained on and those tested must be grouped in one call.
        trained, tested: rows of ``shoots``.

    Returns:
        bool ``(k,)``, in order of ``tested``.
    """
    return np.isin(shoots[tested], shoots[trained])


def near_duplicate_groups(photos: PhotoSet) -> Groups:
    """Groups of near duplicates and burst frames alone, int64 ``(n,)``.

    Folds that part shoots, to measure known shoots, must still keep these together: a twin is no evidence.
    """
    sets = DisjointSets(len(photos))
    sets.join(near_pairs(photos))
    return sets.numbers()


def widened(grouped: Groups, names: Sequence[str | None], photos: PhotoSet, least: int) -> Groups:
    """Groups, int64 ``(n,)``; those of photographers with fewer than ``least`` are split in shooting order until there
    are as many, as far as their photos go.

    A photographer with one long shoot could otherwise be trained on but never tested. The parts are not independent,
    so figures about those photographers flatter.

    Args:
        grouped: int64 ``(n,)``.  names: of each photo.
    """
    made = grouped.copy()
    order: dict[int, int] = {}  # shoots are looked for once somebody has too few
    following = int(made.max(initial=-1)) + 1
    for name in sorted({name for name in names if name is not None}):
        mine = np.array([at for at, other in enumerate(names) if other == name])
        while len(found := np.unique(made[mine])) < min(least, len(mine)):
            order = order or {at: rank for rank, at in enumerate(at for shoot in shoots(photos) for at in shoot)}
            largest = max(found, key=lambda group: int((made[mine] == group).sum()))
            members = sorted(mine[made[mine] == largest], key=lambda at: order[int(at)])
            if len(members) < 2:
                break
            made[members[len(members) // 2 :]] = following
            following += 1
    return renumbered(made)


def near_pairs(photos: PhotoSet) -> Iterator[tuple[int, int]]:
    """Pairs of positions of near duplicates and burst frames, enough to connect each set of them."""
    yield from _near_duplicates(photos)
    yield from _bursts(photos)


def _near_duplicates(photos: PhotoSet) -> Iterator[tuple[int, int]]:
    owners: dict[str, list[int]] = defaultdict(list)
    for at, fingerprint in enumerate(photos.fingerprints):
        if fingerprint is not None and 4 * len(fingerprint) == FINGERPRINT_BITS:
            owners[fingerprint].append(at)
    holders = list(owners.values())
    for held in holders:
        yield from pairwise(held)
    for left, right in banded_pairs(codes_of(list(owners)), PICTURE_BITS).tolist():
        a, b = holders[left][0], holders[right][0]
        if float(photos.visual[a] @ photos.visual[b]) >= MIN_COSINE:
            yield a, b


def _bursts(photos: PhotoSet) -> Iterator[tuple[int, int]]:
    if len(photos) > _MOST_COMPARED:
        return
    for begin in range(0, len(photos), _BLOCK):
        rows = photos.visual[begin : begin + _BLOCK]
        left, right = np.nonzero(rows @ photos.visual.T >= BURST_COSINE)
        later = right > left + begin
        yield from zip((left[later] + begin).tolist(), right[later].tolist(), strict=True)
