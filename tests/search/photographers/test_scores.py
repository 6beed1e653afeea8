"""Figures agree with what scikit-learn and arithmetic say; intervals know about groups."""

from __future__ import annotations

import numpy as np
import pytest

from search.evaluation.statistics import GroupBootstrap
from workers.photographers.classifier.scores import auroc, calibration_error, macro_f1, share, top

RNG = np.random.default_rng(0)
TRUTH, GIVEN = RNG.integers(5, size=300), RNG.integers(5, size=300)
ONES = np.ones(300)


def test_macro_f1_is_that_of_scikit_learn() -> None:
    from sklearn.metrics import f1_score

    assert macro_f1(TRUTH, GIVEN)(ONES) == pytest.approx(f1_score(TRUTH, GIVEN, average="macro"))


def test_auroc_is_that_of_scikit_learn_with_ties_and_weights() -> None:
    familiar, confidence = RNG.random(300) < 0.4, RNG.integers(20, size=300) / 20
    weights = RNG.integers(4, size=300).astype(float)
    from sklearn.metrics import roc_auc_score

    expected = roc_auc_score(familiar, confidence, sample_weight=weights)
    assert auroc(familiar, confidence)(weights) == pytest.approx(expected)


def test_calibration_error_is_the_gap_in_each_bin() -> None:
    confidence = np.array([0.91, 0.99, 0.55, 0.55])
    right = np.array([True, False, True, True])
    assert calibration_error(confidence, right)(np.ones(4)) == pytest.approx((0.9 + 0.9) / 4)


def test_shares_are_among_those_counted() -> None:
    hits, among = np.array([True, False, True, False]), np.array([True, True, False, False])
    assert share(hits)(np.ones(4)) == 0.5
    assert share(hits, among)(np.ones(4)) == 0.5
    assert share(hits, among)(np.array([3.0, 1, 1, 1])) == 0.75


def test_top_counts_those_before_the_true_name() -> None:
    given = np.array([[0.5, 0.3, 0.2], [0.2, 0.3, 0.5]])
    assert top(given, np.array([1, 0]), 2).tolist() == [True, False]
    assert top(given, np.array([1, 0]), 3).tolist() == [True, True]


def test_an_interval_is_about_as_wide_as_theory_says_and_wider_where_photos_go_together() -> None:
    hits = np.random.default_rng(1).random(400) < 0.5
    alone = GroupBootstrap(np.arange(400), draws=2000).estimate(share(hits))
    assert alone.high - alone.low == pytest.approx(2 * 1.96 * 0.025, rel=0.1)
    together = np.repeat(hits[:40], 10)
    grouped = GroupBootstrap(np.arange(400) // 10, draws=2000).estimate(share(together))
    assert grouped.high - grouped.low == pytest.approx(2 * 1.96 * 0.5 / np.sqrt(40), rel=0.15)


def test_draws_that_a_figure_is_not_defined_for_are_passed_over() -> None:
    only = np.zeros(20, bool)
    only[0] = True
    found = GroupBootstrap(np.arange(20)).estimate(share(np.ones(20, bool), only), 1)
    assert (found.value, found.low, found.high, found.n) == (1.0, 1.0, 1.0, 1)
