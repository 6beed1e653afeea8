"""Folds keep groups together and leave nobody unlearnt; strangers are strangers."""

from __future__ import annotations

import numpy as np
import pytest

from workers.photographers.classifier.fitting.splits import grouped_folds, photographers_out, random_folds

LABELS = np.repeat(np.arange(5), 20)
GROUPS = np.arange(100) // 4


@pytest.mark.parametrize("seed", range(5))
def test_every_photo_is_tested_once_and_no_group_is_parted(seed: int) -> None:
    folds = grouped_folds(LABELS, GROUPS, 4, seed)
    assert sorted(np.concatenate([fold.test for fold in folds]).tolist()) == list(range(100))
    for fold in folds:
        assert not set(GROUPS[fold.train]) & set(GROUPS[fold.test])
        assert len(fold.train) + len(fold.test) == 100


@pytest.mark.parametrize("seed", range(5))
def test_whoever_has_two_groups_is_learnt_in_every_fold(seed: int) -> None:
    labels = np.array([0] * 2 + [1] * 50)
    groups = np.concatenate([[0, 1], 2 + np.arange(50) // 5])
    for fold in grouped_folds(labels, groups, 5, seed):
        assert set(labels[fold.train]) == {0, 1}


def test_folds_are_about_as_large_and_hold_about_as_much_of_everybody() -> None:
    for fold in grouped_folds(LABELS, GROUPS, 5, 0):
        assert np.bincount(LABELS[fold.test], minlength=5).tolist() == [4] * 5


def test_a_group_of_two_photographers_stays_whole() -> None:
    groups = GROUPS.copy()
    groups[20:24] = groups[0]  # one picture is credited to both
    for fold in grouped_folds(LABELS, groups, 4, 0):
        assert not set(groups[fold.train]) & set(groups[fold.test])


def test_folds_follow_the_seed() -> None:
    def tests(seed: int) -> list[list[int]]:
        return [fold.test.tolist() for fold in grouped_folds(LABELS, GROUPS, 4, seed)]

    assert tests(1) == tests(1) != tests(2)


def test_random_folds_part_groups() -> None:
    assert any(set(GROUPS[fold.train]) & set(GROUPS[fold.test]) for fold in random_folds(LABELS, 4, 0))


def test_strangers_are_neither_learnt_nor_among_the_known_and_everybody_is_one_once() -> None:
    made = photographers_out(LABELS, grouped_folds(LABELS, GROUPS, 4, 0), 0)
    strangers = [set(LABELS[strange]) for _, strange in made]
    assert sorted(label for some in strangers for label in some) == [0, 1, 2, 3, 4]
    for (fold, strange), left_out in zip(made, strangers, strict=True):
        assert not left_out & set(LABELS[fold.train])
        assert not left_out & set(LABELS[fold.test])
        assert len(strange) == 20 * len(left_out)


def test_of_two_photographers_none_can_be_left_out() -> None:
    labels, groups = LABELS[:40], GROUPS[:40]
    assert photographers_out(labels, grouped_folds(labels, groups, 4, 0), 0) == []
