"""Groups of photos that a train-test split must not separate: near duplicates, bursts and sessions.

A photo whose twin was trained on proves nothing, nor does one from the same afternoon in the same place: both would be
recognised by what they show. Photos are in one group when they

* are near duplicates by their fingerprints (``search.similar.near``), or so alike in ``visual`` that they are of one
  burst;
* were taken in one session: in one folder, by one camera, with no pause longer than :data:`SESSION_PAUSE`;
* have neighbouring numbers in otherwise equal file names, where no time is known.

Photographers' names are not used: groups that depended on the labels would leak them.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import PurePosixPath

import numpy as np
from numpy.typing import NDArray

from search.photographers.photos.dataset import PhotoSet, Rows
from search.similar.banding import banded_pairs, codes_of
from search.similar.near import FINGERPRINT_BITS, MIN_COSINE, PICTURE_BITS

Groups = NDArray[np.int64]
"""Group of each photo, int64 ``(n,)``, numbered from 0 in order of first photo."""

SESSION_PAUSE = 2 * 3600.0
"""Longest pause within a session, seconds."""

NUMBER_GAP = 5
"""Greatest difference between neighbouring numbers of one session; the frames between them were deleted."""

LONGEST_RUN = 32
"""Most photos of a session that is known by numbers alone. A camera continues its numbers over days, so a longer run is
split where neighbours are least similar."""

BURST_COSINE = 0.95
"""Least cosine in ``visual`` between frames of a burst."""

_BLOCK = 1024
_MOST_COMPARED = 30_000
"""Photos up to which all pairs are compared by cosine: minutes, beyond."""

_NUMBER = re.compile(r"(\d+)(?!.*\d)")


def groups(photos: PhotoSet) -> Groups:
    """Group of each photo, int64 ``(n,)``; see the module for the definition."""
    sets = _DisjointSets(len(photos))
    sets.join(near_pairs(photos))
    for session in sessions(photos):
        sets.join(pairwise(session))
    return sets.numbers()


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
    sets = _DisjointSets(len(photos))
    sets.join(near_pairs(photos))
    return sets.numbers()


def sessions(photos: PhotoSet) -> list[list[int]]:
    """Positions of the photos of each session in shooting order; every photo is in exactly one."""
    timed: dict[tuple[str, str], list[tuple[float, str, int]]] = defaultdict(list)
    numbered: dict[tuple[str, str], list[tuple[int, int]]] = defaultdict(list)
    found: list[list[int]] = []
    for at, path in enumerate(photos.paths):
        folder, name = str(PurePosixPath(path).parent), PurePosixPath(path).name
        seconds = _seconds(photos.taken_at[at])
        if seconds is not None:
            timed[folder, photos.cameras[at] or ""].append((seconds, path, at))
        elif match := _NUMBER.search(PurePosixPath(name).stem):
            pattern = name[: match.start()] + "#" + name[match.end() :]
            numbered[folder, pattern].append((int(match[1]), at))
        else:
            found.append([at])
    for taken in timed.values():
        taken.sort()
        found += _split([at for _, _, at in taken], np.diff([t for t, _, _ in taken]) > SESSION_PAUSE)
    for run in numbered.values():
        run.sort()
        for part in _split([at for _, at in run], np.diff([number for number, _ in run]) > NUMBER_GAP):
            found += _split_run(part, photos)
    return sorted(found)


def widened(grouped: Groups, names: Sequence[str | None], photos: PhotoSet, least: int) -> Groups:
    """Groups, int64 ``(n,)``; those of photographers with fewer than ``least`` are split in shooting order until there
    are as many, as far as their photos go.

    A photographer with one long session could otherwise be trained on but never tested. The parts are not independent,
    so figures about those photographers flatter.

    Args:
        grouped: int64 ``(n,)``.  names: of each photo.
    """
    made = grouped.copy()
    order = {at: rank for rank, at in enumerate(at for session in sessions(photos) for at in session)}
    following = int(made.max(initial=-1)) + 1
    for name in sorted({name for name in names if name is not None}):
        mine = np.array([at for at, other in enumerate(names) if other == name])
        while len(found := np.unique(made[mine])) < min(least, len(mine)):
            largest = max(found, key=lambda group: int((made[mine] == group).sum()))
            members = sorted(mine[made[mine] == largest], key=lambda at: order[int(at)])
            if len(members) < 2:
                break
            made[members[len(members) // 2 :]] = following
            following += 1
    return _renumbered(made)


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


def _split(ordered: Sequence[int], breaks: NDArray[np.bool_]) -> list[list[int]]:
    ends = [*(np.flatnonzero(breaks) + 1).tolist(), len(ordered)]
    starts = [0, *ends[:-1]]
    return [list(ordered[start:end]) for start, end in zip(starts, ends, strict=True)]


def _split_run(run: list[int], photos: PhotoSet) -> list[list[int]]:
    """A run of photos in parts of at most :data:`LONGEST_RUN`, none shorter than a quarter of that."""
    if len(run) <= LONGEST_RUN:
        return [run]
    rows = photos.visual[run]
    margin = LONGEST_RUN // 4
    alike = np.einsum("ij,ij->i", rows[:-1], rows[1:])[margin - 1 : len(run) - margin]
    cut = int(np.argmin(alike)) + margin
    return [*_split_run(run[:cut], photos), *_split_run(run[cut:], photos)]


def _seconds(taken_at: str | None) -> float | None:
    """Seconds since the epoch; local times are read as UTC, which keeps their order and their differences."""
    if not taken_at:
        return None
    try:
        return datetime.fromisoformat(taken_at).replace(tzinfo=UTC).timestamp()
    except (ValueError, OverflowError, OSError):
        return None


class _DisjointSets:
    """Disjoint sets of photos (union-find with path halving)."""

    def __init__(self, n: int) -> None:
        self._parent = list(range(n))

    def join(self, pairs: Iterable[tuple[int, int]]) -> None:
        for a, b in pairs:
            first, second = self._root(a), self._root(b)
            self._parent[max(first, second)] = min(first, second)

    def numbers(self) -> Groups:
        return _renumbered(np.array([self._root(at) for at in range(len(self._parent))], np.int64))

    def _root(self, at: int) -> int:
        while self._parent[at] != at:
            self._parent[at] = self._parent[self._parent[at]]
            at = self._parent[at]
        return at


def _renumbered(grouped: Groups) -> Groups:
    """The same groups, numbered from 0 in order of their first photo."""
    _, first, inverse = np.unique(grouped, return_index=True, return_inverse=True)
    rank = np.empty(len(first), np.int64)
    rank[np.argsort(first, kind="stable")] = np.arange(len(first))
    numbers: Groups = rank[inverse]
    return numbers
