"""Finds the pairs of fingerprints that differ in few bits, without comparing all pairs."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

Codes = NDArray[np.uint64]
"""uint64 ``(n, 4)``: fingerprints of 256 bits."""

Pairs = NDArray[np.int64]
"""int64 ``(p, 2)``: row indices, the smaller first, each pair once, sorted."""

BAND_BITS = 16
BANDED_RADIUS = 31
"""Largest distance that bands find without a miss: 31 bits over 16 bands leave one with at most one."""

_CHUNK = 1 << 20
_BLOCK = 2048


def codes_of(fingerprints: list[str]) -> Codes:
    """Fingerprints of 64 hex digits each, packed: uint64 ``(n, 4)``."""
    return np.frombuffer(bytes.fromhex("".join(fingerprints)), np.uint64).reshape(-1, 4)


def distances(codes: Codes, left: NDArray[np.int64], right: NDArray[np.int64]) -> NDArray[np.int64]:
    """Hamming distances of the rows ``left`` to the rows ``right``, one by one.

    Args:
        codes: uint64 ``(n, 4)``.
        left, right: row numbers, int64 ``(p,)`` each.

    Returns:
        int64 ``(p,)``.
    """
    counted: NDArray[np.int64] = np.bitwise_count(codes[left] ^ codes[right]).sum(axis=-1, dtype=np.int64)
    return counted


def banded_pairs(codes: Codes, radius: int) -> Pairs:
    """Every pair within ``radius`` bits (at most :data:`BANDED_RADIUS`) of codes uint64 ``(n, 4)``: int64 ``(p, 2)``.

    Each code is cut into 16 bands of 16 bits. Two codes within 31 bits have, by the pigeonhole principle, a band in
    which they differ in one bit at most, so looking up each band and its 16 one-bit neighbours misses none. Codes
    should be distinct: equal ones share all bands and make buckets of quadratic cost.

    Source: Norouzi, Punjani and Fleet 2012, "Fast search in Hamming space with multi-index hashing".
    """
    assert radius <= BANDED_RADIUS
    bands = np.ascontiguousarray(codes).view(np.uint16)
    found = [np.empty(0, np.int64)]
    n = len(codes)
    for keys in bands.T:
        for left, right in _bucket_mates(keys):
            near = distances(codes, left, right) <= radius
            low, high = np.minimum(left[near], right[near]), np.maximum(left[near], right[near])
            found.append(low * n + high)
    joined = np.unique(np.concatenate(found))
    return np.stack([joined // max(n, 1), joined % max(n, 1)], axis=1)


def windowed_pairs(codes: Codes, radius: int, lengths: NDArray[np.float64], tolerance: float, least: float) -> Pairs:
    """Every pair within ``radius`` bits, any radius, of codes of nearly the same length: int64 ``(p, 2)``.

    Args:
        codes: uint64 ``(n, 4)``.
        lengths: float64 ``(n,)``; a pair is compared when the longer exceeds the shorter by at most the share
            ``tolerance`` of itself, or by ``least``.
    """
    order = np.argsort(lengths, kind="stable")
    ordered = lengths[order]
    ends = np.searchsorted(ordered, np.maximum(ordered / (1 - tolerance), ordered + least), side="right")
    signs = np.unpackbits(np.ascontiguousarray(codes[order]).view(np.uint8), axis=1).astype(np.float32) * 2 - 1
    found = [np.empty((0, 2), np.int64)]
    for begin in range(0, len(order), _BLOCK):
        rows = signs[begin : begin + _BLOCK]
        for start in range(begin, int(ends[begin : begin + _BLOCK].max()), _BLOCK):
            # Of vectors of ±1 the product counts equal bits less differing ones: all distances in one multiplication.
            differing = (256 - rows @ signs[start : start + _BLOCK].T) / 2
            left, right = np.nonzero(differing <= radius)
            left, right = left + begin, right + start
            wanted = (left < right) & (right < ends[left])
            found.append(np.stack([order[left[wanted]], order[right[wanted]]], axis=1))
    return np.unique(np.sort(np.concatenate(found), axis=1), axis=0)


def _bucket_mates(keys: NDArray[np.uint16]) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Pairs of rows whose keys differ in at most one bit, each once, in chunks."""
    order = np.argsort(keys, kind="stable")
    counts = np.bincount(keys, minlength=1 << BAND_BITS)
    starts = np.cumsum(counts) - counts
    after = np.arange(len(order)) + 1
    for left, at in _expand(order, after, (starts + counts)[keys[order]] - after):
        yield left, order[at]
    for bit in range(BAND_BITS):
        rows = np.flatnonzero((keys >> bit) & 1 == 0)
        mates = keys[rows] | np.uint16(1 << bit)
        for left, at in _expand(rows, starts[mates], counts[mates]):
            yield left, order[at]


def _expand(
    rows: NDArray[np.int64], starts: NDArray[np.int64], counts: NDArray[np.int64]
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Each row with each of its positions ``start … start + count − 1``, about :data:`_CHUNK` pairs at a time."""
    totals = np.cumsum(counts)
    begin = 0
    while begin < len(rows):
        before = totals[begin - 1] if begin else 0
        end = max(int(np.searchsorted(totals, before + _CHUNK, side="right")), begin + 1)
        part = counts[begin:end]
        first = np.repeat(np.cumsum(part) - part, part)
        yield np.repeat(rows[begin:end], part), np.repeat(starts[begin:end], part) + np.arange(part.sum()) - first
        begin = end
