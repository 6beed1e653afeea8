"""Figures of evaluation, on rankings that can be worked out by hand."""

from __future__ import annotations

import math
from dataclasses import asdict, replace
from typing import Any

import numpy as np
import pytest

from search.errors import UsageError
from search.evaluation.evaluate import evaluate
from search.evaluation.reliability import ReliabilityBin, reliability
from search.evaluation.statistics import average_precision
from search.likeness.best_pairs import Background
from search.likeness.curve import LikenessCurve
from search.likeness.curves import curves_of
from search.store.base import ScoredHit


def at(degrees: float) -> list[float]:
    return [math.cos(math.radians(degrees)), math.sin(math.radians(degrees)), 0, 0]


@pytest.mark.parametrize(
    ("relevant", "expected"),
    [("100", 1.0), ("010", 0.5), ("0101", (1 / 2 + 2 / 4) / 2), ("110", 1.0), ("000", 0.0), ("", 0.0)],
)
def test_average_precision_is_the_mean_of_precision_at_each_relevant_rank(relevant: str, expected: float) -> None:
    assert average_precision(np.array([letter == "1" for letter in relevant], bool)) == pytest.approx(expected)


def test_precision_and_map_of_a_ranking_worked_out_by_hand(library: Any) -> None:
    # On a quarter circle: a 0°, a 10°, b 22°, b 40°. Nearest first:
    #   a0: a10 b22 b40   P@1 1, AP 1;   a10: a0 b22 b40   P@1 1, AP 1
    #   b22: a10 b40 a0   P@1 0, AP 1/2; b40: b22 a10 a0   P@1 1, AP 1
    labels = {library.image(f"{name}{angle}", at(angle)): name for name, angle in [("a", 0), ("a", 10)]}
    labels |= {library.image(f"{name}{angle}", at(angle)): name for name, angle in [("b", 22), ("b", 40)]}

    assert asdict(evaluate(library.store, labels))["spaces"] == {
        "visual": {
            "n": 4,
            "classes": 2,
            "p_at_1": pytest.approx(3 / 4),
            "k": 5,
            "p_at_k": pytest.approx(1 / 5),
            "map": pytest.approx(3.5 / 4),
            # Two labels are too few to draw from, so each query is drawn: at worst b22 twice or more of four.
            "intervals": {"p_at_1": (0.25, 1.0), "p_at_k": (pytest.approx(1 / 5),) * 2, "map": (0.625, 1.0)},
            "index_recall": pytest.approx(1.0),
        }
    }
    assert evaluate(library.store, labels, k=2).spaces["visual"].p_at_k == pytest.approx(1 / 2)


def test_intervals_draw_what_is_right_or_wrong_together(library: Any) -> None:
    # Of the last two labels, each item lies between two of the other.
    angles = {"0": (0, 2), "1": (60, 62), "2": (120, 122), "3": (180, 182), "4": (240, 246), "5": (243, 249)}
    labels = {library.image(f"{name} {angle}", at(angle)): name for name, pair in angles.items() for angle in pair}
    alone = {id_: f"item {number}" for number, id_ in enumerate(labels)}

    by_label = evaluate(library.store, labels).spaces["visual"]
    by_item = evaluate(library.store, labels, groups=alone).spaces["visual"]

    assert by_label.p_at_1 == by_item.p_at_1
    low, high = by_label.intervals["p_at_1"]
    nearer_low, nearer_high = by_item.intervals["p_at_1"]
    assert low < nearer_low < by_item.p_at_1 <= nearer_high <= high


def test_lone_labels_are_ranked_but_not_asked_and_unlabelled_items_are_neither(library: Any) -> None:
    labels = {library.image("a0", at(0)): "a", library.image("a20", at(20)): "a", library.image("c5", at(5)): "c"}
    library.image("unlabelled", at(0))
    labels["00000000-0000-0000-0000-000000000000"] = "a"

    measured = evaluate(library.store, labels).spaces["visual"]

    # a0: c5 a20;  a20: c5 a0.
    assert (measured.n, measured.classes, measured.p_at_1, measured.map) == (2, 1, 0.0, pytest.approx(0.5))


def test_a_few_labelled_items_among_many_give_the_same_figures(library: Any) -> None:
    library.many_images(np.random.default_rng(0).normal(size=(60, 4)))
    labels = {library.image(f"{name}{angle}", at(angle)): name for name, angle in [("a", 0), ("a", 10), ("b", 3)]}
    labels[library.image("b50", at(50))] = "b"

    measured = evaluate(library.store, labels).spaces["visual"]

    # a0: b3 a10 b50;  a10: b3 a0 b50;  b3: a0 a10 b50;  b50: a10 b3 a0.
    assert (measured.n, measured.p_at_1) == (4, 0.0)
    assert measured.map == pytest.approx((1 / 2 + 1 / 2 + 1 / 3 + 1 / 2) / 4)


def test_videos_are_ranked_by_their_key_frames_through_the_store(library: Any) -> None:
    labels = {
        library.video("a1", [at(0), at(90)]): "a",
        library.video("a2", [at(2), at(88)]): "a",
        # The mean of the key frames above: only frame by frame are these another scene.
        library.video("b1", [at(45), at(45)]): "b",
        library.video("b2", [at(44), at(46)]): "b",
    }

    measured = evaluate(library.store, labels).spaces["visual"]

    assert (measured.p_at_1, measured.map) == (1.0, 1.0)


def test_every_space_is_measured_and_shared_ones_are_named_by_collection(library: Any) -> None:
    labels = {library.audio(f"sound {n}", at(n)): "bell" for n in range(2)}
    labels |= {library.video(f"film {n}", [at(n)], sound=at(n), motion=at(n)): "bell" for n in range(2)}

    assert set(evaluate(library.store, labels).spaces) == {"visual", "motion", "sound:audio", "sound:videos"}
    assert set(evaluate(library.store, labels, collections=("audio",)).spaces) == {"sound"}


def test_k_is_ten_where_classes_are_large(library: Any) -> None:
    labels = {library.image(f"a{n}", at(n)): "a" for n in range(11)}
    assert evaluate(library.store, labels).spaces["visual"].k == 10

    labels |= {library.image(f"b{n}", at(n)): "b" for n in range(9)}
    assert evaluate(library.store, labels).spaces["visual"].k == 5


def test_index_recall_is_what_the_approximate_index_misses(library: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    labels = {library.image(f"a{n}", at(10 * n)): "a" for n in range(6)}
    ask = library.store.query

    def forgetful(collection: str, queries: Any) -> list[list[ScoredHit]]:
        """An index that never finds the second nearest neighbour."""
        answers = ask(collection, queries)
        return [hits if q.exact else hits[:2] + hits[3:] for q, hits in zip(queries, answers, strict=True)]

    monkeypatch.setattr(library.store, "query", forgetful)

    measured = evaluate(library.store, labels, k=4).spaces["visual"]

    assert measured.index_recall == pytest.approx(3 / 4)
    assert measured.map == 1.0


def test_nothing_to_compare_is_said_in_words(library: Any) -> None:
    labels = {library.image("a", at(0)): "a", library.image("b", at(1)): "b"}

    with pytest.raises(UsageError, match="two items"):
        evaluate(library.store, labels)
    with pytest.raises(UsageError, match="at 0"):
        evaluate(library.store, labels, k=0)


def test_the_fused_list_is_measured_by_set_and_says_what_it_lacks(library: Any) -> None:
    photos = {library.image(f"{name}{angle}", at(angle)): name for name, angle in [("a", 0), ("a", 4), ("b", 80)]}
    films = {library.video(f"film {angle}", [at(angle)]): "scene" for angle in (82, 84)}
    sets = dict.fromkeys(photos, "photos") | dict.fromkeys(films, "films")

    measured = evaluate(library.store, photos | films, sets=sets, k=1).fused

    # a0: a4 is nearest of all;  film 82: film 84 is nearest of the asked kind.
    assert {name: (one.n, one.classes, one.p_at_1, one.missing) for name, one in measured.items()} == {
        "photos": (2, 1, 1.0, 0.0),
        "films": (2, 1, 1.0, 0.0),
    }
    assert (measured["films"].row_p_at_1, measured["films"].map) == (1.0, 1.0)


def test_a_question_without_an_answer_of_its_kind_and_label_counts_as_missing(library: Any) -> None:
    labels = {library.image("a0", at(0)): "a", library.image("a90", at(90)): "a"}
    labels |= {library.image(f"b{n}", at(n / 10)): "b" for n in range(45)}

    measured = evaluate(library.store, labels).fused["all"]

    # a0 finds a90 behind all 45, and a90 finds a0 behind all others.
    assert (measured.n, measured.missing) == (47, pytest.approx(2 / 47))


def test_likeness_that_is_always_right_by_half_has_no_error_and_one_that_boasts_has(library: Any) -> None:
    rng = np.random.default_rng(0)
    labels = {id_: f"label {at % 2}" for at, id_ in enumerate(library.many_images(rng.normal(size=(80, 4))))}
    fingerprint = library.spaces["visual"].fingerprint
    curves = curves_of(library.store)

    # Labels that have nothing to do with the vectors: half of all drawn pairs share one, whatever their score.
    honest = LikenessCurve(0.0, 0.0, 0.0, 0.0, Background(0.0, 0.5))
    curves.save({fingerprint: {"image:image": honest}})
    measured = evaluate(library.store, labels).likeness["visual"]
    assert measured.ece == pytest.approx(0.0, abs=1e-6)
    assert measured.bins[5].said == measured.bins[5].true == pytest.approx(0.5)
    assert (measured.items, measured.pairs) == (80, 80 * 40)

    curves.save({fingerprint: {"image:image": replace(honest, shift=3.0)}})
    measured = evaluate(library.store, labels).likeness["visual"]
    assert measured.ece == pytest.approx(1 / (1 + math.exp(-3)) - 0.5, abs=2e-3)
    assert sum(one.pairs for one in measured.bins) == measured.pairs


def test_reliability_weighs_pairs_as_they_were_drawn() -> None:
    said, same = np.array([0.05, 0.95, 0.95]), np.array([0.0, 1.0, 0.0])

    measured = reliability(said, same, np.array([0.5, 0.25, 0.25]), items=1)

    assert measured.ece == pytest.approx(0.5 * 0.05 + 0.5 * 0.45)
    assert (measured.bins[9].said, measured.bins[9].true, measured.bins[9].pairs) == (0.95, 0.5, 2)
    assert measured.bins[3] == ReliabilityBin(None, None, 0)
