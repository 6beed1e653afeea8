"""Borders of pictures made by code: framed ones are cut where the frame ends, and unframed ones not at all."""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image, ImageDraw

from search.bounds import are_borders
from search.settings import Settings
from workers.decode.image.borders.find import LEAST_LEFT, find_borders, without_borders
from workers.decode.image.picture import decode_image
from workers.decode.sandbox.options import DecodeOptions

Picture = npt.NDArray[np.uint8]
NONE = (0.0, 0.0, 0.0, 0.0)
NEAR = 0.02
"""Share of a side that a border may be off by: two pixels of those that are looked at, and the round corners."""


def scene(width: int, height: int, seed: int, dark: bool = False) -> Picture:
    """Clouds of every scale, as photographs have them."""
    rng = np.random.default_rng(seed)
    mixed = np.zeros((height, width, 3))
    for octave, cells in enumerate((3, 8, 24, 64)):
        noise = Image.fromarray(rng.integers(0, 256, (cells, cells, 3), dtype=np.uint8))
        mixed += np.asarray(noise.resize((width, height), Image.Resampling.BICUBIC), float) / 2 ** (octave + 1)
    return np.clip(mixed * (0.4 if dark else 1.0) + 20, 0, 255).astype(np.uint8)


def framed(inner: Picture, borders: tuple[float, ...], colour: tuple[int, int, int]) -> Picture:
    """A picture within a frame whose sides are ``borders`` of the whole."""
    left, top, right, bottom = borders
    height, width = inner.shape[:2]
    whole_width, whole_height = round(width / (1 - left - right)), round(height / (1 - top - bottom))
    whole = np.full((whole_height, whole_width, 3), colour, np.uint8)
    x, y = round(left * whole_width), round(top * whole_height)
    whole[y : y + height, x : x + width] = inner
    return whole


def mounted(inner: Picture, share: float, seed: int) -> Picture:
    """A slide in its mount: dark and uneven, soft at its edge, with round corners and notches."""
    height, width = inner.shape[:2]
    rng = np.random.default_rng(seed)
    across, down = round(width * share / (1 - 2 * share)), round(height * share / (1 - 2 * share))
    mask = Image.new("L", (width + 2 * across, height + 2 * down), 0)
    box = (across, down, across + width - 1, down + height - 1)
    ImageDraw.Draw(mask).rounded_rectangle(box, radius=round(0.03 * width), fill=255)
    whole = rng.integers(6, 18, (mask.height, mask.width, 3)).astype(float)
    for notch in range(3):
        whole[4 : 4 + down // 3, across + 12 * notch : across + 12 * notch + 6] = 230
    filled = np.pad(inner, ((down, down), (across, across), (0, 0)), mode="edge")
    soft = np.asarray(mask.resize((mask.width // 2, mask.height // 2)).resize(mask.size), float)[..., None] / 255
    return (whole * (1 - soft) + filled * soft).astype(np.uint8)


def off(picture: Picture, borders: tuple[float, ...]) -> float:
    """Greatest error of the borders found; what is left of a border counts as much as what is lost of the picture."""
    return float(np.abs(np.subtract(find_borders(picture) or NONE, borders)).max())


@pytest.mark.parametrize(
    ("borders", "colour"),
    [
        ((0.0, 0.12, 0.0, 0.12), (0, 0, 0)),
        ((0.34, 0.0, 0.34, 0.0), (0, 0, 0)),
        ((0.05, 0.05, 0.05, 0.05), (255, 255, 255)),
        ((0.03, 0.08, 0.06, 0.15), (180, 20, 30)),
    ],
    ids=["letterbox", "portrait film", "white frame", "uneven frame"],
)
@pytest.mark.parametrize("seed", range(3))
def test_frames_are_found_where_they_end(borders: tuple[float, ...], colour: tuple[int, int, int], seed: int) -> None:
    assert off(framed(scene(600, 420, seed), borders, colour), borders) < NEAR


@pytest.mark.parametrize("share", [0.04, 0.08])
@pytest.mark.parametrize("size", [(150, 110), (900, 640)], ids=["thumbnail", "larger"])
def test_mounts_of_slides_are_found_uneven_and_soft_as_they_are(share: float, size: tuple[int, int]) -> None:
    errors = [off(mounted(scene(*size, seed), share, seed), (share,) * 4) for seed in range(4)]
    assert max(errors) < NEAR + 0.012, errors


def test_a_dark_picture_in_a_mount_is_not_cut_into() -> None:
    for seed in range(4):
        found = find_borders(mounted(scene(400, 280, seed, dark=True), 0.06, seed)) or NONE
        assert max(found) < 0.06 + NEAR + 0.012


def test_a_strip_with_a_caption_is_found_below() -> None:
    picture = framed(scene(500, 380, 1), (0.0, 0.0, 0.0, 0.07), (250, 250, 250))
    image = Image.fromarray(picture)
    ImageDraw.Draw(image).text((20, image.height - 20), "© somebody, somewhere, 2021", fill=(0, 0, 0))
    assert off(np.asarray(image), (0.0, 0.0, 0.0, 0.07)) < NEAR


def night() -> Picture:
    """Stars above a skyline."""
    rng = np.random.default_rng(0)
    picture = np.zeros((400, 600, 3), np.uint8)
    for x in range(0, 600, 20):
        picture[400 - int(rng.integers(30, 200)) :, x : x + 20] = rng.integers(20, 90, 3)
    picture[rng.integers(0, 180, 60), rng.integers(0, 600, 60)] = 255
    return picture


def product() -> Picture:
    """A vase before white."""
    image = Image.new("RGB", (500, 500), (255, 255, 255))
    ImageDraw.Draw(image).ellipse((120, 90, 380, 470), fill=(30, 90, 160))
    return np.asarray(image)


def before_black() -> Picture:
    """A box with straight sides before black, that leans a little."""
    image = Image.new("RGB", (500, 400), (2, 2, 3))
    ImageDraw.Draw(image).polygon([(60, 50), (440, 30), (455, 360), (70, 375)], fill=(200, 120, 40))
    return np.asarray(image)


def snow() -> Picture:
    """A white field below a white sky, and trees between."""
    picture = np.full((400, 600, 3), 250, np.uint8)
    rng = np.random.default_rng(3)
    for x in range(0, 600, 12):
        picture[150 + int(rng.integers(0, 25)) : 185 + int(rng.integers(0, 25)), x : x + 9] = rng.integers(20, 80, 3)
    return picture


def cloth() -> Picture:
    """Dark and rough all over, with something bright on it."""
    picture = np.random.default_rng(4).integers(0, 70, (400, 500, 3)).astype(np.uint8)
    picture[60:340, 70:430] = scene(360, 280, 4)
    return picture


@pytest.mark.parametrize("make", [night, product, before_black, snow, cloth, lambda: scene(600, 400, 5)])
def test_what_has_no_frame_is_not_cut(make: Callable[[], Picture]) -> None:
    assert find_borders(make()) is None


def test_a_picture_of_one_colour_or_of_a_few_pixels_has_no_borders() -> None:
    assert find_borders(np.zeros((300, 400, 3), np.uint8)) is None
    assert find_borders(framed(scene(20, 10, 0), (0.2,) * 4, (0, 0, 0))) is None


def test_more_than_the_stated_share_is_never_cut() -> None:
    picture = framed(scene(200, 150, 0), (0.3, 0.3, 0.3, 0.3), (0, 0, 0))  # a sixth of the area is picture
    assert find_borders(picture) is None
    assert LEAST_LEFT > 0.16


def decoded(picture: Picture, cut_borders: bool, settings: Settings):  # type: ignore[no-untyped-def]  # a Decoded
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "PNG")
    options = DecodeOptions.of(settings.model_copy(update={"cut_borders": cut_borders}))
    return decode_image(file, "picture.png", options)


def test_features_and_style_are_measured_within_and_content_of_the_whole(settings: Settings) -> None:
    inner = scene(600, 400, 7)
    picture = framed(inner, (0.1, 0.1, 0.1, 0.1), (0, 0, 0))
    cut, uncut, alone = (decoded(*given, settings) for given in ((picture, True), (picture, False), (inner, True)))
    assert are_borders(cut.borders)
    assert max(abs(share - 0.1) for share in cut.borders) < NEAR
    assert (uncut.borders, uncut.inner, alone.borders, alone.inner) == ((), None, (), None)
    assert (cut.crops == uncut.crops).all()
    assert (cut.whole == uncut.whole).all()
    assert (
        np.abs(cut.inner.astype(float) - alone.whole).mean() < 8 < np.abs(cut.whole.astype(float) - alone.whole).mean()
    )
    brightness = 4
    assert abs(cut.features[brightness] - alone.features[brightness]) < 1 < uncut.features[brightness] * 0.2
    assert cut.features[:4] != alone.features[:4]  # size and proportions are those of the file
    assert without_borders(Image.fromarray(picture), cut.borders).size[0] in range(580, 605)
