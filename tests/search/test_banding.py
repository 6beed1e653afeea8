"""Banded search misses no pair that comparing all with all finds."""

from __future__ import annotations

import numpy as np
import pytest

from search.similar.banding import BANDED_RADIUS, banded_pairs, codes_of, distances, windowed_pairs


def planted(n: int, seed: int) -> np.ndarray:
    """Random codes, every second an edit of the one before in up to 80 bits."""
    draw = np.random.default_rng(seed)
    codes = draw.integers(0, 2**64, (n, 4), dtype=np.uint64)
    for at in range(0, n - 1, 2):
        codes[at + 1] = codes[at]
        for bit in draw.choice(256, draw.integers(1, 80), replace=False):
            codes[at + 1, bit // 64] ^= np.uint64(1) << np.uint64(bit % 64)
    return codes


def all_pairs(codes: np.ndarray, radius: int) -> np.ndarray:
    differing = np.bitwise_count(codes[:, None] ^ codes[None]).sum(axis=-1)
    return np.argwhere(np.triu(differing <= radius, 1))


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("radius", [0, 7, BANDED_RADIUS])
def test_bands_find_every_close_pair_and_no_other(radius: int, seed: int) -> None:
    codes = planted(300, seed)

    found = banded_pairs(codes, radius)

    assert found.tolist() == all_pairs(codes, radius).tolist()
    assert radius == 0 or len(found) > 3


def test_the_hardest_case_for_bands_is_found() -> None:
    # 31 differing bits, two in every band but one, which has one.
    spread = [band * 16 + bit for band in range(15) for bit in (3, 11)] + [15 * 16]
    bits = np.zeros((2, 256), np.uint8)
    bits[1, spread] = 1
    codes = np.packbits(bits, axis=1).view(np.uint64)

    assert banded_pairs(codes, 31).tolist() == [[0, 1]]
    assert banded_pairs(codes, 30).tolist() == []


def test_windows_find_every_close_pair_of_like_length() -> None:
    codes = planted(200, 3)
    lengths = np.random.default_rng(4).uniform(1, 60, 200)
    lengths[1::4] = lengths[0::4]

    found = windowed_pairs(codes, 62, lengths, tolerance=0.05, least=0.5)

    def comparable(a: int, b: int) -> bool:
        low, high = sorted((lengths[a], lengths[b]))
        return bool(high - low <= 0.5 or low >= high * 0.95)

    wanted = [pair for pair in all_pairs(codes, 62).tolist() if comparable(*pair)]
    assert found.tolist() == wanted
    assert len(wanted) < len(all_pairs(codes, 62))


def test_nothing_has_no_pairs() -> None:
    none = codes_of([])

    assert none.shape == (0, 4)
    assert len(banded_pairs(none, 31)) == 0
    assert len(windowed_pairs(none, 62, np.empty(0), 0.1, 0.5)) == 0
    assert len(banded_pairs(codes_of(["0" * 64]), 31)) == 0


def test_distances_count_differing_bits_row_by_row() -> None:
    codes = codes_of(["0" * 64, "0" * 63 + "7", "f" * 64])

    assert distances(codes, np.array([0, 0, 1]), np.array([1, 2, 2])).tolist() == [3, 256, 253]
