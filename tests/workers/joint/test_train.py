from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from search.errors import ModelError, NotFoundError, SpaceMismatchError, UsageError
from search.photographers.photos.names import photographer_id
from search.photographers.space import MANIFEST, WEIGHTS, PhotographerSpace
from workers.photographers.joint.fold_in import fold_in
from workers.photographers.joint.options import CODE, JointOptions
from workers.photographers.joint.pictures import Pictures
from workers.photographers.joint.train import StoppedError, train

BRIEF = JointOptions(epochs=1, autoencoder_epochs=1, repeats=0)


def test_a_run_leaves_vectors_codes_weights_plots_and_logs(world: Any) -> None:
    folder = world.result.folder
    assert {"manifest.json", "vectors.npz", "codes.npz", "weights.npz"} <= set(world.result.files)
    assert all((folder / name).is_file() for name in world.result.files)
    assert any("events.out.tfevents" in name for name in world.result.files)
    space = PhotographerSpace.load(folder)
    assert set(space.names) == set(world.photos.names)
    assert space.vectors.shape == (4, 3)
    assert (space.frames[-1] == space.vectors).all()
    assert space.steps[-1] == world.result.report.steps
    assert set(np.diff(space.steps)) == {200}
    assert len(space.code_chart().spots) == 48
    assert space.report == world.result.report
    assert len(space.random_frames) == len(space.random_steps) > 2
    gaps = [float(np.linalg.norm(frame - space.vectors)) for frame in space.random_frames]
    assert gaps[-1] < 0.5 * gaps[0]
    assert "plots/settling-from-random.html" in world.result.files
    assert space.report.held_out == 16  # 30 % of twelve, rounded up, of each of four


def test_the_right_vector_foretells_better_than_the_wrong_ones(world: Any) -> None:
    report = world.result.report
    assert report.errors.ratio > 3
    assert report.errors.right.low <= report.errors.right.value <= report.errors.right.high
    assert report.agreement > 0.8  # of vectors that were learnt from random ones
    assert report.random_agreement is None  # there is but one
    assert any("circular" in line for line in world.said)


def test_somebody_new_is_placed_beside_whom_they_develop_like(world: Any, strangers: Any) -> None:
    before = (world.result.folder / WEIGHTS).read_bytes()
    for name, pictures in strangers.items():
        found = fold_in(world.result.folder, pictures)
        assert found.similar[0].name == name
        assert found.similar[0].by == "joint"
        assert len(found.similar) == 4
    assert (world.result.folder / WEIGHTS).read_bytes() == before


def test_the_same_photos_are_placed_at_the_same_place(world: Any, strangers: Any) -> None:
    pictures = next(iter(strangers.values()))
    first, second = (fold_in(world.result.folder, pictures).vector for _ in range(2))
    assert (first == second).all()


def test_nobody_is_placed_without_a_photo(world: Any) -> None:
    with pytest.raises(UsageError, match="without a photo"):
        fold_in(world.result.folder, np.empty((0, 224, 224, 3), np.uint8))


def test_a_space_of_other_statistics_is_refused(world: Any, tmp_path: Path) -> None:
    for name in world.result.files:
        if "/" not in name:
            (tmp_path / name).write_bytes((world.result.folder / name).read_bytes())
    manifest = json.loads((tmp_path / MANIFEST).read_text())
    manifest["report"]["fingerprint"] = "0" * 16
    (tmp_path / MANIFEST).write_text(json.dumps(manifest))
    with pytest.raises(SpaceMismatchError, match="Train it again"):
        fold_in(tmp_path, world.pictures[:2])


def test_similarity_is_the_share_of_pairs_that_are_farther_apart(world: Any) -> None:
    space = PhotographerSpace.load(world.result.folder)
    found = space.similar("../../x")
    assert [alike.name for alike in found if alike.name == "../../x"] == []
    assert len(found) == 3
    assert [alike.similarity for alike in found] == sorted((alike.similarity for alike in found), reverse=True)
    assert all(0 < alike.similarity < 1 for alike in found)
    assert found == space.similar(photographer_id("../../x"))
    with pytest.raises(NotFoundError):
        space.vector("nobody")


def test_names_lead_nowhere_and_are_shown_as_text(world: Any) -> None:
    folder = world.result.folder
    assert {path.name for path in folder.parent.iterdir()} == {folder.name}
    assert not any("script" in name or ".." in name for name in world.result.files)
    for page in (folder / "plots").glob("*.html"):
        text = page.read_text("utf-8")
        assert "alert(1)" in text, page.name
        assert "<script>alert" not in text
        assert "\\u003cscript\\u003ealert" not in text  # plotly would read that as markup
        assert "<script src=" not in text
    labels = next(folder.rglob("metadata.tsv")).read_text("utf-8").splitlines()
    assert len(labels) == 4
    assert not any("\t" in label for label in labels)


@pytest.mark.parametrize(
    ("names", "words"),
    [
        ((None,) * 6, "credited to anybody"),
        (("Ann",) * 6, "there is one"),
        (("Ann", "Ann", "Ben", "Ben", "Cid", "Cid"), "there is none"),
    ],
)
def test_too_few_photographers_are_refused_in_words(
    names: tuple[str | None, ...], words: str, make_photos: Any, tmp_path: Path
) -> None:
    pictures = np.full((6, 224, 224, 3), 90, np.uint8)
    with pytest.raises(UsageError, match=words):
        train(tmp_path, make_photos(names), pictures, BRIEF)
    assert not (tmp_path / MANIFEST).exists()


def test_all_black_pictures_are_left_out_and_refused_when_there_are_no_others(make_photos: Any, tmp_path: Path) -> None:
    photos = make_photos(("Ann",) * 3 + ("Ben",) * 3)
    with pytest.raises(UsageError, match="usable photos"):
        train(tmp_path, photos, np.zeros((6, 224, 224, 3), np.uint8), BRIEF, lambda line: None)


@pytest.mark.usefixtures("hasty")
def test_three_plain_photos_each_are_enough(make_photos: Any, tmp_path: Path) -> None:
    """Two photographers, nothing but one gray each: no variance within, and no crash."""
    pictures = np.repeat(np.array([60, 200], np.uint8), 3)[:, None, None, None] * np.ones((1, 224, 224, 3), np.uint8)
    made = train(tmp_path, make_photos(("Ann",) * 3 + ("Ben",) * 3), pictures, BRIEF, lambda line: None)
    assert made.report.photographers == 2
    assert np.isfinite(PhotographerSpace.load(tmp_path).vectors).all()
    assert any("few" in note for note in made.report.notes)


@pytest.mark.usefixtures("hasty")
def test_five_hundred_photographers_of_three_photos_each(
    make_photos: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """From the photos to the files; only looking at 1,500 pictures is spared."""
    owners = np.repeat(np.arange(500), 3)
    shifts = np.random.default_rng(0).standard_normal((500, 6))

    def extract(pictures: Pictures, *told: object) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        rows = shifts[owners] + 0.1 * np.random.default_rng(1).standard_normal((len(owners), 6))
        return rows[:, :4].astype(np.float32), rows.astype(np.float32)

    monkeypatch.setattr("workers.photographers.joint.train.extract", extract)
    monkeypatch.setattr("workers.photographers.joint.train.open_reader", lambda: lambda statistics: statistics)
    monkeypatch.setattr(
        "workers.photographers.joint.train.codes_of", lambda *told: np.zeros((len(owners), CODE), np.float32)
    )
    monkeypatch.setattr("workers.photographers.joint.autoencoder.BATCH", 4)
    monkeypatch.setattr("workers.photographers.joint.train._AUTOENCODER_SHARE", 1e-9)
    pictures = np.broadcast_to(np.full((1, 1, 1, 1), 90, np.uint8), (1500, 224, 224, 3))
    names = [f"Photographer {owner}" for owner in owners]
    made = train(tmp_path, make_photos(names), pictures, BRIEF, lambda line: None)
    space = PhotographerSpace.load(tmp_path)
    assert made.report.photographers == len(space.names) == 500
    assert space.vectors.shape == (500, 3)
    assert np.isfinite(space.vectors).all()
    assert len(space.similar("Photographer 7", 10)) == 10
    assert len(space.chart().spots) == 500


@pytest.mark.usefixtures("hasty")
def test_a_training_that_is_told_to_stop_leaves_nothing_that_looks_complete(world: Any, tmp_path: Path) -> None:
    with pytest.raises(StoppedError):
        train(tmp_path, world.photos, world.pictures, BRIEF, lambda line: None, lambda: False)
    with pytest.raises(ModelError):
        PhotographerSpace.load(tmp_path)


@pytest.mark.usefixtures("hasty")
def test_a_training_out_of_time_ends_with_what_it_has(world: Any, tmp_path: Path) -> None:
    made = train(tmp_path, world.photos, world.pictures, replace(BRIEF, seconds=0.01), lambda line: None)
    assert any("time was up" in note and "vectors" in note for note in made.report.notes)
    short = {phase.name: phase.cut_short for phase in made.report.phases}
    assert [name for name, was_cut in short.items() if was_cut] == [
        "autoencoder", "vectors", "published set-up", "published set-up on clusters",
    ]  # fmt: skip
    assert made.report.agreement is None  # nothing is compared that was not learnt to its end
    assert PhotographerSpace.load(tmp_path).vectors.shape == (4, 3)


@pytest.mark.parametrize(
    "wrong", [{"dimensions": 0}, {"held_out": 1.0}, {"epochs": 0}, {"seconds": 0.0}, {"repeats": -1}]
)
def test_impossible_options_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        JointOptions(**wrong)
