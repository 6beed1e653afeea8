"""Candidates among many contents: where frames or landmarks are equal to those of one, and at which offset.

Frames are found by two neighbouring rows of their bits: most frames of an edited film keep some of these unchanged.
What is flat, or common to very many frames, says nothing and is left out, so that the cost of a question is bounded.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from search.similar.reuse.films import distances
from search.similar.reuse.footprints import FRAME_BYTES, GRID, shown
from search.similar.reuse.landmarks import LEAST_VOTES

MOST_EQUAL = 200
"""Frames of a part of the library that two rows of bits, or a landmark, may be common to; what is more common is left
out."""

CLOSE_BITS = 42
"""Most differing bits of frames at whose offset two films are laid over each other. Fewer unrelated frames are as close
than ``films.MOST_BITS`` lets match there."""

LEAST_HITS = 2
"""Frames close to one of another film, at about one offset, from which the two are laid over each other there."""

MOST_OFFSETS = 64
"""Offsets of two films that are tried at most, those with most close frames first."""

_PART = 2048
"""Frames that are asked at a time."""

Candidates = dict[int, list[int]]
"""Number of a content to offsets, in frames."""


class FramesIndex:
    """The frames of many films.

    Args:
        films: uint8 (n, 32) each, see ``footprints``.
    """

    def __init__(self, films: Sequence[NDArray[np.uint8]]) -> None:
        self._rows = np.concatenate([*films, np.empty((0, FRAME_BYTES), np.uint8)])
        self._starts = np.cumsum([0, *map(len, films)])
        is_shown = shown(self._rows)
        begins = np.zeros(len(self._rows), bool)
        begins[self._starts[:-1][self._starts[:-1] < len(begins)]] = True
        self._bands = [_Band(keys, is_shown, begins) for keys in _keys(self._rows)]

    def candidates(self, film: NDArray[np.uint8]) -> Candidates:
        """Films with frames close to those of this one, and the offsets at which they are: the number of the frame
        there less that of the frame here."""
        owners: list[NDArray[np.int64]] = []
        offsets: list[NDArray[np.int64]] = []
        for begin in range(0, len(film), _PART):
            part = film[begin : begin + _PART]
            asked, held = self._close_pairs(part)
            owner = np.searchsorted(self._starts, held, "right") - 1
            owners.append(owner)
            offsets.append(held - self._starts[owner] - asked - begin)
        if not owners:
            return {}
        return _frequent(np.concatenate(owners), np.concatenate(offsets), LEAST_HITS, spread=1)

    def _close_pairs(self, part: NDArray[np.uint8]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Numbers of frames asked, and held, that are close."""
        is_shown = shown(part)
        pairs = [band.pairs(keys, is_shown) for band, keys in zip(self._bands, _keys(part), strict=True)]
        codes = np.unique(np.concatenate([asked * len(self._rows) + held for asked, held in pairs]))
        asked, held = codes // max(1, len(self._rows)), codes % max(1, len(self._rows))
        close = distances(part[asked], self._rows[held]) <= CLOSE_BITS
        return asked[close], held[close]


class _Band:
    """Two rows of bits of all frames: the first frame of each run that has the same."""

    def __init__(self, keys: NDArray[np.uint32], is_shown: NDArray[np.bool_], begins: NDArray[np.bool_]) -> None:
        at = np.flatnonzero((begins | _changed(keys)) & is_shown & (keys != 0))
        order = np.argsort(keys[at], kind="stable")
        self._keys = keys[at][order]
        self._held = at[order].astype(np.int32)

    def pairs(
        self, keys: NDArray[np.uint32], is_shown: NDArray[np.bool_]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Numbers of frames asked, and held, of equal bits."""
        asked = np.flatnonzero(is_shown & (keys != 0))
        firsts, counts = _equal(self._keys, keys[asked])
        return np.repeat(asked, counts), self._held[_ranges(firsts, counts)].astype(np.int64)


class LandmarksIndex:
    """The landmarks of many sounds.

    Args:
        sounds: uint32 (2, k) each, see ``footprints``.
    """

    def __init__(self, sounds: Sequence[NDArray[np.uint32]]) -> None:
        hashes = np.concatenate([*(sound[0] for sound in sounds), np.empty(0, np.uint32)])
        order = np.argsort(hashes, kind="stable")
        self._hashes = hashes[order]
        self._times = np.concatenate([*(sound[1] for sound in sounds), np.empty(0, np.uint32)])[order]
        self._owners = np.repeat(np.arange(len(sounds)), [sound.shape[1] for sound in sounds])[order]

    def candidates(self, sound: NDArray[np.uint32]) -> list[int]:
        """Numbers of the sounds that have enough landmarks in common with this one at about one offset."""
        firsts, counts = _equal(self._hashes, sound[0])
        at = _ranges(firsts, counts)
        offsets = self._times[at].astype(np.int64) - np.repeat(sound[1], counts)
        return [*_frequent(self._owners[at], offsets, LEAST_VOTES, spread=2)]


def _keys(frames: NDArray[np.uint8]) -> Iterator[NDArray[np.uint32]]:
    """Each two neighbouring rows of bits as a number, uint32 (n,)."""
    rows = np.ascontiguousarray(frames).view(np.uint16).astype(np.uint32)
    return (rows[:, at] | rows[:, at + 1] << np.uint32(GRID) for at in range(GRID - 1))


def _changed(keys: NDArray[np.uint32]) -> NDArray[np.bool_]:
    """Which differ from the one before; the first does."""
    return np.concatenate([[True], keys[1:] != keys[:-1]])[: len(keys)]


def _equal(held: NDArray[np.uint32], asked: NDArray[np.uint32]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Where those equal to each asked one begin among the held, which are sorted, and how many there are; none where
    they are too many."""
    firsts = np.searchsorted(held, asked, "left")
    counts = np.searchsorted(held, asked, "right") - firsts
    counts[counts > MOST_EQUAL] = 0
    return firsts, counts


def _ranges(firsts: NDArray[np.int64], counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """The numbers from each first on, one range after the other."""
    ends = np.cumsum(counts)
    total = int(ends[-1]) if len(ends) else 0
    return np.arange(total) - np.repeat(ends - counts - firsts, counts)


def _frequent(owners: NDArray[np.int64], offsets: NDArray[np.int64], least: int, spread: int) -> Candidates:
    """Owners with the offsets that occur at least so often, those within ``spread`` of one counted with it."""
    if not len(owners):
        return {}
    low = int(offsets.min()) - spread
    width = int(offsets.max()) - low + 2 * spread + 2
    codes, counts = np.unique(owners * width + offsets - low, return_counts=True)
    around = np.zeros(len(codes), np.int64)
    for by in range(-spread, spread + 1):
        near = np.minimum(np.searchsorted(codes, codes + by), len(codes) - 1)
        around += np.where(codes[near] == codes + by, counts[near], 0)
    kept = np.flatnonzero(around >= least)
    found: Candidates = {}
    for at in kept[np.argsort(-around[kept], kind="stable")]:
        some = found.setdefault(int(codes[at]) // width, [])
        if len(some) < MOST_OFFSETS:
            some.append(int(codes[at]) % width + low)
    return found
