"""The report tells what is planted: how right, how sure, who is a stranger, and what leaks."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from search.evaluation.statistics import Estimate
from search.photographers.answers import Basis
from search.photographers.classifier.classifier import Classifier, PhotoVectors
from search.photographers.photos.dataset import PhotoSet
from workers.photographers.classifier import measure
from workers.photographers.classifier.fitting import ensemble
from workers.photographers.classifier.measure import STRANGERS
from workers.photographers.classifier.options import ClassifierOptions
from workers.photographers.classifier.train import train

MakePhotos = Callable[..., PhotoSet]
OPTIONS = ClassifierOptions(threads=1, trees=False)


def _report(photos: PhotoSet, folder: Path, options: ClassifierOptions = OPTIONS) -> dict[str, Any]:
    train(photos, options, folder)
    report: dict[str, Any] = json.loads((folder / "report.json").read_text("utf-8"))
    return report


def _check(report: dict[str, Any], name: str) -> dict[str, Any]:
    (found,) = [check for check in report["checks"] if check["name"] == name]
    return dict(found)


@pytest.fixture(scope="module", autouse=True)
def few_inner_folds(quick_training: None) -> Iterator[None]:
    """Models that are measured learn their weights and thresholds in two folds instead of four."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(ensemble, "INNER_FOLDS", 2)
        yield


@pytest.fixture
def few_folds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three folds instead of five, which ``clear`` has."""
    monkeypatch.setattr(measure, "FOLDS", 3)


@pytest.fixture(scope="module")
def clear_model(few_inner_folds: None, tmp_path_factory: pytest.TempPathFactory, make_photos: MakePhotos) -> Path:
    """Folder of a model, trees included, of six photographers who are easy to tell apart."""
    folder = tmp_path_factory.mktemp("clear") / "model"
    train(make_photos(6, told=1.5), replace(OPTIONS, trees=True), folder)
    return folder


@pytest.fixture(scope="module")
def clear(clear_model: Path) -> dict[str, Any]:
    """Its report."""
    report: dict[str, Any] = json.loads((clear_model / "report.json").read_text("utf-8"))
    return report


def test_beside_what_trees_say_stands_how_often_their_recipe_was_right(
    clear_model: Path, clear: dict[str, Any], make_photos: MakePhotos
) -> None:
    photos = make_photos(6, told=1.5)
    model = Classifier.load(clear_model, photos.visual_space, photos.style_space)
    asked = PhotoVectors(photos.features[0], photos.visual[0], photos.style[0])
    trees = model.predict(asked, Basis.EVERYTHING).by_trees
    assert trees is not None
    (row,) = [one for one in clear["ablation"] if one["name"] == "both"]
    assert trees.accuracy == Estimate(**row["accuracy"])
    assert f"{trees.accuracy.value:.1%} of the photos of new shoots" in trees.note


def test_easy_photographers_are_told_apart_and_the_interval_holds_the_value(clear: dict[str, Any]) -> None:
    for name in ("accuracy", "macro_f1"):
        figure = clear["product"][name]
        assert figure["value"] > 0.9
        assert figure["low"] <= figure["value"] <= figure["high"]
        assert figure["n"] == 120
    assert clear["top3"]["value"] >= clear["product"]["accuracy"]["value"]
    assert (clear["photos"], clear["photographers"], clear["groups"], clear["folds"]) == (120, 6, 30, 5)


def test_every_row_that_the_reference_names_is_there(clear: dict[str, Any]) -> None:
    assert [row["name"] for row in clear["simple"]] == ["features_trees", "embedding_linear", "both_linear"]
    names = [row["name"] for row in clear["ablation"]]
    assert names == ["features_trees", "picture_only", "embedding", "both"]
    assert all(row["lead"]["n"] == 120 for row in (*clear["simple"], *clear["ablation"]))
    assert clear["kept"]["name"] == "kept"
    assert clear["stripped"]["name"] == "stripped"


def test_the_confusion_counts_every_photo_once(clear: dict[str, Any]) -> None:
    counts = np.array(clear["confusion"]["counts"])
    assert counts.sum() == 120
    assert counts.trace() / 120 == pytest.approx(clear["product"]["accuracy"]["value"])
    assert sum(mistake["photos"] for mistake in clear["mistakes"]) == 120 - counts.trace()
    for at, strength in enumerate(clear["strengths"]):
        assert strength["recall"]["value"] == pytest.approx(counts[at, at] / counts[at].sum())
        assert strength["precision"]["value"] == pytest.approx(counts[at, at] / counts[:, at].sum())


def test_strangers_are_told_from_the_known(clear: dict[str, Any]) -> None:
    assert clear["open_set"]["auroc"]["value"] > 0.75
    assert STRANGERS not in clear["warnings"]


@pytest.mark.usefixtures("few_folds")
def test_strangers_who_look_like_anybody_are_said_aloud(make_photos: MakePhotos, tmp_path: Path) -> None:
    photos = make_photos(4, told=0.0)
    few = photos.take(
        np.flatnonzero(np.array([name != photos.names[0] for name in photos.names]) | (np.arange(len(photos)) < 10))
    )
    report = _report(few, tmp_path / "model")
    assert report["open_set"]["auroc"]["low"] <= 0.5
    assert STRANGERS in report["warnings"]
    assert report["chance"] == 20 / 70, "somebody has fewer photos than the others"


def test_probabilities_are_as_right_as_they_say(clear: dict[str, Any]) -> None:
    assert clear["ece"]["value"] < 0.15
    assert sum(one["n"] for one in clear["reliability"]) == 120


def test_clean_data_pass_every_check(clear: dict[str, Any]) -> None:
    assert [check["name"] for check in clear["checks"] if check["passed"] is False] == []
    assert [words for words in clear["warnings"] if "more often than" not in words] == []


@pytest.mark.usefixtures("few_folds")
def test_sessions_that_give_it_away_show_as_the_gap_between_random_and_grouped(
    make_photos: MakePhotos, tmp_path: Path
) -> None:
    report = _report(make_photos(4, told=0.0, session=2.0), tmp_path / "model")
    assert _check(report, "random_against_grouped_folds")["value"] > 0.3
    assert report["product"]["accuracy"]["low"] <= 0.3, "chance is .25"


@pytest.mark.usefixtures("few_folds")
def test_a_camera_that_gives_it_away_is_said_aloud(make_photos: MakePhotos, tmp_path: Path) -> None:
    photos = make_photos(4, told=0.0)
    features = photos.features.copy()
    features[:, 51] = 20.0 + np.unique(photos.names, return_inverse=True)[1]  # everybody has a focal length
    report = _report(replace(photos, features=features), tmp_path / "model")
    assert _check(report, "file_alone")["passed"] is False
    assert any("camera alone" in warning for warning in report["warnings"])
    assert report["kept"]["accuracy"]["value"] > 0.75
    assert report["stripped"]["accuracy"]["value"] < 0.5
    assert report["product"]["accuracy"] == report["stripped"]["accuracy"], "the picture's answer is the model's own"


def test_known_shoots_are_measured_apart_from_new_ones(make_photos: MakePhotos, tmp_path: Path) -> None:
    report = _report(make_photos(4, told=0.3, session=2.0), tmp_path / "model")
    assert report["known_shoots"]["accuracy"]["value"] > report["product"]["accuracy"]["value"] + 0.3
    assert report["known_shoots"]["accuracy"]["n"] == 80
    assert report["known_shoots"]["ece"]["value"] < 0.2
    not_shown = [words for words in report["warnings"] if "cannot be shown that this model is right more" in words]
    assert len(not_shown) == (report["lead"]["low"] <= 0)
    assert report["coverage"]["value"] > report["coverage_stated"] - 0.1


@pytest.mark.usefixtures("few_folds")
def test_twins_that_had_to_be_parted_are_seen(make_photos: MakePhotos, tmp_path: Path) -> None:
    photos = make_photos(2, 1, 6, told=1.0)
    visual = photos.visual.copy()
    visual[:6] = visual[0]  # one burst is all there is of the first photographer
    report = _report(replace(photos, visual=visual), tmp_path / "model")
    assert _check(report, "near_duplicates_across_folds")["passed"] is False
    assert any("figures about them are optimistic" in warning for warning in report["warnings"])


def test_shuffled_names_are_at_chance(clear: dict[str, Any]) -> None:
    check = _check(clear, "shuffled_names")
    assert check["value"] <= check["bound"] < 0.3


@pytest.mark.usefixtures("few_folds")
def test_two_photographers_of_three_photos_each_are_measured(make_photos: MakePhotos, tmp_path: Path) -> None:
    report = _report(make_photos(2, 1, 3, told=3.0), tmp_path / "model")
    assert report["open_set"] is None, "of two, none can be left out"
    assert report["product"]["accuracy"]["n"] == 6


@pytest.mark.usefixtures("few_folds")
def test_many_photographers_are_measured_without_trees(make_photos: MakePhotos, tmp_path: Path) -> None:
    report = _report(make_photos(70, 3, 1, told=3.0, session=0.1), tmp_path / "model")
    assert report["ablation"] == []
    assert [row["name"] for row in report["simple"]] == ["embedding_linear", "both_linear"]
    assert report["confusion"] is None
    assert report["product"]["accuracy"]["value"] > 0.5
