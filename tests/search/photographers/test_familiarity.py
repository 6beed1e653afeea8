"""What is unlike all that was learnt from needs a more probable name than what is like it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from search.photographers.classifier.classifier import Classifier, PhotoVectors
from search.photographers.classifier.threshold import Threshold
from search.photographers.photos.dataset import PhotoSet
from workers.photographers.classifier.fitting.familiarity import fit_familiarity
from workers.photographers.classifier.fitting.threshold import KEPT, Confidence, fit_threshold
from workers.photographers.classifier.options import ClassifierOptions
from workers.photographers.classifier.train import train

MakePhotos = Callable[..., PhotoSet]
OWNERS = np.arange(1500) % 3


def _confidence(value: np.ndarray, near: np.ndarray | float, right: bool = True) -> Confidence:
    n = len(value)
    return Confidence(np.arange(n), value, np.broadcast_to(near, n).astype(float), np.full(n, right))


def test_the_nearest_photo_is_found_whatever_units_the_numbers_have() -> None:
    rng = np.random.default_rng(0)
    units = np.array([1e3, 1.0, 1e-3, 1.0])
    learnt = rng.normal(size=(1500, 4)) * units + 5 * units
    near = fit_familiarity(learnt, OWNERS[:1500])(learnt)  # more than one block
    assert near == pytest.approx(1, abs=1e-5)
    deviations = (learnt - learnt.mean(axis=0)) / learnt.std(axis=0)
    asked = rng.normal(size=(20, 4))
    unit = [rows / np.linalg.norm(rows, axis=1, keepdims=True) for rows in (asked, deviations)]
    found = fit_familiarity(learnt, OWNERS[:1500])(asked * learnt.std(axis=0) + learnt.mean(axis=0))
    np.testing.assert_allclose(found, (unit[0] @ unit[1].T).max(axis=1), atol=1e-5)


def test_nearness_to_each_photographer_is_that_of_their_nearest_photo() -> None:
    rng = np.random.default_rng(0)
    learnt, asked = rng.normal(size=(90, 4)), rng.normal(size=(20, 4))
    asked[3] = np.nan
    familiarity = fit_familiarity(learnt, 2 * OWNERS[:90])
    near = familiarity.of_each(asked, 6)
    assert np.isnan(near[:, [1, 3, 5]]).all(), "nobody's photos"
    np.testing.assert_allclose(near[:, [0, 2, 4]].max(axis=1), familiarity(asked))
    for owner in (0, 2, 4):
        own = familiarity.rows[familiarity.owners == owner]
        alone = replace(familiarity, rows=own, owners=np.zeros(len(own), np.intp))
        np.testing.assert_allclose(near[:, owner], alone(asked), atol=1e-6)


def test_without_a_style_it_is_not_known() -> None:
    learnt = np.random.default_rng(0).normal(size=(10, 3))
    asked = learnt.copy()
    asked[4] = learnt[7] = np.nan
    near = fit_familiarity(learnt, OWNERS[:10])(asked)
    assert np.isnan(near).tolist() == [at == 4 for at in range(10)]
    assert len(fit_familiarity(learnt, OWNERS[:10]).rows) == 9
    for nothing in (np.empty((5, 0)), np.full((5, 3), np.nan)):
        assert np.isnan(fit_familiarity(nothing, OWNERS[:5])(nothing)).all()


def test_photos_that_are_all_alike_are_not_near_to_anything() -> None:
    same = np.ones((6, 3))
    assert fit_familiarity(same, OWNERS[:6])(same).tolist() == [0.0] * 6
    assert fit_threshold(_confidence(np.linspace(0.5, 0.9, 6), 0.0), Confidence.none()).slope == 0


def test_strangers_are_told_by_nearness_where_they_are_named_as_surely() -> None:
    rng = np.random.default_rng(0)
    sure = rng.uniform(0.4, 0.9, (2, 300))
    found = fit_threshold(
        _confidence(sure[0], rng.normal(0.8, 0.1, 300)), _confidence(sure[1], rng.normal(0.2, 0.1, 300), False)
    )
    assert found.kept >= KEPT
    assert (found.refused or 0) > 0.9
    blind = fit_threshold(_confidence(sure[0], np.nan), _confidence(sure[1], np.nan, False))
    assert blind.slope == 0
    assert (blind.refused or 0) < 0.4


def test_the_bar_is_lower_the_nearer_a_photo_comes_and_usual_where_that_is_not_known() -> None:
    threshold = Threshold(0.6, usual=0.5, slope=4.0)
    near = np.array([0.1, 0.5, 0.9, np.nan])
    bar = threshold.at(near)
    assert bar[0] > bar[1] > bar[2] > 0
    assert bar[1] == bar[3] == pytest.approx(0.6)
    for value in (0.05, 0.3, 0.59, 0.61, 0.9, 0.999):
        said = _confidence(np.full(4, value), near)
        assert ((threshold.margin(said.value, said.nearness) >= 0) == (said.value >= bar)).all()
    assert Threshold(0.0, 0.5, 4.0).at(near).tolist() == [0.0] * 4, "where nothing was ever right, nothing is unknown"


def test_the_classifier_asks_more_of_a_photo_unlike_those_it_has_seen(make_photos: MakePhotos, tmp_path: Path) -> None:
    photos = make_photos(told=1.5)
    train(photos, ClassifierOptions(trees=False, report=False), tmp_path / "model")
    model = Classifier.load(tmp_path / "model", photos.visual_space, photos.style_space)
    seen, absent, strange = (
        model.predict(PhotoVectors(photos.features[0], photos.visual[0], style))
        for style in (photos.style[0], None, -photos.style[0])
    )
    assert seen.threshold < absent.threshold < strange.threshold
    assert absent.threshold == pytest.approx(model.threshold)
    for verdict in (seen, absent, strange):
        assert verdict.unknown == (verdict.candidates[0].probability < verdict.threshold)
