from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from search.errors import UsageError
from search.photographers.develop.settings import Preset
from workers.photographers.benchmark.vectors.accuracy import DIMENSIONS, measure_presets, spearman
from workers.photographers.benchmark.vectors.colour_distance import colour_distances, lab
from workers.photographers.joint.options import JointOptions
from workers.photographers.joint.targets.mds_targets import pairwise_distances


def test_spearman_finds_a_planted_order() -> None:
    planted = np.arange(20.0)
    assert spearman(planted, np.exp(planted)) == pytest.approx(1)
    assert spearman(planted, -planted) == pytest.approx(-1)
    assert spearman(np.array([1.0, 1.0, 2.0]), np.array([1.0, 1.0, 5.0])) == pytest.approx(1)
    assert spearman(planted, np.ones(20)) == 0


def test_pairs_come_in_the_order_of_combinations() -> None:
    assert pairwise_distances(np.array([[0.0, 0], [3, 4], [0, 1]])).tolist() == pytest.approx([5, 1, np.hypot(3, 3)])


def test_lab_of_known_colours() -> None:
    """Source of the values: Lindbloom's colour calculator, sRGB and D65."""
    colours = np.array([[255, 255, 255], [0, 0, 0], [255, 0, 0], [0, 0, 255]], np.uint8)
    wanted = [[100, 0, 0], [0, 0, 0], [53.24, 80.09, 67.20], [32.30, 79.19, -107.86]]
    assert lab(colours) == pytest.approx(np.array(wanted), abs=0.1)


def test_colours_differ_by_what_presets_do_and_not_by_grain() -> None:
    gray = np.full((1, 8, 8, 3), 119, np.uint8)
    same, brighter, brightest = colour_distances((Preset(), Preset(grain=9.0), Preset(exposure=1.0)), gray)
    assert same == 0
    assert brighter == brightest > 10


def test_vectors_are_held_against_the_truth(make_scene: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Six photographers without jitter, and two more to fold in."""
    monkeypatch.setattr("workers.photographers.benchmark.vectors.accuracy.FOLDED", 2)
    monkeypatch.setattr("workers.photographers.joint.fit.LEAST_STEPS", 250)
    rng = np.random.default_rng(0)
    pictures = np.stack([make_scene(rng) for _ in range(20)])
    found = measure_presets(
        pictures,
        ["seen"] * 10 + ["asked"] * 10,
        (0, 1),
        presets=6,
        level=0.0,
        most=(10, 10),
        options=JointOptions(epochs=1, autoencoder_epochs=1, clusters=4),
    )
    assert (found.presets, found.photos, found.held_out, found.seeds) == (6, 60, 60, 2)
    assert tuple(vectors.dimensions for vectors in found.vectors) == DIMENSIONS
    for vectors in found.vectors:
        assert vectors.errors.right.n == 60
        assert vectors.ratio > 1.3  # a wrong vector really is worse
        assert vectors.folded_ratio > 1.3
        assert vectors.agreement > 0.8
        assert -1 <= vectors.spearman <= 1
        assert -1 <= vectors.colour_spearman <= 1
    assert found.vectors[-1].best_spearman == pytest.approx(1, abs=0.05)  # six points lie in five dimensions
    assert found.pseudo.nearest_centroid.n == 60


def test_one_class_is_refused_in_words() -> None:
    with pytest.raises(UsageError, match="two classes"):
        measure_presets(np.zeros((3, 224, 224, 3), np.uint8), ["one"] * 3)
