"""The photos that the joint model looks at: of the right people, in order, with their pictures."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from search.photographers.photos.dataset import PhotoSet
from search.settings import Settings
from workers.storage.previews import Previews
from workers.training.pictures import even_choice, gather_pictures
from workers.training.request import PHOTOS, PICTURES

RGB = np.array([(255, 0, 0), (0, 255, 0), (0, 0, 255), (90, 90, 90)])
NAMES = ("Ada", None, "Bo", "Ada")


@pytest.fixture
def photos(tmp_path: Path, make_settings: Callable[..., Settings], make_photos: Callable[..., PhotoSet]) -> PhotoSet:
    """Four photos in plain colours, one of them nobody's."""
    made = make_photos(count=4)
    scratch = tmp_path / "preview.webp"
    webp = {}
    for id_, colour in zip(made.ids, RGB, strict=True):
        Image.new("RGB", (64, 48), tuple(colour.tolist())).save(scratch, lossless=True)
        webp[id_] = scratch.read_bytes()
    keys = Previews(make_settings()).save(webp)
    return replace(made, names=NAMES, thumbnails=tuple(keys[id_] for id_ in made.ids))


def test_pictures_are_those_of_the_photos_that_are_credited(
    tmp_path: Path, make_settings: Callable[..., Settings], photos: PhotoSet
) -> None:
    photos.save(tmp_path / PHOTOS)
    assert gather_pictures(make_settings(), tmp_path, print, lambda: True) == ()
    assert PhotoSet.load(tmp_path / PHOTOS).ids == tuple(photos.ids[row] for row in (0, 2, 3))
    pictures = np.load(tmp_path / PICTURES, mmap_mode="r")
    assert pictures.shape == (3, 224, 224, 3)
    np.testing.assert_allclose(pictures.mean(axis=(1, 2)), RGB[[0, 2, 3]], atol=3)


def test_of_too_many_some_are_left_out_and_that_is_said(
    tmp_path: Path, make_settings: Callable[..., Settings], photos: PhotoSet
) -> None:
    photos.save(tmp_path / PHOTOS)
    notes = gather_pictures(make_settings(), tmp_path, print, lambda: True, most=2)
    assert notes == ("1 photos were left out: 2 are looked at, an even share of each.",)
    assert sorted(filter(None, PhotoSet.load(tmp_path / PHOTOS).names)) == ["Ada", "Bo"]
    assert len(np.load(tmp_path / PICTURES, mmap_mode="r")) == 2


def test_it_stops_when_asked(tmp_path: Path, make_settings: Callable[..., Settings], photos: PhotoSet) -> None:
    photos.save(tmp_path / PHOTOS)
    assert gather_pictures(make_settings(), tmp_path, print, lambda: False) is None


def test_of_too_many_everybody_keeps_an_even_share() -> None:
    names = ("Ada",) * 90 + ("Bo",) * 6 + (None,) * 4
    chosen = even_choice(names, 12)
    assert chosen == sorted(set(chosen))
    assert [sum(names[row] == name for row in chosen) for name in ("Ada", "Bo", None)] == [6, 6, 0]
    assert even_choice(names, 12) == chosen
    assert even_choice(names, 1000) == list(range(96))
