"""Trees over features and embedding answer beside the classifier's other answers, or not at all."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import workers.photographers.classifier.train
from search.errors import ModelError
from search.photographers.answers import Basis
from search.photographers.classifier.classifier import BY_TREES, NO_TREES, Classifier, PhotoVectors, Verdict
from search.photographers.classifier.model_files import TREES, read_manifest
from search.photographers.photos.dataset import PhotoSet
from search.photographers.photos.features import INDEX
from workers.photographers.classifier.model_writer import write_manifest
from workers.photographers.classifier.options import ClassifierOptions
from workers.photographers.classifier.train import TrainedClassifier, train

MakePhotos = Callable[..., PhotoSet]
GROWN = ClassifierOptions(threads=1, report=False)


def _loaded(folder: Path, photos: PhotoSet) -> Classifier:
    return Classifier.load(folder, photos.visual_space, photos.style_space)


def _asked(model: Classifier, photos: PhotoSet, at: int, evidence: Basis) -> Verdict:
    return model.predict(PhotoVectors(photos.features[at], photos.visual[at], photos.style[at]), evidence)


@pytest.fixture(scope="module")
def with_trees(
    quick_training: None, make_photos: MakePhotos, tmp_path_factory: pytest.TempPathFactory
) -> tuple[PhotoSet, TrainedClassifier]:
    """Photos of three photographers with a focal length each, and a model that has grown trees from them."""
    photos = make_photos(3, 3, 3, told=1.5)
    features = photos.features.copy()
    features[:, INDEX["focal_length_35mm"]] = 20.0 + np.unique(photos.names, return_inverse=True)[1]
    photos = replace(photos, features=features)
    return photos, train(photos, GROWN, tmp_path_factory.mktemp("grown") / "model")


def test_trees_answer_beside_the_others_where_facts_of_the_file_are_asked(
    with_trees: tuple[PhotoSet, TrainedClassifier],
) -> None:
    photos, result = with_trees
    model = _loaded(result.folder, photos)
    alone, asked = (_asked(model, photos, 0, evidence) for evidence in Basis)
    assert alone.by_trees is None
    assert asked.by_trees is not None
    assert asked.by_trees.candidates[0].photographer == photos.names[0]
    assert sum(one.probability for one in asked.by_trees.candidates) == pytest.approx(1)
    assert (asked.by_trees.calibrated, asked.by_trees.accuracy) == (True, None)
    assert asked.by_trees.note == BY_TREES


def test_a_model_without_trees_answers_without_them_and_a_loaded_one_imports_catboost_when_asked(
    with_trees: tuple[PhotoSet, TrainedClassifier], tmp_path: Path
) -> None:
    photos, result = with_trees
    folder = shutil.copytree(result.folder, tmp_path / "model")
    assert photos.style_space is not None
    spaces = [
        (one.name, one.model, one.revision, one.preprocessing, one.dim)
        for one in (photos.visual_space, photos.style_space)
    ]
    code = (
        "import sys; from pathlib import Path; from search.spaces import Space;"
        "from search.photographers.classifier.classifier import Classifier;"
        f"Classifier.load(Path({str(folder)!r}), *[Space(*one) for one in {spaces!r}]);"
        "print('catboost' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"
    facts = read_manifest(folder)
    (folder / TREES).unlink()
    write_manifest(folder, {name: facts[name] for name in facts.keys() - {"trees", "files", "versions", "format"}})
    old = _asked(_loaded(folder, photos), photos, 0, Basis.EVERYTHING)
    new = _asked(_loaded(result.folder, photos), photos, 0, Basis.EVERYTHING)
    assert old.by_trees is None
    assert set(old.notes) - set(new.notes) == {NO_TREES}
    assert replace(old, notes=new.notes) == replace(new, by_trees=None), "trees are never mixed with the other answers"


@pytest.mark.parametrize("damage", ["gone", "edited", "of another", "no trees"])
def test_damaged_trees_are_refused_in_words(
    with_trees: tuple[PhotoSet, TrainedClassifier], tmp_path: Path, damage: str
) -> None:
    photos, result = with_trees
    folder = shutil.copytree(result.folder, tmp_path / "model")
    file, facts = folder / TREES, read_manifest(folder)
    facts = {name: facts[name] for name in facts.keys() - {"files", "versions", "format"}}
    if damage == "gone":
        file.unlink()
    elif damage == "edited":
        file.write_bytes(file.read_bytes()[:-9] + b"something")
    elif damage == "of another":
        write_manifest(folder, facts | {"trees": facts["trees"] | {"present": [0, 1]}})
    else:
        file.write_bytes(b"no trees, but as the manifest says")
        write_manifest(folder, facts)
    with pytest.raises(ModelError, match=r"damaged.*trees\.cbm"):
        _asked(_loaded(folder, photos), photos, 0, Basis.EVERYTHING)


def test_equal_trainings_grow_equal_trees(with_trees: tuple[PhotoSet, TrainedClassifier], tmp_path: Path) -> None:
    photos, result = with_trees
    again = train(photos, GROWN, tmp_path / "again")
    first, second = (read_manifest(made.folder) for made in (result, again))
    assert first == second
    assert TREES in first["files"]


def test_no_trees_are_grown_for_many_photographers(
    with_trees: tuple[PhotoSet, TrainedClassifier], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers.photographers.classifier.train, "MOST_FOR_TREES", 2)
    result = train(with_trees[0], GROWN, tmp_path / "many")
    assert "No trees were grown: that is done for at most 2 photographers." in result.notes
    assert not (result.folder / TREES).exists()
