"""Split photos into those to train on and those held out, keeping groups together."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray


def held_out(
    owners: NDArray[np.int64], groups: NDArray[np.int64], share: float, rng: np.random.Generator
) -> NDArray[np.bool_]:
    """Mask bool (n,) of the held-out photos, about ``share`` of each photographer's.

    A group is held out whole or not at all, and each photographer keeps a photo to train on. A photographer with one
    group has none held out.

    Args:
        owners: int64 (n,), photographers counted from 0.  groups: int64 (n,), photos that belong together.
    """
    counts = np.bincount(owners)
    allowed = np.minimum(np.ceil(counts * share), counts - 1)
    taken = np.zeros(len(counts), np.int64)
    held = np.zeros(len(owners), bool)
    numbers, group = np.unique(groups, return_inverse=True)
    members = np.split(np.argsort(group, kind="stable"), np.cumsum(np.bincount(group))[:-1])
    for number in rng.permutation(len(numbers)):
        rows = members[number]
        wanted = np.bincount(owners[rows], minlength=len(counts))
        if (taken + wanted <= np.where(wanted > 0, allowed, math.inf)).all():
            taken += wanted
            held[rows] = True
    return held
