"""Classifiers and controls on tables whose truth is made up."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from search.evaluation.statistics import best_threshold
from search.store.base import Array
from workers.photographers.benchmark.controls import (
    at_chance,
    content_found,
    even_split,
    guessing,
    separated,
    shuffled,
    twin_answers,
)
from workers.photographers.benchmark.heads import (
    FLOOR,
    Classifier,
    boosted,
    discriminant,
    linear,
    nearest,
    standardised,
)
from workers.photographers.benchmark.intervals import hits_of_one
from workers.photographers.benchmark.open_set import auroc, open_set

PRESETS, DIM = 12, 6
HEADS = pytest.mark.parametrize("head", [linear, discriminant, boosted, nearest])


def tables(signal: float, seed: int = 0, photos: int = 40, presets: int = PRESETS) -> tuple[Array, Array]:
    """Gallery and question: a place for each preset, ``signal`` deviations apart, and noise."""
    rng = np.random.default_rng(seed)
    places = signal * rng.normal(size=(presets, DIM))
    gallery, question = (places + rng.normal(size=(n, presets, DIM)) for n in (photos, photos // 2))
    return gallery.astype(np.float32), question.astype(np.float32)


@HEADS
def test_heads_learn_what_is_there_and_answer_in_probabilities(head: Classifier) -> None:
    answers = head(*tables(3.0))
    assert answers.shape == (20, PRESETS, PRESETS)
    assert np.exp(answers).sum(axis=-1) == pytest.approx(1, abs=1e-3)
    assert answers.min() >= FLOOR
    assert hits_of_one(answers).mean() > 0.9


@pytest.mark.parametrize("head", [linear, discriminant, boosted])
def test_missing_values_are_taken(head: Classifier) -> None:
    gallery, question = tables(3.0)
    gallery[::3, :, 0] = np.nan
    question[..., 1] = np.nan
    assert np.isfinite(head(gallery, question)).all()


def test_nothing_that_varies_is_answered_by_guessing() -> None:
    gallery, question = np.ones((4, 5, 3), np.float32), np.full((2, 5, 3), np.nan, np.float32)
    assert np.exp(boosted(gallery, question)) == pytest.approx(0.2)
    assert np.exp(discriminant(gallery, question)) == pytest.approx(0.2)


def test_standardising_learns_from_the_gallery_only() -> None:
    gallery = np.array([[[1.0], [3.0]]], np.float32)
    mine, other = standardised(gallery, np.array([[[5.0], [np.nan]]], np.float32))
    assert mine.ravel().tolist() == [-1, 1]
    assert other.ravel().tolist() == [3, 0]


def test_shuffled_labels_are_at_chance_and_honest_ones_are_not() -> None:
    gallery, question = tables(3.0)
    rng = np.random.default_rng(0)
    hits = [guessing(shuffled(gallery, rng), question, discriminant) for _ in range(5)]
    assert at_chance("shuffled", "", hits).passed
    assert not at_chance("shuffled", "", [guessing(gallery, question, discriminant)]).passed


def test_shuffling_keeps_every_photos_renders() -> None:
    gallery, _ = tables(1.0)
    mixed = shuffled(gallery, np.random.default_rng(0))
    assert not np.array_equal(mixed, gallery)
    assert np.array_equal(np.sort(mixed[..., 0], axis=1), np.sort(gallery[..., 0], axis=1))


def test_less_than_guessing_is_no_pass_either() -> None:
    assert not at_chance("worse", "", [np.zeros((30, PRESETS))]).passed


def test_twins_split_evenly_unless_something_tells_them_apart() -> None:
    gallery, question = tables(4.0, photos=80, presets=PRESETS + 1)
    for leak, passes in ((0.0, True), (1.5, False)):
        rng = np.random.default_rng(3)
        for table in (gallery, question):
            table[:, PRESETS] = table[:, 0].mean(axis=0) + rng.normal(size=(len(table), DIM))
            table[:, 0] = table[:, 0].mean(axis=0) + rng.normal(size=(len(table), DIM)) + leak
        right, within = twin_answers(discriminant(gallery, question), 0, PRESETS)
        assert within.sum() > 40
        assert even_split([(right, within)]).passed is passes


def test_content_is_found_where_vectors_carry_it_and_not_where_they_carry_style() -> None:
    rng = np.random.default_rng(0)
    subjects = [str(n % 4) for n in range(40)]
    style, content = rng.normal(size=(1, PRESETS, DIM)), rng.normal(size=(4, 1, DIM))[[n % 4 for n in range(40)]]
    noise = 0.1 * rng.normal(size=(40, PRESETS, DIM))
    assert content_found((style + noise).astype(np.float32), subjects).mean() < 0.05
    assert content_found((content + noise).astype(np.float32), subjects).mean() > 0.6
    assert len(content_found((style + noise).astype(np.float32), [str(n) for n in range(40)])) == 0


def test_a_shared_subject_fails_the_split() -> None:
    assert separated(0, 50, classes=True).passed
    assert not separated(1, 50, classes=True).passed
    assert "split by photo" in separated(0, 50, classes=False).note


def as_it_is(learnt: Array) -> Callable[[Array], Array]:
    """Training an encoder where the vectors are right already."""
    assert learnt.shape[1] < 18, "the encoder must not see everybody"
    return lambda statistics: statistics


def test_unknown_photographers_are_told_from_known_ones_by_ten_better_than_by_one() -> None:
    gallery, question = tables(1.2, photos=60, presets=18)
    ones = open_set(gallery, question, np.arange(30)[:, None], as_it_is, np.random.default_rng(0))
    tens = open_set(gallery, question, np.arange(30).reshape(3, 10), as_it_is, np.random.default_rng(0))
    assert 0.5 < auroc([ones]).value < auroc([tens]).value
    assert tens.kept > 0.7
    assert tens.found > 0.7
    found = auroc([ones, ones])
    assert found.low <= found.value <= found.high


def test_unknown_photographers_who_work_like_known_ones_are_not_told_apart() -> None:
    gallery, question = tables(0.0, photos=60, presets=18)
    found = auroc(
        [open_set(gallery, question, np.arange(30)[:, None], as_it_is, np.random.default_rng(s)) for s in range(4)]
    )
    assert found.low < 0.5 < found.high


def test_the_threshold_parts_what_can_be_parted() -> None:
    assert best_threshold(np.array([[3.0, 4.0]]), np.array([[1.0, 2.0]])).value == 3.0
