"""The classifier learns what is planted, says when it cannot know, and is kept and refused as it should be."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from search.errors import ModelError, SpaceMismatchError, UsageError
from search.photographers.answers import Basis, PhotoEvidence
from search.photographers.classifier.classifier import (
    NO_FEATURES,
    NO_FILE,
    NO_SETS,
    NO_STYLE,
    Classifier,
    PhotoVectors,
    Verdict,
)
from search.photographers.classifier.ensemble import FILE
from search.photographers.classifier.file_facts import FILE_FACTS
from search.photographers.classifier.model_files import read_out_of_fold
from search.photographers.photos.dataset import PhotoSet
from search.photographers.photos.features import FEATURES, INDEX
from search.photographers.photos.names import photographer_id
from workers.photographers.classifier.options import ClassifierOptions
from workers.photographers.classifier.progress import TrainingStoppedError
from workers.photographers.classifier.train import TrainedClassifier, train

MakePhotos = Callable[..., PhotoSet]
QUICK = ClassifierOptions(threads=1, trees=False, report=False)
pytestmark = pytest.mark.usefixtures("quick_training")


def _trained(
    photos: PhotoSet, folder: Path, options: ClassifierOptions = QUICK
) -> tuple[TrainedClassifier, Classifier]:
    result = train(photos, options, folder)
    return result, _loaded(result, photos)


def _right(model: Classifier, photos: PhotoSet) -> float:
    given = model.probabilities(photos).argmax(axis=1)
    return float(np.mean([model.names[at] == name for at, name in zip(given, photos.names, strict=True)]))


def _asked(model: Classifier, photos: PhotoSet, at: int, evidence: Basis = Basis.PICTURE) -> Verdict:
    return model.predict(PhotoVectors(photos.features[at], photos.visual[at], photos.style[at]), evidence)


@pytest.fixture(scope="module")
def planted(make_photos: MakePhotos) -> PhotoSet:
    """Photos of four photographers, which :func:`planted_model` has learnt."""
    return make_photos()


@pytest.fixture(scope="module")
def planted_model(
    quick_training: None, planted: PhotoSet, tmp_path_factory: pytest.TempPathFactory
) -> TrainedClassifier:
    """What changes its folder works on a copy."""
    return train(planted, QUICK, tmp_path_factory.mktemp("planted") / "model")


@pytest.fixture(scope="module")
def small_model(
    quick_training: None, make_photos: MakePhotos, tmp_path_factory: pytest.TempPathFactory
) -> TrainedClassifier:
    """Of two photographers with six photos each; what changes its folder works on a copy."""
    return train(make_photos(2, 3, 2), QUICK, tmp_path_factory.mktemp("small") / "model")


def _loaded(result: TrainedClassifier, photos: PhotoSet) -> Classifier:
    return Classifier.load(result.folder, photos.visual_space, photos.style_space)


@pytest.fixture(scope="module")
def halves() -> tuple[np.ndarray, np.ndarray]:
    """Sessions 0 to 2 of each of four photographers to learn from, 3 and 4 to test on."""
    session = np.repeat(np.arange(20), 4) % 5
    return np.flatnonzero(session < 3), np.flatnonzero(session >= 3)


def test_what_is_planted_is_found_in_unseen_sessions(
    make_photos: MakePhotos, halves: tuple[np.ndarray, np.ndarray], tmp_path: Path
) -> None:
    photos = make_photos(told=1.5)
    _, model = _trained(photos.take(halves[0]), tmp_path / "model")
    assert _right(model, photos.take(halves[1])) >= 0.9


def test_where_nothing_is_planted_little_is_claimed(
    make_photos: MakePhotos, halves: tuple[np.ndarray, np.ndarray], tmp_path: Path
) -> None:
    photos = make_photos(told=0.0, session=0.0)
    _, model = _trained(photos.take(halves[0]), tmp_path / "model")
    assert model.probabilities(photos.take(halves[1])).max(axis=1).mean() < 0.45, "chance is .25"


def test_style_and_subject_are_answered_side_by_side(make_photos: MakePhotos, tmp_path: Path) -> None:
    photos = make_photos(told=2.0)
    # The second half of the people shoot what those of the first half do, and develop it in their own way.
    visual = photos.visual.copy()
    visual[40:60], visual[60:80] = photos.visual[:20], photos.visual[20:40]
    _, model = _trained(replace(photos, visual=visual), tmp_path / "model")
    verdict = model.predict(PhotoVectors(photos.features[40], photos.visual[0], photos.style[40]))
    assert verdict.by_style[0].photographer == photos.names[40]
    assert {verdict.by_subject[0].photographer, verdict.by_subject[1].photographer} == {
        photos.names[0],
        photos.names[40],
    }
    assert sum(candidate.probability for candidate in verdict.candidates) == pytest.approx(1)


def test_a_verdict_names_everybody_once_most_probable_first(
    planted: PhotoSet, planted_model: TrainedClassifier
) -> None:
    photos, result = planted, planted_model
    verdict = _asked(_loaded(result, photos), photos, 0)
    probabilities = [candidate.probability for candidate in verdict.candidates]
    assert probabilities == sorted(probabilities, reverse=True)
    assert sorted(candidate.photographer for candidate in verdict.candidates) == list(result.photographers)
    assert all(candidate.id == photographer_id(candidate.photographer) for candidate in verdict.candidates)
    assert verdict.unknown == (probabilities[0] < verdict.threshold)
    assert 0 < verdict.threshold < result.threshold, "it has learnt from this photo"


def test_reasons_come_in_order_of_weight_with_the_vectors_as_one_each(make_photos: MakePhotos, tmp_path: Path) -> None:
    photos = make_photos(told=2.0)
    _, model = _trained(photos, tmp_path / "model")
    reasons = _asked(model, photos, 0).reasons
    weights = [abs(reason.weight) for reason in reasons]
    assert weights == sorted(weights, reverse=True)
    assert reasons
    assert len({reason.feature for reason in reasons}) == len(reasons)
    own = photos.features[[name == photos.names[0] for name in photos.names]]
    for reason in reasons:
        assert reason.words
        if reason.value is not None and reason.typical is not None:
            assert reason.typical == pytest.approx(float(np.median(own[:, INDEX[reason.feature]])))


def test_the_same_seed_gives_the_same_model(
    planted: PhotoSet, planted_model: TrainedClassifier, tmp_path: Path
) -> None:
    one = _loaded(planted_model, planted)
    again, other = _trained(planted, tmp_path / "other")
    np.testing.assert_array_equal(one.probabilities(planted), other.probabilities(planted))
    first, second = (json.loads((made.folder / "manifest.json").read_text()) for made in (planted_model, again))
    assert first == second


def test_what_was_said_out_of_fold_is_kept(make_photos: MakePhotos, tmp_path: Path) -> None:
    photos = make_photos(told=1.5)
    _trained(photos, tmp_path / "model")
    said = read_out_of_fold(tmp_path / "model")
    assert set(said.rows) == set(photos.ids)
    given = np.stack([said.rows[identity] for identity in photos.ids])
    np.testing.assert_allclose(given.sum(axis=1), 1, rtol=1e-5)
    assert np.mean([said.names[at] == name for at, name in zip(given.argmax(1), photos.names, strict=True)]) > 0.7


def test_a_photo_without_style_or_features_is_answered_with_a_note(
    planted: PhotoSet, planted_model: TrainedClassifier
) -> None:
    model = _loaded(planted_model, planted)
    verdict = model.predict(PhotoVectors(np.full(78, np.nan, np.float32), planted.visual[0]))
    assert verdict.notes[1:] == (NO_STYLE, NO_FEATURES, NO_FILE)
    assert verdict.by_file == ()
    assert all(np.isfinite(candidate.probability) for candidate in verdict.candidates)


def test_a_library_without_style_trains_too(make_photos: MakePhotos, tmp_path: Path) -> None:
    photos = make_photos(told=1.5)
    plain = replace(photos, style=np.empty((len(photos), 0), np.float32), style_space=None)
    _, model = _trained(plain, tmp_path / "model")
    assert _right(model, plain) > 0.9
    verdict = model.predict(PhotoVectors(plain.features[0], plain.visual[0]))
    assert verdict.candidates
    told = PhotoEvidence({one.photographer: one.probability for one in verdict.candidates}, verdict.nearness)
    assert model.judge([told, told]).notes == (NO_SETS,)


@pytest.fixture(scope="module")
def with_cameras(make_photos: MakePhotos) -> PhotoSet:
    """Everybody has a focal length of their own, and little else."""
    photos = make_photos(told=0.4)
    features = photos.features.copy()
    features[:, INDEX["focal_length_35mm"]] = 20.0 + np.unique(photos.names, return_inverse=True)[1]
    return replace(photos, features=features)


@pytest.fixture(scope="module")
def camera_model(with_cameras: PhotoSet, tmp_path_factory: pytest.TempPathFactory) -> Classifier:
    return _trained(with_cameras, tmp_path_factory.mktemp("cameras") / "model")[1]


def test_what_the_file_says_never_changes_the_answer_by_the_picture(
    with_cameras: PhotoSet, camera_model: Classifier
) -> None:
    photos, model = with_cameras, camera_model
    other = photos.features.copy()
    other[:, FILE_FACTS] = other[::-1][:, FILE_FACTS]
    changed = replace(photos, features=other)
    np.testing.assert_array_equal(model.probabilities(photos), model.probabilities(changed))
    one, two = _asked(model, photos, 0), _asked(model, changed, 0)
    assert (one.candidates, one.reasons, one.unknown) == (two.candidates, two.reasons, two.unknown)
    assert one.by_file != two.by_file
    facts = {FEATURES[at].name for at in FILE_FACTS}
    assert not facts & {reason.feature for reason in one.reasons}


def test_file_and_camera_answer_beside_the_picture_and_with_it_when_asked(
    with_cameras: PhotoSet, camera_model: Classifier
) -> None:
    photos, model = with_cameras, camera_model
    truth = np.array([model.names.index(name) for name in photos.names if name is not None])
    assert (model.probabilities(photos, FILE).argmax(axis=1) == truth).mean() > 0.95
    assert (model.probabilities(photos, Basis.EVERYTHING).argmax(axis=1) == truth).mean() > 0.95
    verdict = _asked(model, photos, 0, Basis.EVERYTHING)
    assert verdict.by_file[0].photographer == verdict.candidates[0].photographer == photos.names[0]
    assert "focal_length_35mm" in {reason.feature for reason in verdict.reasons}


def test_a_copy_without_its_tags_is_nobodys_by_file_and_the_pictures_with_everything(
    with_cameras: PhotoSet, camera_model: Classifier
) -> None:
    stripped = with_cameras.features.copy()
    stripped[:, FILE_FACTS] = np.nan
    photos = replace(with_cameras, features=stripped)
    np.testing.assert_allclose(
        camera_model.probabilities(photos, Basis.EVERYTHING), camera_model.probabilities(photos), atol=1e-12
    )
    np.testing.assert_allclose(camera_model.probabilities(photos, FILE), 1 / 4, atol=1e-6)


def test_facts_that_give_photographers_away_stand_beside_each_prediction(
    with_cameras: PhotoSet, camera_model: Classifier
) -> None:
    checks = {check.name: check for check in _asked(camera_model, with_cameras, 0).checks}
    assert checks["file_alone"].passed is False
    assert checks["file_alone"].value > 0.9
    assert checks["geometry_alone"].value < 0.5


@pytest.mark.parametrize("changed", ["visual", "style"])
def test_a_model_of_another_space_is_refused(planted: PhotoSet, planted_model: TrainedClassifier, changed: str) -> None:
    assert planted.style_space is not None
    spaces = {"visual": planted.visual_space, "style": planted.style_space}
    spaces[changed] = replace(spaces[changed], revision="2")
    with pytest.raises(SpaceMismatchError, match=f"'{changed}'.*train"):
        Classifier.load(planted_model.folder, **spaces)
    with pytest.raises(SpaceMismatchError, match="there is none now"):
        Classifier.load(planted_model.folder, planted.visual_space, None)


@pytest.mark.parametrize("name", ["manifest.json", "arrays.npz", "out_of_fold.npz"])
@pytest.mark.parametrize("damage", ["gone", "cut", "edited"])
def test_a_damaged_model_is_said_to_be(
    planted: PhotoSet, small_model: TrainedClassifier, tmp_path: Path, name: str, damage: str
) -> None:
    file = shutil.copytree(small_model.folder, tmp_path / "model") / name
    whole = file.read_bytes()
    if damage == "gone":
        file.unlink()
    else:
        file.write_bytes(whole[: len(whole) // 2] if damage == "cut" else whole[:-9] + b"something")
    with pytest.raises(ModelError, match="damaged"):
        Classifier.load(tmp_path / "model", planted.visual_space, planted.style_space)


def test_names_never_become_file_names(make_photos: MakePhotos, tmp_path: Path) -> None:
    names = ("<script>alert(1)</script>", "../../x", "a\0b")
    photos = make_photos(3, 3, 2, names=names)
    result, model = _trained(photos, tmp_path / "in" / "model")
    assert model.names == tuple(sorted(names)) == result.photographers
    files = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()}
    assert files == {f"in/model/{name}" for name in ("manifest.json", "arrays.npz", "out_of_fold.npz")}


def test_it_says_what_it_does_and_stops_when_told(planted: PhotoSet, tmp_path: Path) -> None:
    said, left = list[str](), iter([True] * 40)
    with pytest.raises(TrainingStoppedError):
        train(planted, QUICK, tmp_path / "stopped", said.append, lambda: next(left, False))
    assert any("4 photographers" in text for text in said)
    assert not (tmp_path / "stopped" / "manifest.json").exists()


@pytest.mark.parametrize(
    ("counts", "words"),
    [((), "None of the 8 pictures"), ((8,), "among 1 credited, one has"), ((6, 2), "among 2 credited, one has")],
)
def test_too_little_to_learn_from_is_said_in_words(
    make_photos: MakePhotos, tmp_path: Path, counts: tuple[int, ...], words: str
) -> None:
    names = [f"p{at}" for at, count in enumerate(counts) for _ in range(count)]
    photos = replace(make_photos(1, 2, 4), names=(*names, *[None] * (8 - len(names))))
    with pytest.raises(UsageError, match=words) as caught:
        train(photos, QUICK, tmp_path / "model")
    assert "likewise photographers label" in caught.value.hint


def test_three_photos_each_are_enough(make_photos: MakePhotos, tmp_path: Path) -> None:
    photos = make_photos(2, 1, 3, told=3.0)
    result, model = _trained(photos, tmp_path / "model")
    assert any("fewer than 3 sessions" in note for note in result.notes)
    assert _right(model, photos) == 1


def test_photographers_with_too_few_photos_are_left_out_and_said(make_photos: MakePhotos, tmp_path: Path) -> None:
    photos = make_photos(3, 3, 3)
    names = ("two", "two", *photos.names[2:])
    result, model = _trained(replace(photos, names=names), tmp_path / "model")
    assert "two" not in model.names
    assert any("Left out for fewer than 3 photos: 1 of " in note for note in result.notes)


def test_one_photographer_with_nearly_all_photos_is_said(make_photos: MakePhotos, tmp_path: Path) -> None:
    photos = make_photos(2, 75, 4, told=1.0)
    kept = np.concatenate([np.arange(300), np.arange(300, 600, 100)])
    result, model = _trained(photos.take(kept), tmp_path / "model")
    assert any("macro F1" in note for note in result.notes)
    given = model.probabilities(photos.take(np.arange(300)))
    assert (given[:, 0] > 0.5).mean() > 0.9


def test_black_pictures_are_learnt_without_a_crash(make_photos: MakePhotos, tmp_path: Path) -> None:
    photos = make_photos(3, 3, 3)
    black = replace(
        photos,
        features=np.full_like(photos.features, np.nan),
        visual=np.repeat(photos.visual[:1], len(photos), axis=0),
        style=np.repeat(photos.style[:1], len(photos), axis=0),
    )
    result, model = _trained(black, tmp_path / "model")
    np.testing.assert_allclose(model.probabilities(black), 1 / 3, atol=0.05)
    assert any("features of these photos are not there" in note for note in result.notes)
    assert _asked(model, black, 0).reasons == ()


def test_hundreds_of_photographers_are_told_apart(make_photos: MakePhotos, tmp_path: Path) -> None:
    photos = make_photos(500, 3, 1, told=3.0, session=0.1)
    _, model = _trained(photos, tmp_path / "model")
    assert _right(model, photos) > 0.5
