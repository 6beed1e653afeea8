"""Training the style encoder: repeatable, blind to what is not there, and better than knowing nothing."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from search.errors import UsageError
from search.photographers.presets import PARAMETERS
from workers.style.statistics import DIMENSIONS
from workers.style.training import LEAST_PHOTOS, Practice, develop, practise, train


def pictures(n: int) -> list[np.ndarray]:
    rng = np.random.default_rng(2)
    return [rng.integers(0, 256, (40 + at, 60, 3), dtype=np.uint8) for at in range(n)]


def planted(n: int, seed: int) -> tuple[Practice, np.ndarray]:
    """Statistics of which 12 follow the preset and 12 the subject, each with noise; and the subjects."""
    rng = np.random.default_rng(seed)
    styles = np.random.default_rng(9).normal(size=(20, len(PARAMETERS)))
    subjects = np.random.default_rng(8).normal(size=(15, len(PARAMETERS)))
    who, what = rng.integers(0, 20, n), rng.integers(0, 15, n)
    statistics = rng.normal(size=(n, DIMENSIONS)) * 0.35
    statistics[:, :12] += styles[who]
    statistics[:, 12:24] += 3 * subjects[what]
    return Practice(statistics.astype(np.float32), styles[who].astype(np.float32), who), what


def share_found(vectors: np.ndarray, labels: np.ndarray) -> float:
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    cosines = unit @ unit.T
    np.fill_diagonal(cosines, -1)
    return float((labels[cosines.argmax(1)] == labels).mean())


def test_the_same_seed_gives_the_same_encoder_and_leaves_others_numbers_alone() -> None:
    practice, _ = planted(300, 0)
    torch.manual_seed(5)
    untouched = torch.rand(3)
    torch.manual_seed(5)
    first, second, other = train(practice, 1).arrays(), train(practice, 1).arrays(), train(practice, 2).arrays()
    assert torch.equal(torch.rand(3), untouched)
    for name, array in first.items():
        np.testing.assert_array_equal(array, second[name])
    assert not np.array_equal(first["straight.weight"], other["straight.weight"])


def test_style_is_kept_and_content_left_out() -> None:
    encoder = train(planted(1500, 0)[0], 0)
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
    practice = practise(pictures(LEAST_PHOTOS), 2, 0)
    assert practice.statistics.shape == (2 * LEAST_PHOTOS, DIMENSIONS)
    assert practice.parameters.shape == (2 * LEAST_PHOTOS, len(PARAMETERS))
    assert practice.photographers.shape == (2 * LEAST_PHOTOS,)


def test_too_few_photos_are_said_to_be_too_few() -> None:
    with pytest.raises(UsageError, match="3 photos"):
        practise(pictures(3), 2, 0)
