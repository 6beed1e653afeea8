"""Intervals cover what they should, and sets of ten are judged by mean log probability."""

from __future__ import annotations

import numpy as np
import pytest

from workers.photographers.benchmark.intervals import (
    estimate,
    hits_of_one,
    hits_of_ten,
    margin,
    sets_of_ten,
    share_within,
    standard_error,
)


def test_the_interval_covers_the_truth_about_as_often_as_it_says() -> None:
    rng = np.random.default_rng(0)
    covered = 0
    for _ in range(60):
        found = estimate([rng.binomial(10, 0.3, 40) / 10 for _ in range(4)])
        assert found.low <= found.value <= found.high
        covered += found.low <= 0.3 <= found.high
    assert covered >= 50


def test_photos_that_stand_or_fall_with_all_their_renders_widen_the_interval() -> None:
    rng = np.random.default_rng(1)
    alike = [rng.binomial(1, 0.5, 50).astype(float)]
    apart = [rng.binomial(30, 0.5, 50) / 30]
    assert np.ptp((estimate(alike).low, estimate(alike).high)) > 2 * np.ptp((estimate(apart).low, estimate(apart).high))


def test_counting() -> None:
    assert estimate([np.ones(5), np.ones(7)], each=30).n == 360


def test_a_margin_is_paired() -> None:
    hard = np.linspace(0, 1, 40)
    found = margin([hard + 0.1], [hard])
    assert (found.value, found.low, found.high) == pytest.approx((0.1, 0.1, 0.1))


def test_a_share_within_weighs_by_what_counted() -> None:
    found = share_within([np.array([1.0, 0.0])], [np.array([1.0, 3.0])])
    assert (found.value, found.n) == (0.25, 4)


def test_the_standard_error_sees_presets_that_are_always_answered_alike() -> None:
    stuck = np.zeros((50, 10))
    stuck[:, 3] = 1
    assert standard_error([stuck]) == pytest.approx(np.std([1] + [0] * 9, ddof=1) / np.sqrt(10))


def test_ten_photos_outvote_one_by_their_mean_log_probability() -> None:
    log = np.log(np.full((10, 2, 2), 0.5))
    log[:, 0] = np.log((0.6, 0.4))
    log[0, 0] = np.log((0.05, 0.95))
    log[:, 1] = np.log((0.4, 0.6))
    assert hits_of_one(log)[:, 0].tolist() == [0] + [1] * 9
    assert hits_of_ten(log, np.arange(10)[None]).tolist() == [[1, 1]]
    certain = log.copy()
    certain[0, 0] = (-30, 0)
    assert hits_of_ten(certain, np.arange(10)[None]).tolist() == [[0, 1]]


def test_sets_share_no_photo() -> None:
    sets = sets_of_ten(47, np.random.default_rng(0))
    assert sets.shape == (4, 10)
    assert len(np.unique(sets)) == 40
