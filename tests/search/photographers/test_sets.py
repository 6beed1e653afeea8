"""Several photos are judged together, and sets of names hold the right one as often as they say."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from search.photographers.aliases import renamed_verdict
from search.photographers.answers import Basis, PhotoEvidence
from search.photographers.classifier.classifier import NO_SETS, Classifier, PhotoVectors, Verdict
from search.photographers.photos.dataset import PhotoSet
from workers.photographers.classifier.fitting.conformal import fit_conformal
from workers.photographers.classifier.options import ClassifierOptions
from workers.photographers.classifier.train import train

MakePhotos = Callable[..., PhotoSet]


@pytest.fixture(scope="module")
def learnt(make_photos: MakePhotos) -> PhotoSet:
    """Six photographers in seven sessions: five are learnt from, in five sessions of theirs."""
    return make_photos(6, 7, told=1.0, seed=3)


@pytest.fixture(scope="module")
def folder(learnt: PhotoSet, tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("sets") / "model"
    train(learnt.take(np.flatnonzero(_known() & ~_held())), ClassifierOptions(trees=False, report=False), made)
    return made


def _known() -> np.ndarray:
    return np.arange(168) < 140


def _held() -> np.ndarray:
    return np.arange(168) % 28 >= 20


def _loaded(folder: Path, photos: PhotoSet) -> Classifier:
    return Classifier.load(folder, photos.visual_space, photos.style_space)


def _told(model: Classifier, photos: PhotoSet, at: int) -> Verdict:
    return model.predict(PhotoVectors(photos.features[at], photos.visual[at], photos.style[at]))


def _evidence(verdict: Verdict) -> PhotoEvidence:
    return PhotoEvidence({one.photographer: one.probability for one in verdict.candidates}, verdict.nearness)


def test_sets_by_one_of_ours_by_a_stranger_and_by_two_are_told(learnt: PhotoSet, folder: Path) -> None:
    model = _loaded(folder, learnt)
    told = [_evidence(_told(model, learnt, at)) for at in range(168)]
    held = [np.flatnonzero(_held() & (np.arange(168) // 28 == who)) for who in range(6)]
    for who in range(5):
        verdict = model.judge([told[at] for at in held[who]])
        assert verdict.verdict == "ours"
        assert verdict.candidates[0].photographer == f"photographer {who}"
        assert sum(one.probability for one in verdict.candidates) == pytest.approx(1)
        assert sum(verdict.verdicts.values()) == pytest.approx(1)
        assert verdict.probability == verdict.verdicts["ours"]
    assert model.judge([told[at] for at in range(140, 168)]).verdict == "nobody"
    both = model.judge([told[at] for at in (*held[0], *held[1])])
    assert both.verdict == "mixed", both


def test_one_photo_says_that_it_cannot_be_told_well_and_names_come_in_sets(learnt: PhotoSet, folder: Path) -> None:
    model = _loaded(folder, learnt)
    held = np.flatnonzero(_held() & _known())
    verdicts = [_told(model, learnt, int(at)) for at in held]
    for verdict in verdicts:
        assert "One photo alone cannot be told well" in verdict.notes[0]
        assert verdict.one_of == tuple(one.photographer for one in verdict.candidates[: len(verdict.one_of)])
        assert verdict.one_of
        assert verdict.coverage == 0.9
        assert verdict.threshold == pytest.approx(
            float(model._model.rules[Basis.PICTURE].threshold.at(np.array([max(verdict.nearness.values())]))[0])
        ), "nearness to anybody is the greatest to somebody"
    covered = np.mean([learnt.names[at] in v.one_of for at, v in zip(held, verdicts, strict=True)])
    assert covered > 0.75


def test_renamed_photographers_are_renamed_in_all_of_a_verdict(learnt: PhotoSet, folder: Path) -> None:
    verdict = _told(_loaded(folder, learnt), learnt, 0)
    merged = renamed_verdict(verdict, {"photographer 0": "photographer 1"})
    assert "photographer 0" not in {*merged.one_of, *merged.nearness}
    near = verdict.nearness
    assert merged.nearness["photographer 1"] == max(near["photographer 0"], near["photographer 1"])


def test_of_two_photographers_no_set_is_judged(make_photos: MakePhotos, tmp_path: Path) -> None:
    photos = make_photos(2, told=1.5)
    train(photos, ClassifierOptions(trees=False, report=False), tmp_path / "model")
    model = _loaded(tmp_path / "model", photos)
    judged = model.judge([_evidence(_told(model, photos, at)) for at in range(5)])
    assert (judged.verdict, judged.notes) == (None, (NO_SETS,))


@pytest.mark.parametrize("coverage", [0.8, 0.9])
def test_names_are_covered_as_often_as_stated_where_shoots_are_right_together(coverage: float) -> None:
    rng = np.random.default_rng(0)
    covered = []
    for _ in range(40):
        labels, groups = rng.integers(5, size=300), np.repeat(np.arange(60), 5)
        shoot = rng.normal(size=(60, 5))[groups]
        scores = np.eye(5)[labels] * 1.5 + shoot + 0.5 * rng.normal(size=(300, 5))
        probabilities = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
        rule = fit_conformal(probabilities[:150], labels[:150], groups[:150], coverage)
        held = rule.holds(probabilities[150:])
        assert held.any(axis=1).all()
        covered.append(held[np.arange(150), labels[150:]].mean())
    assert np.mean(covered) == pytest.approx(coverage, abs=0.04)


def test_too_few_shoots_for_the_coverage_put_every_name_into_the_set() -> None:
    probabilities = np.tile([0.7, 0.2, 0.1], (30, 1))
    rule = fit_conformal(probabilities, np.zeros(30, np.intp), np.repeat(np.arange(5), 6), 0.9)
    assert rule.holds(probabilities).all()
    assert (rule.photos, rule.shoots) == (30, 5)
