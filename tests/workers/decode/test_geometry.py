from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from workers.decode.image.geometry import PREVIEW_SIDE, crop, encode_preview, fit_preview, reduction


def torchvision_recipe(picture: Image.Image) -> np.ndarray:
    """``Resize(256)`` then ``CenterCrop(224)`` on a Pillow picture, written out."""
    width, height = picture.size
    resized = (256, int(256 * height / width)) if width <= height else (int(256 * width / height), 256)
    left, top = (round((side - 224) / 2.0) for side in resized)
    return np.asarray(picture.resize(resized, Image.Resampling.BILINEAR).crop((left, top, left + 224, top + 224)))


@pytest.mark.parametrize("size", [(320, 240), (240, 320), (256, 256), (333, 500), (31, 47), (1, 1), (1600, 90)])
def test_the_crop_is_what_torchvision_cuts(photo: Image.Image, size: tuple[int, int]) -> None:
    picture = photo.resize(size)
    difference = np.abs(crop(picture).astype(int) - torchvision_recipe(picture).astype(int))
    assert difference.max() <= 1


@pytest.mark.parametrize("size", [(1999, 3001), (2200, 1467), (3000, 4001)])
@pytest.mark.parametrize("factor", [2, 3, 4])
def test_shrinking_first_does_not_move_the_crop(photo: Image.Image, size: tuple[int, int], factor: int) -> None:
    picture = photo.resize(size, Image.Resampling.BICUBIC)
    difference = crop(picture.reduce(factor), size).astype(int) - torchvision_recipe(picture).astype(int)
    assert np.abs(difference).mean() < 0.5


def test_a_sliver_is_cropped_without_swelling() -> None:
    sliver = Image.new("RGB", (60_000, 2), (10, 20, 30))
    assert (crop(sliver) == (10, 20, 30)).all()


def test_cheap_shrinking_leaves_more_than_the_crop_needs() -> None:
    assert reduction(1279, 5000) == 1
    assert reduction(1280, 5000) == 2
    assert reduction(6000, 4000) == 6
    assert reduction(0, 4000) == 1


@pytest.mark.parametrize("size", [(4000, 3000), (100, 80), (3000, 1), (480, 480)])
def test_previews_fit(size: tuple[int, int]) -> None:
    preview = fit_preview(Image.new("RGB", size))
    assert max(preview.size) == min(PREVIEW_SIDE, max(size))
    with Image.open(io.BytesIO(encode_preview(preview))) as read:
        assert read.format == "WEBP"
        assert read.size == preview.size
