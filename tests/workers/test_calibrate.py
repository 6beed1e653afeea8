"""Learning likeness curves: on made-up media whose true probabilities are known."""

from __future__ import annotations

import numpy as np
import pytest

from search.likeness.best_pairs import Background
from search.likeness.labelled_pairs import Labelled, ScoredPairs
from search.media import Kind
from workers.calibrate import LEAST_PAIRS, fit, held_out, learn

DIM = 32


def media(labels: int, each: int, noise: float, kind: Kind = Kind.IMAGE, frames: int = 1) -> list[Labelled]:
    """Vectors around one direction a label."""
    rng = np.random.default_rng(5)
    centres = rng.normal(size=(labels, DIM))
    made = []
    for label in range(labels):
        for at in range(each):
            rows = centres[label] + noise * rng.normal(size=(frames, DIM))
            unit = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
            made.append(Labelled(kind, f"label {label}", unit, f"{kind} {label} {at}"))
    return made


def test_a_curve_says_the_probability_that_is_true() -> None:
    from scipy.stats import norm

    # Scores of pairs of one label N(.6, .1), of others N(.2, .1): the odds are exp(40 s − 16).
    rng = np.random.default_rng(0)
    same = np.repeat([1.0, 0.0], 20_000)
    scores = np.clip(np.where(same > 0, rng.normal(0.6, 0.1, 40_000), rng.normal(0.2, 0.1, 40_000)), -1, 1)

    curve = fit(ScoredPairs(scores, same, np.ones(40_000), 100), Background(0.2, 0.1))

    for score in (0.3, 0.4, 0.5):
        truth = norm.pdf(score, 0.6, 0.1) / (norm.pdf(score, 0.6, 0.1) + norm.pdf(score, 0.2, 0.1))
        assert curve.likeness(score) == pytest.approx(truth, abs=0.04)
    assert (curve.pairs, curve.items) == (40_000, 100)


def test_large_labels_do_not_outvote_small_ones() -> None:
    scores, same = np.array([0.5] * 11), np.array([1.0] + [0.0] * 10)
    weights = np.array([0.5] + [0.05] * 10)

    curve = fit(ScoredPairs(scores, same, weights, 1), Background(0.2, 0.1))

    assert curve.likeness(0.5) == pytest.approx(0.5, abs=0.01)


def test_curves_are_learnt_for_each_pair_of_kinds_with_stills_standing_in() -> None:
    given = [*media(6, 8, 0.8), *media(6, 4, 0.8, Kind.VIDEO, frames=5)]

    curves = learn(given)

    assert curves.keys() == {"image:image", "image:video", "video:video"}
    for curve in curves.values():
        assert curve.likeness(0.9) > 0.9
        assert curve.likeness(0.0) < 0.1
        assert abs(curve.background.mean) < 0.1


def test_the_same_media_give_the_same_curves() -> None:
    assert learn(media(4, 6, 0.5)) == learn(media(4, 6, 0.5))


def test_held_out_media_judge_the_curves() -> None:
    measured = held_out(media(8, 24, 1.5))

    assert measured is not None
    assert measured.items == 8 * 24
    assert measured.ece < 0.05
    assert held_out(media(2, 2, 0.5)) is None


def test_too_few_labelled_pairs_give_no_curve() -> None:
    few = media(3, 2, 0.5)

    assert len(few) < LEAST_PAIRS
    assert learn(few) == {}
    assert learn(media(1, 10, 0.5)) == {}
    assert learn([]) == {}


def test_parts_of_one_video_make_no_pair() -> None:
    # One video a label: its own key frames are the only stills of its label.
    assert "image:video" not in learn([*media(5, 4, 0.5), *media(5, 1, 0.5, Kind.VIDEO, frames=40)][20:])
