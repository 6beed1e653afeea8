"""Vectors lie as far apart as photographers are in all that tells them apart."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from workers.photographers.benchmark.vectors.accuracy import spearman
from workers.photographers.joint.budget import TrainingBudget
from workers.photographers.joint.experiments import JointData, learn
from workers.photographers.joint.fit import TrainingExamples, errors_of, fit, procrustes
from workers.photographers.joint.network import ShiftNetwork
from workers.photographers.joint.options import JointOptions
from workers.photographers.joint.targets.coordinates import StyleCoordinates
from workers.photographers.joint.targets.mds_targets import MdsTargets, mds, pairwise_distances

PEOPLE, PHOTOS, SHIFTS = 30, 12, 4


def world() -> tuple[NDArray[np.float32], NDArray[np.int64], NDArray[np.float64]]:
    """Readings of photographers who differ in four settings; owners; what they really are."""
    rng = np.random.default_rng(0)
    owners = np.repeat(np.arange(PEOPLE), PHOTOS)
    truth = rng.standard_normal((PEOPLE, SHIFTS))
    strays = np.array([0.3, 0.3, 0.3, 0.6])
    rows = truth[owners] + strays * rng.standard_normal((len(owners), SHIFTS))
    return rows.astype(np.float32), owners, truth


def test_distances_are_those_of_settings_and_what_is_only_chance_counts_nothing() -> None:
    rows, owners, truth = world()
    chance = 5 * np.random.default_rng(3).standard_normal((len(rows), 6)).astype(np.float32)
    found = MdsTargets.of(np.hstack([rows, chance]), owners, 3)
    assert spearman(pairwise_distances(truth), found.distances.astype(np.float64)) > 0.9
    assert np.square(found.distances).mean() == pytest.approx(2 * 3 * PEOPLE / (PEOPLE - 1), rel=1e-4)


def test_distances_come_in_the_order_that_the_network_has_them_in() -> None:
    rows, owners, _ = world()
    one = MdsTargets.of(rows, owners, SHIFTS)  # as many components leave nothing out
    assert torch.nn.functional.pdist(torch.from_numpy(one.start)).numpy() == pytest.approx(one.distances, abs=1e-4)
    pairs = [float(np.linalg.norm(one.start[a] - one.start[b])) for a, b in combinations(range(PEOPLE), 2)]
    assert pairs == pytest.approx(one.distances.tolist(), abs=1e-4)


def test_somebody_with_few_photos_is_drawn_to_the_middle() -> None:
    rng = np.random.default_rng(0)
    owners = np.repeat(np.arange(12), 20)
    rows = rng.standard_normal((12, 3))[owners] + rng.standard_normal((240, 3))
    kept = np.flatnonzero((owners > 0) | (np.arange(240) < 1))

    def from_the_middle(copies: int) -> float:
        """How far the first one is from the middle by one photo, or by so many photos that say the same."""
        chosen = np.concatenate([np.zeros(copies - 1, np.intp), kept])
        start = MdsTargets.of(rows[chosen], owners[chosen], 3).start
        lengths: NDArray[np.float32] = np.linalg.norm(start, axis=1)
        return float(lengths[0] / lengths[1:].mean())

    assert from_the_middle(1) < 0.8 * from_the_middle(20)


@pytest.mark.parametrize("people", [2, 3])
def test_photographers_who_do_not_differ_are_arranged_all_the_same(people: int) -> None:
    owners = np.repeat(np.arange(people), 2)
    found = MdsTargets.of(np.ones((2 * people, 5), np.float32), owners, 3)
    assert found.distances.tolist() == [0.0] * (people * (people - 1) // 2)
    assert found.start.tolist() == [[0.0] * 3] * people


def test_arranged_vectors_keep_distances_and_still_foretell() -> None:
    rows, owners, shifts = world()
    coordinates = StyleCoordinates.of(rows, owners, 2)
    codes = np.random.default_rng(1).standard_normal((len(owners), 16)).astype(np.float32)
    examples = TrainingExamples(codes, coordinates(rows), owners, np.arange(len(owners)))
    mds_targets = MdsTargets.of(rows, owners, 2)
    free, kept, again = (
        fit(lambda one=one: ShiftNetwork(PEOPLE, 2, 2, one), examples, 1, seed, TrainingBudget())  # type: ignore[misc]
        for one, seed in ((None, 0), (mds_targets, 0), (mds_targets, 1))
    )
    truth = pairwise_distances(shifts)
    assert spearman(truth, pairwise_distances(kept.vectors)) > spearman(truth, pairwise_distances(free.vectors)) + 0.05
    assert errors_of(kept.network, examples).ratio > 3
    assert procrustes(kept.vectors, again.vectors) > 0.9
    # What is kept of a network does not hang on the arrangement.
    bare = ShiftNetwork(PEOPLE, 2, 2)
    bare.load_state_dict(kept.network.state_dict())
    assert bare.strain() == 0


def test_where_no_setting_tells_people_apart_they_lie_where_their_statistics_are_foretold() -> None:
    rng = np.random.default_rng(0)
    owners = np.repeat(np.arange(4), 20)
    statistics = (4 * rng.standard_normal((4, 5))[owners] + rng.standard_normal((80, 5))).astype(np.float32)
    codes = rng.standard_normal((80, 16)).astype(np.float32)
    same = 1 + 1e-7 * rng.standard_normal((80, 12)).astype(np.float32)  # as rounding leaves it
    data = JointData(codes, statistics[:, :4], statistics, same, owners, np.arange(80), np.arange(80) % 4 == 0)
    assert not MdsTargets.of(same, owners, 3).distances.any()
    learnt = learn(data, JointOptions(epochs=1), TrainingBudget())
    assert learnt.errors.ratio > 3
    assert pairwise_distances(learnt.fitted.vectors).min() > 0.1


def test_points_that_fit_stay_as_far_apart_and_others_nearly() -> None:
    points = np.random.default_rng(0).standard_normal((12, 3))
    assert pairwise_distances(mds(points, 3)) == pytest.approx(pairwise_distances(points), abs=1e-3)
    assert pairwise_distances(mds(points, 5)) == pytest.approx(pairwise_distances(points), abs=1e-3)
    flat = points - points.mean(axis=0)
    left, sizes, _ = np.linalg.svd(flat, full_matrices=False)
    projected = np.square(pairwise_distances((left * sizes)[:, :2]) - pairwise_distances(points)).mean()
    assert np.square(pairwise_distances(mds(points, 2)) - pairwise_distances(points)).mean() < 0.9 * projected
