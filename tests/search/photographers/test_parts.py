"""The parts of the classifier and of its baselines: linear rules, facts of files, trees, the pool, the threshold."""

from __future__ import annotations

import numpy as np
import pytest

from search.photographers.classifier.linear import FLOOR, log_softmax
from search.photographers.classifier.pooling import pooled, prior_scores
from search.photographers.photos.features import INDEX
from workers.photographers.classifier.fitting.file_facts import fit_file_facts
from workers.photographers.classifier.fitting.linear import fit_linear
from workers.photographers.classifier.fitting.pooling import fit_added, fit_pool
from workers.photographers.classifier.fitting.shoots import fit_shoot_rule
from workers.photographers.classifier.fitting.threshold import KEPT, LEAST_KEPT, WRONG, Confidence, fit_threshold
from workers.photographers.classifier.fitting.trees import TreeSettings, fit_pca, fit_trees


def _rows(n: int, dim: int, classes: int, apart: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    labels = np.arange(n) % classes
    return rng.normal(size=(n, dim)) + apart * rng.normal(size=(classes, dim))[labels], labels


def test_the_linear_rule_is_discriminant_analysis_with_a_shrunk_covariance() -> None:
    rows, labels = _rows(300, 6, 3, 1.0)
    given = fit_linear(rows, labels, 3, shrinkage=0.4).scores(rows)
    standardised = (rows - rows.mean(axis=0)) / rows.std(axis=0)
    within = standardised - np.stack([standardised[labels == at].mean(axis=0) for at in range(3)])[labels]
    covariance = within.T @ within / len(rows)
    shrunk = 0.6 * covariance + 0.4 * np.trace(covariance) / 6 * np.eye(6)
    means = np.stack([standardised[labels == at].mean(axis=0) for at in range(3)])
    expected = standardised @ np.linalg.solve(shrunk, means.T) - 0.5 * np.einsum(
        "ij,ij->i", means, np.linalg.solve(shrunk, means.T).T
    )
    np.testing.assert_allclose(given, log_softmax(expected), atol=1e-6)


def test_without_shrinkage_it_agrees_with_scikit_learn() -> None:
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

    rows, labels = _rows(399, 5, 3, 1.0)
    ours = fit_linear(rows, labels, 3, shrinkage=0.0).scores(rows)
    theirs = LinearDiscriminantAnalysis(solver="lsqr", priors=[1 / 3] * 3).fit(rows, labels).predict_log_proba(rows)
    np.testing.assert_allclose(ours, theirs, atol=1e-5)


def test_more_numbers_than_photos_are_borne() -> None:
    rows, labels = _rows(90, 200, 3, 1.0)
    linear = fit_linear(rows[:30], labels[:30], 3)
    assert (linear.scores(rows[30:]).argmax(axis=1) == labels[30:]).mean() > 0.9


def test_how_small_numbers_are_does_not_matter() -> None:
    rows, labels = _rows(60, 4, 3, 1.0)
    given, small = (fit_linear(scaled, labels, 3).scores(scaled) for scaled in (rows, 1e-8 * rows))
    np.testing.assert_allclose(given, small, atol=1e-6)


def test_what_is_absent_counts_as_the_mean_and_what_never_differs_counts_nothing() -> None:
    rows, labels = _rows(60, 4, 2, 1.0)
    rows[:, 3] = 7.0
    linear = fit_linear(rows, labels, 2)
    asked = rows[:1].copy()
    asked[0, 0], asked[0, 3] = np.nan, -1e9
    plain = rows[:1].copy()
    plain[0, 0] = rows[:, 0].mean()
    np.testing.assert_allclose(linear.scores(asked), linear.scores(plain), atol=1e-9)


def test_whoever_was_not_learnt_gets_the_least_there_is() -> None:
    rows, labels = _rows(40, 4, 2, 1.0)
    given = fit_linear(rows, 2 * labels, 3).scores(rows)
    assert (given[:, 1] == FLOOR).all()


def test_nothing_to_tell_by_is_undecided() -> None:
    given = fit_linear(np.ones((6, 3)), np.array([0, 1] * 3), 2).scores(np.zeros((2, 3)))
    np.testing.assert_allclose(np.exp(given), 0.5)


def _scores(n: int, sharpness: float, seed: int, classes: int = 4) -> tuple[np.ndarray, np.ndarray]:
    """Log-probabilities of a true model, made surer than it may be."""
    rng = np.random.default_rng(seed)
    honest = log_softmax(2 * rng.normal(size=(n, classes)))
    truth = np.array([rng.choice(classes, p=np.exp(row) / np.exp(row).sum()) for row in honest])
    return log_softmax(sharpness * honest), truth


@pytest.mark.parametrize("sharpness", [0.5, 3.0, 8.0])
def test_the_pool_undoes_overconfidence(sharpness: float) -> None:
    scores, truth = _scores(4000, sharpness, 0)
    weights = fit_pool([scores], prior_scores(np.full(4, 0.25), len(truth)), truth)
    assert weights[0] == pytest.approx(1 / sharpness, rel=0.1)
    given = pooled([scores], weights[:1])
    assert given.max(axis=1).mean() == pytest.approx((given.argmax(axis=1) == truth).mean(), abs=0.02)


def test_noise_in_the_pool_costs_little_and_two_good_parts_beat_each() -> None:
    from sklearn.metrics import log_loss

    rng = np.random.default_rng(1)
    truth = np.arange(1000) % 4
    told = np.eye(4)[truth]
    one, two = (log_softmax(1.5 * told + rng.normal(size=(1000, 4))) for _ in range(2))
    noise = log_softmax(3 * rng.normal(size=(1000, 4)))
    prior = prior_scores(np.full(4, 0.25), 1000)

    def loss(*parts: np.ndarray) -> float:
        return float(log_loss(truth, pooled([*parts, prior], fit_pool(parts, prior, truth))))

    assert loss(one, two) < min(loss(one), loss(two)) - 0.1
    assert loss(one, two, noise) < loss(one, two) + 0.01


def test_shares_count_where_one_photographer_has_nearly_everything() -> None:
    rng = np.random.default_rng(2)
    truth = (np.arange(1000) >= 990).astype(int)
    scores = log_softmax(np.eye(2)[truth] + rng.normal(size=(1000, 2)))
    prior = prior_scores(np.array([0.99, 0.01]), 1000)
    given = pooled([scores, prior], fit_pool([scores], prior, truth))
    assert (given.argmax(axis=1) == truth).mean() >= 0.98


def test_parts_without_a_fault_settle() -> None:
    truth = np.arange(200) % 5
    perfect = log_softmax(1e3 * np.eye(5)[truth])
    weights = fit_pool([perfect], prior_scores(np.full(5, 0.2), 200), truth)
    assert np.isfinite(weights).all()
    assert (pooled([perfect], weights[:1]).argmax(axis=1) == truth).all()


def _said(confidence: np.ndarray, whose: int = 0) -> Confidence:
    """Of photos by the first or the second of two, each said to be by the first with such confidence."""
    n = len(confidence)
    return Confidence.of(np.arange(n), np.stack([confidence, 1 - confidence], 1), np.full(n, whose))


def test_the_threshold_parts_strangers_from_the_known() -> None:
    rng = np.random.default_rng(0)
    found = fit_threshold(_said(rng.uniform(0.6, 1.0, 200)), _said(rng.uniform(0.5, 0.65, 200), 1))
    assert 0.6 <= found.value <= 0.68
    assert found.kept > 0.85
    assert (found.refused or 0) > 0.9


def test_the_threshold_never_refuses_too_many_right_answers() -> None:
    rng = np.random.default_rng(0)
    confidence = rng.uniform(0.5, 1.0, 400)
    for strangers in (np.empty(0), rng.uniform(0.5, 1.0, 400), np.ones(400)):
        assert fit_threshold(_said(confidence), _said(strangers, 1)).kept >= KEPT
    assert fit_threshold(_said(confidence, 1), Confidence.none()).value == 0.0, "nothing was right"


def test_rather_unknown_than_a_wrong_name_as_long_as_half_of_the_right_ones_are_given() -> None:
    rng = np.random.default_rng(0)
    right, sure_wrong = rng.uniform(0.5, 1.0, 300), rng.uniform(0.9, 1.0, 300)
    for wrong, most in ((rng.uniform(0.5, 0.7, 100), WRONG), (sure_wrong, 1.0)):
        known = Confidence.joined([_said(right), _said(wrong, 1)])
        found = fit_threshold(known, _said(rng.uniform(0.5, 0.6, 100), 1))
        named = known.value >= found.value
        assert (named & ~known.right).mean() <= most
        assert found.kept >= LEAST_KEPT - 1e-9
    assert found.kept == pytest.approx(LEAST_KEPT, abs=0.01), "as many as may be are refused"


def test_components_are_of_the_rows_given_and_say_how_much_they_keep() -> None:
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(50, 3)) @ rng.normal(size=(3, 20))
    kept = fit_pca(rows, 128, 0)
    assert kept.explained == pytest.approx(1.0)
    assert len(kept.axes) == 20
    assert len(fit_pca(rows[:5], 128, 0).axes) == 4, "no more than photos less one"
    assert len(fit_pca(np.ones((5, 20)), 128, 0).axes) == 0


def test_trees_take_absent_values() -> None:
    rows, labels = _rows(120, 5, 3, 0.0)
    rows[:, 2] = labels
    rows[::7, 4] = np.nan
    trees = fit_trees({}, rows, labels, 4, TreeSettings(), seed=0, threads=1)
    assert trees is not None
    assert (trees.scores({}, rows).argmax(axis=1) == labels).all()
    assert (trees.scores({}, rows)[:, 3] == FLOOR).all(), "the fourth was never learnt"


def test_no_trees_grow_on_nothing() -> None:
    labels = np.array([0, 1] * 5)
    assert fit_trees({}, np.full((10, 3), np.nan), labels, 2, TreeSettings(), seed=0, threads=1) is None
    assert fit_trees({}, np.eye(10), np.zeros(10, int), 2, TreeSettings(), seed=0, threads=1) is None


def _with_facts(n: int = 120) -> tuple[np.ndarray, np.ndarray]:
    """Features of three photographers, who differ in aperture and focal length; one of them strips his files."""
    rng = np.random.default_rng(0)
    labels = np.arange(n) % 3
    features = np.full((n, len(INDEX)), np.nan, np.float32)
    features[:, INDEX["aperture"]] = np.array([2.0, 8.0, 11.0])[labels] + rng.normal(size=n)
    features[:, INDEX["focal_length_35mm"]] = np.array([24.0, 70.0, 200.0])[labels] + 5 * rng.normal(size=n)
    features[labels == 2] = np.nan
    return features, labels


def test_facts_of_files_tell_photographers_and_an_absent_one_tells_nothing() -> None:
    features, labels = _with_facts()
    facts = fit_file_facts(features, labels, 4)
    told = facts.scores(features)
    assert (told.argmax(axis=1) == labels)[labels < 2].all()
    stripped = np.full_like(features[:3], np.nan)
    np.testing.assert_allclose(np.exp(facts.scores(stripped)[:, :3]), 1 / 3, err_msg="nobody's, and not the stripper's")
    assert (told[:, 3] == FLOOR).all(), "the fourth was never learnt"
    for name in ("aperture", "focal_length_35mm"):
        alone = stripped[:2].copy()
        alone[:, INDEX[name]] = features[:2, INDEX[name]]
        given = np.exp(facts.scores(alone))
        assert given.argmax(axis=1).tolist() == [0, 1]
        assert (given.max(axis=1) < np.exp(told[:2]).max(axis=1) + 1e-9).all(), "one fact tells no more than two"


def test_facts_that_never_differ_are_borne() -> None:
    features, labels = _with_facts()
    features[:, INDEX["flash"]] = 1.0
    features[:, INDEX["aperture"]] = np.where(labels == 0, 2.0, 8.0)
    told = fit_file_facts(features, labels, 3).scores(features)
    assert np.isfinite(told).all()
    assert (told[labels == 0].argmax(axis=1) == 0).all()


def test_one_more_part_counts_by_what_it_adds() -> None:
    rng = np.random.default_rng(3)
    truth = np.arange(900) % 3
    fixed, good = (log_softmax(np.eye(3)[truth] + rng.normal(size=(900, 3))) for _ in range(2))
    noise = log_softmax(3 * rng.normal(size=(900, 3)))
    assert fit_added(good, fixed, truth) > 0.5
    assert fit_added(noise, fixed, truth) < 0.05


def test_photos_of_known_shoots_are_told_by_how_near_they_come() -> None:
    rng = np.random.default_rng(0)
    known, new = rng.normal((0.8, 0.5), 0.05, (200, 2)), rng.normal((0.5, 0.5), 0.05, (50, 2))
    rule = fit_shoot_rule(known, new)
    assert rule is not None
    assert (rule(known) > 0.5).mean() > 0.95
    assert (rule(new) < 0.5).mean() > 0.95
    assert rule(np.array([[np.nan, 0.5]])).tolist() == [0.5]
    assert fit_shoot_rule(known, new[:0]) is None
