"""The mistakes of the published joint model, each with a test that it would fail."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from workers.photographers.joint.autoencoder import Autoencoder, codes_of, global_features_of, loss_of
from workers.photographers.joint.budget import TrainingBudget
from workers.photographers.joint.experiments import CIRCULAR, JointData, clusters_of, pseudo_photographers
from workers.photographers.joint.fit import TrainingExamples, errors_of, fit
from workers.photographers.joint.network import JointNetwork, PublishedNetwork, ShiftNetwork
from workers.photographers.joint.options import JointOptions
from workers.photographers.joint.targets.coordinates import Standardisation
from workers.photographers.joint.targets.tone import global_features

NETWORKS = (PublishedNetwork, ShiftNetwork)


def examples(photos: int = 60, people: int = 3, outputs: int = 4) -> TrainingExamples:
    rng = np.random.default_rng(0)
    owners = np.arange(photos) % people
    codes = rng.standard_normal((photos, 16)).astype(np.float32)
    shifts = rng.standard_normal((people, outputs)).astype(np.float32)
    targets = shifts[owners] + 0.1 * rng.standard_normal((photos, outputs)).astype(np.float32)
    return TrainingExamples(codes, targets, owners, np.arange(photos))


def test_contrast_is_that_of_pixels_and_not_of_triplets_from_a_wrong_reshape() -> None:
    red = np.zeros((1, 32, 32, 3), np.uint8)
    red[..., 0] = 255
    halves = np.zeros((1, 32, 32, 3), np.uint8)
    halves[:, :, 16:] = 255
    rows = global_features(np.concatenate([red, halves]))
    assert rows[0] == pytest.approx([0.0, 1.0, 0.0, 0.0], abs=1e-6)  # one colour all over has no contrast at all
    assert rows[1] == pytest.approx([0.5, 0.5, 0.5, 0.5], abs=1e-6)


def test_the_loss_recomputes_the_same_features_as_are_foretold() -> None:
    pictures = np.random.default_rng(0).integers(0, 256, (3, 40, 24, 3), np.uint8)
    pixels = torch.from_numpy(pictures).permute(0, 3, 1, 2).float() / 255
    assert global_features_of(pixels).numpy() == pytest.approx(global_features(pictures), abs=1e-4)


def test_the_loss_has_a_finite_slope_without_a_tiny_weight() -> None:
    plain = torch.full((2, 3, 8, 8), 0.5, requires_grad=True)
    loss_of(plain, torch.zeros(2, 3, 8, 8)).backward()  # type: ignore[no-untyped-call]
    assert plain.grad is not None
    assert torch.isfinite(plain.grad).all()
    assert plain.grad.abs().max() < 1


@pytest.mark.parametrize("kind", NETWORKS)
def test_one_optimiser_moves_the_very_vectors_of_the_network(
    kind: type[PublishedNetwork | ShiftNetwork], monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[torch.optim.Optimizer] = []

    class Counted(torch.optim.Adam):
        def __init__(self, *args: Any, **options: Any) -> None:
            super().__init__(*args, **options)
            made.append(self)

    monkeypatch.setattr(torch.optim, "Adam", Counted)
    monkeypatch.setattr("workers.photographers.joint.fit.LEAST_STEPS", 500)
    fitted = fit(lambda: kind(3, 3, 4), examples(), 1, 0, TrainingBudget())
    assert len(made) == 1
    moved = {id(parameter) for group in made[0].param_groups for parameter in group["params"]}
    assert moved == {id(parameter) for parameter in fitted.network.parameters()}
    assert id(fitted.network.vectors) in moved
    steps = {int(state["step"]) for state in made[0].state.values()}
    assert steps == {int(fitted.steps[-1])}  # its memory went through the whole training
    assert np.abs(fitted.vectors - fitted.frames[0]).max() > 0.1


@pytest.mark.usefixtures("hasty")
@pytest.mark.parametrize("kind", NETWORKS)
def test_nothing_is_dropped_while_measuring(kind: type[PublishedNetwork | ShiftNetwork]) -> None:
    fitted = fit(lambda: kind(3, 3, 4), examples(), 1, 0, TrainingBudget())
    assert not fitted.network.training
    assert errors_of(fitted.network, examples()) == errors_of(fitted.network, examples())
    pictures = np.random.default_rng(0).integers(0, 256, (3, 224, 224, 3), np.uint8)
    network = Autoencoder()  # in training, where a dropout or batch statistics would show
    alone = codes_of(network, pictures[:1])
    assert np.allclose(alone, codes_of(network, pictures)[:1], atol=1e-5)


def test_clusters_do_not_depend_on_the_unit_of_a_feature() -> None:
    rng = np.random.default_rng(0)
    centres = rng.permuted(np.repeat([[0.0], [1.0]], 50, axis=0), axis=0)
    features = np.concatenate([0.01 * centres, rng.uniform(0, 1, (100, 3))], axis=1).astype(np.float32)
    features += rng.normal(0, 1e-4, features.shape).astype(np.float32)
    found = clusters_of(features, 2, 0)
    other_unit = clusters_of(features * np.array([1000, 1, 1, 1], np.float32), 2, 0)
    same = (found[:, None] == found) == (other_unit[:, None] == other_unit)
    assert same.all()


def test_pseudo_photographers_are_told_with_the_figure_that_shows_they_are_circular(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("workers.photographers.joint.fit.LEAST_STEPS", 2000)
    rng = np.random.default_rng(0)
    light, contrast = rng.uniform(0, 1, (2, 600))
    # As in real pictures, the three channels mostly say the same.
    noise = 0.02 * rng.standard_normal((600, 4))
    features = (np.stack([contrast, light, light, light], axis=1) + noise).astype(np.float32)
    nobody = np.zeros(600, np.int64)
    held = np.arange(600) % 3 == 0
    codes = rng.standard_normal((600, 16)).astype(np.float32)
    data = JointData(codes, features, features, features, nobody, np.arange(600), held)
    clusters = clusters_of(features, 30, 0)
    told, chance = (
        pseudo_photographers(data, labels, JointOptions(epochs=1), TrainingBudget())
        for labels in (clusters, rng.permutation(clusters))
    )
    assert told.clusters == 30
    assert told.nearest_centroid.value > 0.8
    assert told.nearest_centroid.n == held.sum()
    assert told.errors.ratio > 10  # although the codes say nothing, and nobody took the photos
    assert chance.errors.ratio == pytest.approx(1, abs=0.2)
    assert told.words == CIRCULAR
    assert "circular" in told.words


def test_scales_come_from_what_was_learnt_from_alone() -> None:
    rows = np.array([[0.0, 5.0], [2.0, 5.0], [100.0, 7.0]])
    scaled = Standardisation.of(rows[:2])(rows)
    assert scaled.tolist() == [[-1.0, 0.0], [1.0, 0.0], [99.0, 2.0]]


def test_vectors_cost_something_only_where_they_are_kept() -> None:
    kinds: tuple[type[JointNetwork], ...] = (PublishedNetwork, ShiftNetwork)
    costs = [kind(2, 3, 4).penalty().item() for kind in kinds]
    assert costs[0] == 0 < costs[1]
