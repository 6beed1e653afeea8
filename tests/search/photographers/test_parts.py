"""The parts of the classifier: linear rules, trees, their pool, the threshold, the search for settings."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import pytest

from search.photographers.classifier.ensemble import Inputs, without_metadata
from search.photographers.classifier.linear import FLOOR, log_softmax
from search.photographers.classifier.pooling import pooled, prior_scores
from search.photographers.photos.dataset import PhotoSet
from search.photographers.photos.features import CAMERA, METADATA, PICTURE_ONLY
from workers.photographers.classifier.fitting.linear import fit_linear
from workers.photographers.classifier.fitting.pooling import fit_pool
from workers.photographers.classifier.fitting.splits import grouped_folds
from workers.photographers.classifier.fitting.threshold import KEPT, Confidence, fit_threshold
from workers.photographers.classifier.fitting.trees import TreeSettings, fit_pca, fit_trees
from workers.photographers.classifier.progress import TrainingProgress, TrainingStoppedError
from workers.photographers.classifier.tuning import search_settings

MakePhotos = Callable[..., PhotoSet]


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


def test_components_are_of_the_rows_given_and_say_how_much_they_keep() -> None:
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(50, 3)) @ rng.normal(size=(3, 20))
    kept = fit_pca(rows, 128, 0)
    assert kept.explained == pytest.approx(1.0)
    assert len(kept.axes) == 20
    assert len(fit_pca(rows[:5], 128, 0).axes) == 4, "no more than photos less one"
    assert len(fit_pca(np.ones((5, 20)), 128, 0).axes) == 0


def test_trees_take_absent_values_and_tell_what_they_decided_by() -> None:
    rows, labels = _rows(120, 5, 3, 0.0)
    rows[:, 2] = labels
    rows[::7, 4] = np.nan
    trees = fit_trees({}, rows, labels, 4, TreeSettings(), seed=0, threads=1)
    assert trees is not None
    assert (trees.scores({}, rows).argmax(axis=1) == labels).all()
    assert (trees.scores({}, rows)[:, 3] == FLOOR).all(), "the fourth was never learnt"
    assert trees.importances().argmax() == 2
    assert trees.shap({}, rows[labels == 1][:5], 1).mean(axis=0).argmax() == 2
    assert not trees.shap({}, rows[:5], 3).any()


def test_no_trees_grow_on_nothing() -> None:
    labels = np.array([0, 1] * 5)
    assert fit_trees({}, np.full((10, 3), np.nan), labels, 2, TreeSettings(), seed=0, threads=1) is None
    assert fit_trees({}, np.eye(10), np.zeros(10, int), 2, TreeSettings(), seed=0, threads=1) is None


def test_the_search_ends_in_time_within_the_space_and_no_worse_than_the_defaults(make_photos: MakePhotos) -> None:
    photos = make_photos(told=1.0)
    labels = np.unique(photos.names, return_inverse=True)[1]
    folds = grouped_folds(labels, np.arange(80) // 4, 4, 0)
    found = search_settings(Inputs.of(photos), labels, folds, 3.0, seed=0, threads=1, progress=TrainingProgress())
    assert found is not None
    assert found.trials >= 1
    assert found.loss <= found.default_loss
    assert 4 <= found.settings.depth <= 10
    assert 32 <= found.settings.border_count <= 255
    assert 1 <= found.settings.iterations <= 1000


def test_a_search_without_time_is_none_and_one_that_is_stopped_stops(make_photos: MakePhotos) -> None:
    photos = make_photos()
    labels = np.unique(photos.names, return_inverse=True)[1]
    folds = grouped_folds(labels, np.arange(80) // 4, 4, 0)
    nothing = search_settings(Inputs.of(photos), labels, folds, 0.0, seed=0, threads=1, progress=TrainingProgress())
    assert nothing is None
    began = time.monotonic()
    progress = TrainingProgress(goes_on=lambda: time.monotonic() < began)
    with pytest.raises(TrainingStoppedError):
        search_settings(Inputs.of(photos), labels, folds, 600.0, seed=0, threads=1, progress=progress)


def test_stripped_features_lack_what_file_and_camera_say_and_nothing_else(make_photos: MakePhotos) -> None:
    features = np.ones_like(make_photos().features)
    stripped = without_metadata(features)
    assert np.isnan(stripped[:, [*METADATA, *CAMERA]]).all()
    assert not np.isnan(stripped[:, PICTURE_ONLY]).any()
    assert not np.isnan(features).any(), "the photos' own features stay"
