"""The encoder plays down what content moves and keeps what presets move."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from search.photographers.develop.settings import PARAMETERS
from search.store.base import Array
from workers.embedders.style.training import StyleTrainingSet
from workers.photographers.benchmark.encoder import whiten
from workers.photographers.benchmark.heads import nearest
from workers.photographers.benchmark.intervals import hits_of_one

DIM = 40


class World:
    """Statistics that are presets and content, mixed: content is strong along a few directions."""

    def __init__(self) -> None:
        self.rng = np.random.default_rng(5)
        self.style = 0.4 * self.rng.normal(size=(len(PARAMETERS), DIM))
        self.content = 4.0 * self.rng.normal(size=(6, DIM))

    def statistics(self, parameters: NDArray[np.float64]) -> Array:
        """Of one photo for each row, each of other content."""
        content = self.rng.normal(size=(*parameters.shape[:-1], 6)) @ self.content
        noise = 0.3 * self.rng.normal(size=(*parameters.shape[:-1], DIM))
        return (parameters @ self.style + content + noise).astype(np.float32)

    def practice(self, n: int) -> StyleTrainingSet:
        parameters = self.rng.uniform(-1.7, 1.7, (n, len(PARAMETERS)))
        return StyleTrainingSet(self.statistics(parameters), parameters.astype(np.float32), np.zeros(n, np.int64))


def test_photographers_are_told_apart_whom_content_hid() -> None:
    world = World()
    presets = world.rng.uniform(-1.7, 1.7, (1, 12, len(PARAMETERS)))
    gallery, question = (world.statistics(np.repeat(presets, n, axis=0)) for n in (20, 40))
    encoder = whiten(gallery, world.practice(400))
    before, after = (
        hits_of_one(nearest(*pair)).mean() for pair in ((gallery, question), map(encoder, (gallery, question)))
    )
    assert after > before + 0.2
    assert after > 0.8


def test_content_is_as_strong_in_every_direction() -> None:
    world = World()
    presets = world.rng.uniform(-1.7, 1.7, (1, 5, len(PARAMETERS)))
    gallery = world.statistics(np.repeat(presets, 300, axis=0))
    vectors = whiten(gallery, world.practice(600))(gallery)
    assert vectors.dtype == np.float32
    assert vectors.shape == (300, 5, 4), "no more dimensions than tell five photographers apart"
    deviations = (vectors - vectors.mean(axis=0)).reshape(-1, 4).std(axis=0)
    assert deviations.max() < min(1.1, 1.5 * deviations.min())


def test_statistics_that_never_change_and_little_practice_do_no_harm() -> None:
    world = World()
    gallery = world.statistics(np.zeros((12, 6, len(PARAMETERS))))
    gallery[..., 3] = 7
    practice = world.practice(5)
    assert np.isfinite(whiten(gallery, practice)(gallery)).all()
