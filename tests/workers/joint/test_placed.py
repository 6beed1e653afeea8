"""Somebody placed in a photographer space stays there, and nobody else moves."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from search.errors import ModelError, UsageError
from search.photographers.folded_in import FOLDED_IN
from search.photographers.photos.names import photographer_id
from search.photographers.space import PhotographerSpace
from workers.photographers.joint.fold_in import place

HOSTILE = "../../x<script>\ud800"
"""Half a character among them, which no encoding of files would take."""


@pytest.fixture
def folder(world: Any, tmp_path: Path) -> Path:
    return Path(shutil.copytree(world.result.folder, tmp_path / "space"))


@pytest.fixture
def somebody(strangers: Any) -> tuple[str, Any]:
    """Of whom they develop like, and their pictures."""
    name: str = next(iter(strangers))
    return name, strangers[name]


def test_they_are_known_from_then_on(folder: Path, somebody: tuple[str, Any]) -> None:
    before = PhotographerSpace.load(folder)
    like, pictures = somebody
    folded = place(folder, HOSTILE, pictures)
    after = PhotographerSpace.load(folder)
    assert after.names == (*before.names, HOSTILE)
    assert after.trained == before.names
    np.testing.assert_array_equal(after.vectors[:-1], before.vectors)
    np.testing.assert_allclose(after.vector(photographer_id(HOSTILE)), folded.vector)
    assert after.similar(HOSTILE)[0].name == like
    assert HOSTILE in {one.name for one in after.similar(like)}
    (spot,) = [spot for spot in after.chart().spots if spot.name == HOSTILE]
    assert spot.photos == len(pictures)
    assert set(spot.path) == {spot.at}, "they had no way there"


def test_placed_again_they_are_there_once(folder: Path, somebody: tuple[str, Any]) -> None:
    _, pictures = somebody
    place(folder, "Ada", pictures)
    place(folder, "Ada", pictures[:3])
    space = PhotographerSpace.load(folder)
    assert space.folded_in == 1
    assert space.photos[-1] == 3


def test_black_pictures_place_nobody(folder: Path) -> None:
    with pytest.raises(UsageError, match="without a photo"):
        place(folder, "Ada", np.zeros((3, 224, 224, 3), np.uint8))
    assert not (folder / FOLDED_IN).exists()


@pytest.mark.parametrize(
    "content", ["{", '[{"name": "Ada"}]', '[{"name": "Ada", "photos": 1, "vector": [1, 2, 3, 4]}]']
)
def test_a_damaged_file_is_told(folder: Path, content: str) -> None:
    (folder / FOLDED_IN).write_text(content)
    with pytest.raises(ModelError):
        PhotographerSpace.load(folder)
