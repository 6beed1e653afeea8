"""The best of many pairs is worth no more than the best of one, on vectors drawn at random."""

from __future__ import annotations

import numpy as np
import pytest

from search.likeness.best_pairs import Background, EffectiveRows, best_pair, corrected, effective_rows
from search.store.base import Array

DIM = 64
BACKGROUND = Background(0.0, DIM**-0.5)
"""Cosines of random directions: mean 0, deviation one over the square root of the dimensions."""


def directions(n: int, rng: np.random.Generator) -> Array:
    rows = rng.normal(size=(n, DIM))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def test_strangers_of_32_key_frames_score_as_strangers_of_one() -> None:
    rng = np.random.default_rng(0)
    asked = directions(1, rng)
    one = np.array([best_pair(asked, directions(1, rng)) for _ in range(1500)])
    films = [directions(32, rng) for _ in range(1500)]
    raw = np.array([best_pair(asked, film) for film in films])
    tries = np.array([effective_rows(film, BACKGROUND) for film in films])

    single = corrected(raw, tries, BACKGROUND)

    assert np.median(raw) - np.median(one) > 0.2
    for share in (0.25, 0.5, 0.75, 0.95):
        assert np.quantile(single, share) == pytest.approx(np.quantile(one, share), abs=0.04)


def test_a_film_that_really_shows_it_hardly_loses() -> None:
    assert corrected(np.array([0.9]), np.array([32.0]), BACKGROUND)[0] == pytest.approx(0.9, abs=0.07)


def test_equal_frames_count_once_and_unlike_ones_each() -> None:
    rng = np.random.default_rng(1)
    frame = directions(1, rng)

    assert effective_rows(frame, BACKGROUND) == 1.0
    assert effective_rows(np.repeat(frame, 8, axis=0), BACKGROUND) == pytest.approx(1.0, abs=1e-5)
    assert effective_rows(np.eye(8, DIM, dtype=np.float32), BACKGROUND) == 8.0
    assert 1.0 < effective_rows(np.concatenate([frame] * 4 + [directions(1, rng)]), BACKGROUND) < 2.0


def test_many_rows_are_told_from_some_of_them() -> None:
    rng = np.random.default_rng(4)
    scenes = directions(30, rng)
    rows = np.repeat(scenes, 40, axis=0) + 0.2 * directions(1200, rng)
    rows = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    excess = np.clip(rows @ rows.T, 0.0, 1.0)
    assert effective_rows(rows, BACKGROUND) == pytest.approx(1200**2 / np.square(excess).sum(), rel=0.1)


def test_one_pair_needs_no_correction() -> None:
    scores = np.array([-0.3, 0.0, 1.0])

    assert corrected(scores, np.ones(3), BACKGROUND) is scores


@pytest.mark.parametrize("tries", [1.5, 30.0, 1024.0])
def test_the_correction_keeps_the_order_and_takes_more_the_more_was_tried(tries: float) -> None:
    scores = np.linspace(-1, 1, 401)

    single = corrected(scores, np.full(401, tries), BACKGROUND)

    assert np.isfinite(single).all()
    assert (np.diff(single) >= 0).all()
    assert (single <= scores + 1e-12).all()
    assert (corrected(scores, np.full(401, 2 * tries), BACKGROUND) <= single + 1e-12).all()


def test_counts_are_remembered_by_background_and_the_latest_only() -> None:
    known, other = EffectiveRows(most=2), Background(0.5, 0.1)

    known.put(("visual", BACKGROUND), "film", 6.4)

    assert known.get(("visual", BACKGROUND), "film") == 6.4
    assert known.unknown(("visual", other), ["film"]) == ["film"]
    known.put(("visual", other), "film", 11.0)
    known.put(("visual", other), "another", 2.0)
    assert known.unknown(("visual", BACKGROUND), ["film"]) == ["film"]
    assert known.unknown(("visual", other), ["film", "another"]) == []
