"""Training the style encoder: repeatable, blind to what is not there, and better than knowing nothing."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from search.errors import UsageError
from search.photographers.develop.settings import PARAMETERS
from workers.embedders.style.statistics import DIMENSIONS
from workers.embedders.style.training import (
    LEAST_PHOTOS,
    StyleTrainingSet,
    develop,
    make_training_set,
    normalise,
    train,
)


def pictures(n: int) -> list[np.ndarray]:
    rng = np.random.default_rng(2)
    return [rng.integers(0, 256, (40 + at, 60, 3), dtype=np.uint8) for at in range(n)]


def planted(n: int, seed: int) -> tuple[StyleTrainingSet, np.ndarray]:
    """Statistics of which 12 follow the preset and 12 the subject, each with noise; and the subjects."""
    rng = np.random.default_rng(seed)
    styles = np.random.default_rng(9).normal(size=(20, len(PARAMETERS)))
    subjects = np.random.default_rng(8).normal(size=(15, len(PARAMETERS)))
    who, what = rng.integers(0, 20, n), rng.integers(0, 15, n)
    statistics = rng.normal(size=(n, DIMENSIONS)) * 0.35
    statistics[:, :12] += styles[who]
    statistics[:, 12:24] += 3 * subjects[what]
    return StyleTrainingSet(statistics.astype(np.float32), styles[who].astype(np.float32), who), what


def share_found(vectors: np.ndarray, labels: np.ndarray) -> float:
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    cosines = unit @ unit.T
    np.fill_diagonal(cosines, -1)
    return float((labels[cosines.argmax(1)] == labels).mean())


def test_the_same_statistics_give_the_same_encoder() -> None:
    first, second = (train(planted(300, 0)[0]).arrays() for _ in range(2))
    other = train(planted(300, 1)[0]).arrays()
    for name, array in first.items():
        np.testing.assert_array_equal(array, second[name])
        assert np.isfinite(array).all()
    assert not np.array_equal(first["axes"], other["axes"])


def test_little_practice_and_statistics_that_never_change_do_no_harm() -> None:
    practice, _ = planted(20, 0)
    practice.statistics[:, 30:60] = 7
    with torch.inference_mode():
        assert torch.isfinite(train(practice)(torch.from_numpy(practice.statistics))).all()


def test_a_statistic_is_evened_out_whatever_its_distribution() -> None:
    practice, _ = planted(1000, 0)
    rng = np.random.default_rng(6)
    practice.statistics[:, 0] = np.exp(2 * rng.normal(size=1000))
    practice.statistics[:, 1] = rng.integers(0, 3, 1000)
    normalised = normalise(train(practice), practice.statistics)
    assert abs(normalised[:, 0].mean()) < 0.05
    assert 0.9 < normalised[:, 0].std() < 1.05
    levels = [normalised[practice.statistics[:, 1] == level, 1] for level in range(3)]
    for values in levels:
        np.testing.assert_allclose(values, values[0], atol=1e-5)
    np.testing.assert_allclose([values[0] for values in levels], [-1.09, 0, 1.09], atol=0.12)  # means of normal thirds
    order = np.argsort(practice.statistics[:, 0])
    assert (np.diff(normalised[order, 0]) >= 0).all()
    far = practice.statistics[:1] + np.float32(1e6)
    np.testing.assert_allclose(normalise(train(practice), far)[0, 0], normalised[:, 0].max(), atol=1e-4)


def test_style_is_kept_and_content_left_out() -> None:
    encoder = train(planted(1500, 0)[0])
    asked, subjects = planted(400, 1)
    with torch.inference_mode():
        vectors = encoder(torch.from_numpy(asked.statistics)).numpy()
    assert share_found(asked.statistics, subjects) > 0.9
    assert share_found(vectors, asked.photographers) > share_found(asked.statistics, asked.photographers) + 0.1
    assert share_found(vectors, subjects) < 1 / 15 + 0.08


def test_photos_are_developed_as_often_as_asked_each_time_by_someone_else() -> None:
    made = list(develop(pictures(3), 4, np.random.default_rng(0)))
    assert len(made) == 12
    for at in range(0, 12, 4):
        assert len({one.photographer for one in made[at : at + 4]}) == 4
    assert all(one.picture.dtype == np.uint8 and min(one.picture.shape[:2]) >= 30 for one in made)
    again = list(develop(pictures(3), 4, np.random.default_rng(0)))
    assert all(np.array_equal(one.picture, other.picture) for one, other in zip(made, again, strict=True))


def test_practice_holds_a_row_for_each_development() -> None:
    practice = make_training_set(pictures(LEAST_PHOTOS), 2, 0)
    assert practice.statistics.shape == (2 * LEAST_PHOTOS, DIMENSIONS)
    assert practice.parameters.shape == (2 * LEAST_PHOTOS, len(PARAMETERS))
    assert practice.photographers.shape == (2 * LEAST_PHOTOS,)


def test_too_few_photos_are_said_to_be_too_few() -> None:
    with pytest.raises(UsageError, match="3 photos"):
        make_training_set(pictures(3), 2, 0)
