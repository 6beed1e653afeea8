"""The image code is learnt in steps enough, however few pictures there are, and until codes have spread."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from search.photographers.space import Plane
from workers.photographers.joint.autoencoder import EPOCH_STEPS, SPREAD, spread_cost, train_autoencoder
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
        lambda name, value, step: told.append(step) if name == "autoencoder/loss" else None,
    )
    assert told == list(range(1, 2 * steps + 1))


def test_the_cost_spreads_codes_that_lie_on_a_line() -> None:
    rng = torch.Generator().manual_seed(0)
    line = torch.randn(200, 1, generator=rng) * torch.ones(1, 16) + 0.3 * torch.randn(200, 16, generator=rng)
    weights = torch.eye(16).requires_grad_(True)
    optimiser = torch.optim.Adam([weights], 0.05)
    before = float(spread_cost(line))
    for _ in range(300):
        optimiser.zero_grad()
        torch.autograd.backward(spread_cost(line @ weights))
        optimiser.step()
    spread = Plane.of((line @ weights).detach().numpy()).explained[0]
    assert Plane.of(line.numpy()).explained[0] > 0.9
    assert spread < SPREAD
    assert spread_cost(line @ weights).item() < 0.2 * before
    assert torch.isfinite(spread_cost(line[:1]))


@pytest.mark.parametrize(("line", "epochs"), [(SPREAD + 0.01, 3), (SPREAD, 1)])
def test_training_goes_on_while_codes_lie_near_a_line(
    line: float, epochs: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workers.photographers.joint.autoencoder.MORE_EPOCHS", 3)
    monkeypatch.setattr("workers.photographers.joint.autoencoder.EPOCH_STEPS", 1)
    monkeypatch.setattr("workers.photographers.joint.autoencoder.BATCH", 2)
    plane = Plane(np.zeros(16), np.zeros((2, 16)), (line, 0.0))
    monkeypatch.setattr(Plane, "of", lambda rows: plane)
    pictures = np.full((2, 224, 224, 3), 90, np.uint8)
    said: list[str] = []
    train_autoencoder(pictures, np.arange(2), 1, 0, TrainingBudget(), said.append)
    assert len(said) == epochs
