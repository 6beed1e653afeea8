from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from search.evaluation.statistics import grouped_mean
from workers.embedders.style.development import shipped_reader
from workers.embedders.style.statistics import DIMENSIONS, Statistics
from workers.photographers.joint.budget import StoppedError, TrainingBudget
from workers.photographers.joint.fit import FRAME_STEPS, TrainingExamples, errors_of, fit, procrustes, turned_onto
from workers.photographers.joint.fold_in import vector_of
from workers.photographers.joint.network import ShiftNetwork
from workers.photographers.joint.split import held_out
from workers.photographers.joint.targets.coordinates import StyleCoordinates
from workers.photographers.joint.targets.style import extract, open_reader
from workers.photographers.joint.targets.tone import TONE_STATISTICS, tone_statistics


def world(
    people: int, photos: int, outputs: int = 4, noise: float = 0.2
) -> tuple[TrainingExamples, NDArray[np.float32]]:
    """Photos whose statistics are their photographer's shift, what the code says, and noise; and the shifts."""
    rng = np.random.default_rng(0)
    owners = np.repeat(np.arange(people), photos)
    codes = rng.standard_normal((len(owners), 16)).astype(np.float32)
    shifts = rng.standard_normal((people, outputs)).astype(np.float32)
    targets = shifts[owners] + 0.3 * codes[:, :1] + noise * rng.standard_normal((len(owners), outputs))
    return TrainingExamples(codes, targets.astype(np.float32), owners, np.arange(len(owners))), shifts


def test_equal_seeds_make_equal_vectors_and_other_seeds_vectors_that_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workers.photographers.joint.fit.LEAST_STEPS", 1000)
    examples, shifts = world(12, 10)
    runs = [fit(lambda: ShiftNetwork(12, 4, 4), examples, 60, seed, TrainingBudget()) for seed in (0, 0, 1)]
    assert (runs[0].vectors == runs[1].vectors).all()
    assert (runs[0].vectors != runs[2].vectors).any()
    assert procrustes(runs[0].vectors, runs[2].vectors) > 0.95
    assert procrustes(runs[0].vectors, shifts) > 0.9  # distances mean something
    assert list(runs[0].steps[:3]) == [0, FRAME_STEPS, 2 * FRAME_STEPS]
    assert errors_of(runs[0].network, examples).ratio > 3


def test_somebody_new_is_placed_by_their_vector_alone() -> None:
    examples, shifts = world(12, 10)
    known = np.flatnonzero(examples.owners < 11)
    network = fit(lambda: ShiftNetwork(11, 4, 4), examples.take(known), 60, 0, TrainingBudget()).network
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    theirs = examples.take(np.flatnonzero(examples.owners == 11))
    vector = vector_of(network, theirs.codes, theirs.targets)
    assert all(torch.equal(tensor, before[name]) for name, tensor in network.state_dict().items())
    with torch.inference_mode():
        predicted = network(torch.from_numpy(theirs.codes), torch.from_numpy(vector).expand(10, -1)).numpy()
    assert np.square(predicted - theirs.targets).mean() < 0.2 * np.square(shifts[11]).mean()


def test_procrustes_is_what_scipy_says() -> None:
    from scipy.spatial import procrustes as scipy_procrustes

    rng = np.random.default_rng(0)
    one, other = rng.standard_normal((2, 20, 3)).astype(np.float32)
    turned = one @ np.linalg.qr(rng.standard_normal((3, 3)))[0] * 2.5 + 4
    assert procrustes(one, other) == pytest.approx(1 - scipy_procrustes(one, other)[2], abs=1e-5)
    assert procrustes(one, turned.astype(np.float32)) == pytest.approx(1, abs=1e-5)
    assert procrustes(one, np.zeros((20, 3), np.float32)) == 0


def test_frames_are_turned_as_a_whole_onto_what_they_end_near() -> None:
    rng = np.random.default_rng(0)
    wanted = rng.standard_normal((12, 3)).astype(np.float32)
    turn = np.linalg.qr(rng.standard_normal((3, 3)))[0]
    frames = np.stack([rng.standard_normal((12, 3)), 2.5 * wanted @ turn + 4]).astype(np.float32)
    turned = turned_onto(wanted, frames)
    np.testing.assert_allclose(turned[-1], wanted, atol=1e-4)
    assert procrustes(turned[0], frames[0]) == pytest.approx(1, abs=1e-5)
    assert not np.isnan(turned_onto(wanted, np.zeros((1, 12, 3), np.float32))).any()


def test_groups_are_held_out_whole_and_everybody_keeps_a_photo() -> None:
    rng = np.random.default_rng(0)
    owners, groups = np.repeat(np.arange(9), 20), rng.integers(0, 60, 180)
    held = held_out(owners, groups, 0.3, rng)
    assert not set(groups[held]) & set(groups[~held])
    assert set(owners[~held]) == set(range(9))
    assert (np.bincount(owners[held], minlength=9) <= 6).all()
    assert held.sum() > 20
    assert not held_out(np.array([0, 0, 1, 1]), np.array([0, 0, 1, 1]), 0.3, rng).any()


def test_intervals_draw_groups_and_not_photos() -> None:
    values = np.repeat(np.random.default_rng(0).standard_normal(20), 50)
    together = grouped_mean(values, np.repeat(np.arange(20), 50))
    alone = grouped_mean(values, np.arange(1000))
    assert together.high - together.low > 4 * (alone.high - alone.low)
    assert together.value == alone.value == pytest.approx(values.mean())
    assert together.n == 1000


def test_style_coordinates_find_where_photographers_differ() -> None:
    rng = np.random.default_rng(0)
    owners = np.repeat(np.arange(10), 30)
    rows = rng.standard_normal((300, 20)) * np.linspace(1, 50, 20)
    rows[:, 3] += 20 * rng.standard_normal(10)[owners]
    found = StyleCoordinates.of(rows, owners, 5)
    assert found.axes.shape == (20, 1)  # the other nineteen say nothing of anybody
    placed = found(rows)[:, 0]
    assert abs(np.corrcoef(placed, rows[:, 3])[0, 1]) > 0.9
    assert np.square(placed).mean() == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("level", [0, 128, 255])
def test_statistics_of_one_gray_are_finite(level: int) -> None:
    rows = tone_statistics(np.full((1, 224, 224, 3), level, np.uint8))
    assert rows.shape == (1, len(TONE_STATISTICS))
    assert np.isfinite(rows).all()


def test_what_is_told_to_stop_stops_at_once() -> None:
    examples, _ = world(3, 5)
    with pytest.raises(StoppedError):
        fit(lambda: ShiftNetwork(3, 3, 4), examples, 1, 0, TrainingBudget(lambda: False))


def test_statistics_are_those_that_the_style_encoder_reads_and_not_its_answer() -> None:
    pictures = np.random.default_rng(0).integers(0, 256, (2, 224, 224, 3), np.uint8)
    features, rows = extract(pictures)
    assert features.shape == (2, 4)
    assert rows.shape == (2, len(TONE_STATISTICS) + DIMENSIONS)
    assert open_reader()(rows) == pytest.approx(shipped_reader()(rows[:, -DIMENSIONS:]), abs=1e-6)
    with torch.inference_mode():
        wanted = Statistics().eval()(torch.from_numpy(pictures)).numpy()
    assert rows[:, -DIMENSIONS:] == pytest.approx(wanted, abs=1e-3)
