"""Statistics agree with scikit-learn, SciPy and arithmetic."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from search.evaluation import statistics

RNG = np.random.default_rng(0)


def test_auroc_is_that_of_scikit_learn_with_ties_and_weights() -> None:
    from sklearn.metrics import roc_auc_score

    positive, scores = RNG.random(300) < 0.4, RNG.integers(20, size=300) / 20
    weights = RNG.integers(4, size=300).astype(float)
    assert statistics.auroc(positive, scores) == pytest.approx(roc_auc_score(positive, scores))
    expected = roc_auc_score(positive, scores, sample_weight=weights)
    assert statistics.auroc(positive, scores, weights) == pytest.approx(expected)
    assert np.isnan(statistics.auroc(np.ones(3, bool), np.arange(3.0)))


def test_the_table_of_units_has_the_auroc_for_its_mean() -> None:
    positive, negative = RNG.normal(1, 1, (6, 4)), RNG.normal(0, 1, (6, 3))
    both = np.concatenate((positive.ravel(), negative.ravel()))
    table = statistics.auroc_by_unit(positive, negative)
    assert table.shape == (6, 6)
    assert table.mean() == pytest.approx(statistics.auroc(np.arange(42) < 24, both))


def test_the_wilson_interval_is_that_of_scipy() -> None:
    from scipy.stats import binomtest

    expected = binomtest(7, 20).proportion_ci(0.95, method="wilson")
    assert statistics.wilson(7 / 20, 20) == pytest.approx((expected.low, expected.high), abs=1e-4)
    assert statistics.wilson(0.0, 0) == (0.0, 1.0)


def test_a_covariance_is_shrunk_as_scikit_learn_does_it() -> None:
    from sklearn.covariance import shrunk_covariance as of_scikit_learn

    covariance = np.cov(RNG.normal(size=(30, 5)).T)
    assert statistics.shrunk_covariance(covariance, 0.3) == pytest.approx(of_scikit_learn(covariance, 0.3))
    assert statistics.shrunk_covariance(np.zeros((2, 2)), 0.5, 0.1) == pytest.approx(0.05 * np.eye(2))


def test_the_best_threshold_keeps_and_refuses_most_together() -> None:
    cut = statistics.best_threshold(np.array([3.0, 4.0, 5.0]), np.array([1.0, 2.0, 4.5]))
    assert (cut.value, cut.kept, cut.refused) == (3.0, 1.0, pytest.approx(2 / 3))
    only = statistics.best_threshold(np.array([3.0, 4.0]), np.array([1.0]), np.array([3.5]))
    assert (only.value, only.kept, only.refused) == (3.5, 0.5, 1.0)


def test_groups_that_are_alike_widen_an_interval() -> None:
    values = np.repeat((RNG.random(40) < 0.5).astype(float), 10)
    for interval in (
        lambda groups: statistics.grouped_mean(values, groups),
        lambda groups: statistics.GroupBootstrap(groups).estimate(
            lambda weights: float(np.average(values, weights=weights))
        ),
    ):
        alone, together = interval(np.arange(400)), interval(np.repeat(np.arange(40), 10))
        assert together.value == alone.value == pytest.approx(values.mean())
        assert together.high - together.low > 2 * (alone.high - alone.low)
        assert together.n == 400


def test_draws_without_a_value_are_left_out() -> None:
    found = statistics.GroupBootstrap(np.arange(20)).estimate(lambda weights: 1.0 if weights[0] else float("nan"), 1)
    assert (found.value, found.low, found.high, found.n) == (1, 1, 1, 1)


def test_seeds_are_drawn_with_their_weights() -> None:
    certain = [np.zeros(100), np.ones(100)]
    low, high = statistics.seeds_interval(certain, np.random.default_rng(0), [1.0, 0.0])
    assert (low, high) == (0, 0)
    low, high = statistics.seeds_interval(certain, np.random.default_rng(0))
    assert (low, high) == (0, 1)


def test_calibration_error_is_the_gap_in_each_bin() -> None:
    probability = np.array([0.91, 0.99, 0.55, 0.55])
    right = np.array([True, False, True, True])
    assert statistics.calibration_error(probability, right) == pytest.approx((0.9 + 0.9) / 4)
    assert statistics.bin_of(np.array([0.0, 0.1, 1.0])).tolist() == [0, 1, 9]


def test_statistics_need_nothing_but_numpy() -> None:
    code = (
        "import sys, search.evaluation.statistics; print(sorted({'torch', 'sklearn', 'catboost'} & set(sys.modules)))"
    )
    made = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert made.stdout.strip() == "[]"
