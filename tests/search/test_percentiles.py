"""Match percentages: percentiles of random pairs in the body, still telling scores apart in the tail."""

from __future__ import annotations

import json
import math
from itertools import pairwise

import numpy as np
import pytest

from search.likeness.percentile_curves import as_asking
from search.likeness.percentiles import MIN_PAIRS, PercentileCurve, fit, pair_scores, prior

SCORES = np.random.default_rng(1).normal(0.2, 0.1, 20_000).astype(np.float32)


def test_the_body_is_the_percentile() -> None:
    curve = fit(SCORES)

    for score in (-0.05, 0.1, 0.2, 0.33, 0.4):
        assert curve.match(score) == pytest.approx(100 * np.mean(score > SCORES), abs=1.0)


def test_match_increases_with_score_everywhere() -> None:
    curve = fit(SCORES)

    matches = [curve.match(score) for score in np.linspace(SCORES.min(), 0.9, 2000)]

    assert all(low < high for low, high in pairwise(matches))
    assert curve.match(-1.0) == 0.0
    assert matches[-1] < 100.0


def test_the_tail_goes_on_smoothly_past_the_highest_pair_seen() -> None:
    curve = fit(SCORES)
    start = curve.scores[-1]

    assert curve.match(start - 1e-9) == pytest.approx(curve.match(start), abs=1e-4)
    assert curve.match(start) == pytest.approx(99.0, abs=0.01)
    # One scale further, the share of pairs above shrinks by e.
    assert 100 - curve.match(start + curve.scale) == pytest.approx(1 / math.e, rel=0.02)
    beyond = float(SCORES.max()) + 0.1
    assert 99.9 < curve.match(beyond) < curve.match(beyond + 0.01) < 100.0


def test_the_tail_of_exponential_scores_is_recovered() -> None:
    drawn = np.random.default_rng(2).exponential(0.05, 50_000).astype(np.float32)

    # P(score > 0.5) = exp(−10), far beyond what 50,000 draws can count.
    assert 100 - fit(drawn).match(0.5) == pytest.approx(100 * math.exp(-10), rel=0.5)


def test_few_and_equal_scores_make_a_curve_too() -> None:
    curve = fit(np.array([0.5] * 30 + [0.7], np.float32))

    assert curve.match(0.4) == 0.0
    assert curve.match(0.5) < curve.match(0.6) <= curve.match(0.7) <= 100.0


def test_the_same_sample_gives_the_same_curve_in_any_order_and_survives_json() -> None:
    curve = fit(SCORES)

    assert fit(SCORES[::-1]) == curve
    assert PercentileCurve.from_json(json.loads(json.dumps(curve.to_json()))) == curve


def rows(*vectors: list[float]) -> np.ndarray:
    return np.array(vectors, np.float32)


X, Y, Z = [1.0, 0, 0], [0, 2.0, 0], [0, 0, 1.0]


def test_pairs_of_single_vectors_are_cosines_of_different_ids() -> None:
    points = [("a", rows(X)), ("b", rows([1.0, 1.0, 0])), ("c", rows(Y))]

    scores = pair_scores(points, points)

    half = math.sqrt(0.5)
    assert scores == pytest.approx([half, 0, half, half, 0, half])


def test_pairs_are_compared_as_questions_compare_them() -> None:
    film = [("film", rows(X, Y))]
    other = [("other", rows(X, Z, Z))]
    photo = [("photo", rows(Y))]

    assert pair_scores(film, other) == pytest.approx([1.0])
    assert pair_scores([("tail", rows(Y))], other) == pytest.approx([0.0])
    assert pair_scores(photo, film) == pytest.approx([1.0])
    assert pair_scores(film, photo) == pytest.approx([1.0])
    assert len(pair_scores([], film)) == 0


@pytest.mark.parametrize("space", ["visual", "motion", "sound", "unheard of"])
def test_the_prior_increases_from_nothing_to_nearly_all(space: str) -> None:
    curve = prior(space)
    matches = [curve.match(score) for score in np.linspace(-1, 1, 101)]

    assert matches == sorted(matches)
    assert matches[0] < 1.0
    assert 99.0 < matches[-1] < 100.0
    assert curve.pairs < MIN_PAIRS


def test_of_long_videos_fewer_ask_so_that_a_curve_stays_cheap_to_learn() -> None:
    def sampled(points: int, rows: int) -> list[tuple[str, np.ndarray]]:
        return [(str(at), np.zeros((rows, 4), np.float32)) for at in range(points)]

    usual = sampled(64, 32)
    assert as_asking(usual, 64 * 32) == usual
    assert len(as_asking(sampled(192, 1), 64 * 1000)) == 192
    asking = as_asking(sampled(64, 1000), 64 * 1000)
    assert (len(asking), len(asking[0][1])) == (12, 32)
    assert len(as_asking(sampled(3, 2), 0)) == 3
