"""The image code is learnt in steps enough, however few pictures there are."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from workers.photographers.joint.autoencoder import EPOCH_STEPS, train_autoencoder
from workers.photographers.joint.budget import TrainingBudget


@pytest.mark.parametrize(("count", "steps"), [(4, EPOCH_STEPS), (4 * EPOCH_STEPS + 2, EPOCH_STEPS + 1)])
def test_few_pictures_are_gone_through_several_times_an_epoch(
    count: int,
    steps: int,
    make_scene: Callable[[np.random.Generator], NDArray[np.uint8]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("workers.photographers.joint.autoencoder.BATCH", 4)
    rng = np.random.default_rng(0)
    pictures = np.stack([make_scene(rng) for _ in range(count)])
    told: list[int] = []
    train_autoencoder(
        pictures,
        np.arange(count),
        2,
        0,
        TrainingBudget(),
        lambda line: None,
        lambda name, value, step: told.append(step),
    )
    assert told == list(range(1, 2 * steps + 1))
