"""The pictures of the joint model: of the right photos, in their order, whatever has become of some files."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from search.errors import UsageError
from search.photographers.dataset import PhotoSet
from search.settings import Settings
from workers.training.order import PHOTOS, PICTURES
from workers.training.pictures import even_choice, gather

COLOURS = ("red", "lime", "blue")
RGB = np.array([(255, 0, 0), (0, 255, 0), (0, 0, 255)])


@pytest.fixture
def photos(make_media: Callable[..., Path], make_photos: Callable[..., PhotoSet]) -> PhotoSet:
    """Six photos, two of each colour."""
    root = make_media(each=2, colours=COLOURS)
    paths = tuple(str(root / colour / f"{colour}-{number}.png") for colour in COLOURS for number in range(2))
    return replace(make_photos(), paths=paths)


def test_pictures_come_in_the_order_of_their_photos(
    tmp_path: Path, make_settings: Callable[..., Settings], photos: PhotoSet
) -> None:
    photos.save(tmp_path / PHOTOS)
    assert gather(make_settings(), tmp_path, print, lambda: True) == ()
    pictures = np.load(tmp_path / PICTURES, mmap_mode="r")
    assert pictures.shape == (6, 224, 224, 3)
    np.testing.assert_allclose(pictures.mean(axis=(1, 2)), np.repeat(RGB, 2, axis=0), atol=2)
    assert PhotoSet.load(tmp_path / PHOTOS).ids == photos.ids


def test_files_that_are_gone_or_broken_are_left_out(
    tmp_path: Path, make_settings: Callable[..., Settings], photos: PhotoSet
) -> None:
    Path(photos.paths[0]).unlink()
    Path(photos.paths[3]).write_bytes(b"no picture")
    photos.save(tmp_path / PHOTOS)
    notes = gather(make_settings(), tmp_path, print, lambda: True)
    assert notes == ("2 photos were left out, whose files cannot be read now.",)
    assert PhotoSet.load(tmp_path / PHOTOS).ids == tuple(photos.ids[row] for row in (1, 2, 4, 5))
    pictures = np.load(tmp_path / PICTURES)
    np.testing.assert_allclose(pictures.mean(axis=(1, 2)), RGB[[0, 1, 2, 2]], atol=2)


def test_nothing_to_be_had_is_told(
    tmp_path: Path, make_settings: Callable[..., Settings], make_photos: Callable[..., PhotoSet]
) -> None:
    make_photos().save(tmp_path / PHOTOS)
    with pytest.raises(UsageError, match="None of the photos' files"):
        gather(make_settings(), tmp_path, print, lambda: True)


def test_it_stops_when_asked(tmp_path: Path, make_settings: Callable[..., Settings], photos: PhotoSet) -> None:
    photos.save(tmp_path / PHOTOS)
    assert gather(make_settings(), tmp_path, print, lambda: False) is None


def test_of_too_many_everybody_keeps_an_even_share(make_photos: Callable[..., PhotoSet]) -> None:
    names = ("Ada",) * 90 + ("Bo",) * 6 + (None,) * 4
    photos = replace(make_photos(count=100), names=names)
    chosen = even_choice(photos, 12)
    assert chosen == sorted(set(chosen))
    assert [sum(names[row] == name for row in chosen) for name in ("Ada", "Bo", None)] == [6, 6, 0]
    assert even_choice(photos, 12) == chosen
    assert even_choice(photos, 98)[-2:] == [row for row in even_choice(photos, 98) if names[row] is None]
    assert even_choice(photos, 1000) == list(range(100))
