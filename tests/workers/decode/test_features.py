"""Every feature of pictures whose value is known by construction."""

from __future__ import annotations

import io
import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest
from PIL import ExifTags, Image

from search.photographers.photos.features import FEATURE_NAMES, FEATURES, INDEX, MOST_PIXELS, PICTURE_ONLY
from workers.decode.image.handcrafted.measure import frame_of, measure, reframed
from workers.decode.image.handcrafted.pixels import shrink, shrink_by_whole
from workers.decode.image.handcrafted.shot import shot_features

Rgb = npt.NDArray[np.uint8]
_Base, _Ifd = ExifTags.Base, ExifTags.IFD


def flat(red: int, green: int, blue: int, side: int = 96) -> Rgb:
    return np.full((side, side, 3), (red, green, blue), np.uint8)


def gray(levels: npt.NDArray[np.generic]) -> Rgb:
    return np.repeat(np.asarray(levels, np.uint8)[..., None], 3, axis=2)


def beside(*parts: Rgb) -> Rgb:
    return np.concatenate(parts, axis=1)


def above(*parts: Rgb) -> Rgb:
    return np.concatenate(parts, axis=0)


def with_square(start: int, end: int, side: int = 120) -> Rgb:
    """A white square on black."""
    picture = np.zeros((side, side, 3), np.uint8)
    picture[start:end, start:end] = 255
    return picture


def grain(deviation: float, seed: int = 1, side: int = 256) -> Rgb:
    noise = np.random.default_rng(seed).normal(128, deviation, (side, side))
    return gray(noise.round().clip(0, 255))


def noisy_at(row: slice, column: slice, side: int = 120) -> Rgb:
    """Middle gray with noise in one place."""
    levels = np.full((side, side), 128.0)
    levels[row, column] = np.random.default_rng(2).integers(0, 256, (side, side))[row, column]
    return gray(levels)


def streaked(length: int) -> Rgb:
    """Noise that has moved along its rows."""
    noise = np.random.default_rng(3).integers(0, 256, (128, 128 + length)).astype(float)
    moved = np.cumsum(noise, axis=1)
    return gray((moved[:, length:] - moved[:, :-length]) / length)


BLACK, WHITE, MIDDLE = flat(0, 0, 0), flat(255, 255, 255), flat(128, 128, 128)
RED, GREEN, BLUE, CYAN = flat(255, 0, 0), flat(0, 255, 0), flat(0, 0, 255), flat(0, 255, 255)
HALF_WHITE, HALF_UP = beside(BLACK, WHITE), above(WHITE, BLACK)
RAMP = gray(np.tile(np.arange(256), (64, 1)))

PICTURES: list[tuple[str, Rgb, float]] = [
    ("gray_mean", MIDDLE, 128),
    ("gray_mean", HALF_WHITE, 127.5),
    ("gray_std", HALF_WHITE, 127.5),
    ("red_mean", flat(10, 20, 30), 10),
    ("green_mean", flat(10, 20, 30), 20),
    ("blue_mean", flat(10, 20, 30), 30),
    ("red_std", beside(BLACK, flat(100, 0, 0)), 50),
    ("green_std", beside(BLACK, flat(0, 100, 0)), 50),
    ("blue_std", beside(BLACK, flat(0, 0, 100)), 50),
    *((f"{color}_hist_{bin_}", RAMP, 1 / 8) for color in ("red", "green", "blue") for bin_ in range(8)),
    ("red_hist_7", beside(RED, GREEN, BLUE, BLACK), 1 / 4),
    ("blue_hist_0", beside(RED, GREEN, BLUE, BLACK), 3 / 4),
    ("sharpness", MIDDLE, 0),
    ("sharpness", gray(np.indices((64, 64)).sum(axis=0) % 2 * 10), 40**2),
    ("saturation", beside(RED, MIDDLE), 50),
    ("saturation", flat(250, 100, 50), 80),
    ("entropy", BLACK, 0),
    ("entropy", HALF_WHITE, 1),
    ("entropy", RAMP, 6),
    ("contrast", HALF_WHITE, 50),
    ("contrast", MIDDLE, 0),
    ("highlights", beside(WHITE, flat(250, 250, 250), flat(249, 249, 249), MIDDLE), 50),
    ("shadows", beside(BLACK, flat(5, 5, 5), flat(6, 6, 6), MIDDLE), 50),
    ("noise", MIDDLE, 0),
    ("noise", gray(np.indices((64, 64)).sum(axis=0) % 2 * 10), math.sqrt(math.pi / 2) / 6 * 80),
    ("edge_density", HALF_WHITE, 2 / 192),
    ("edge_density", RAMP, 0),
    ("edge_strength", HALF_WHITE, 2 / 192),
    ("corners", with_square(40, 80), 4 * 1e6 / 120**2),
    ("corners", HALF_WHITE, 0),
    ("tonal_skew", beside(BLACK, BLACK, WHITE), 1 / math.sqrt(2)),
    ("tonal_skew", RAMP, 0),
    ("color_temperature", RED, 100),
    ("color_temperature", BLUE, -100),
    ("color_temperature", flat(120, 100, 80), 100 * 40 / 300),
    ("center_brightness", with_square(30, 90), 4),
    ("center_brightness", MIDDLE, 1),
    ("exposure_quality", flat(127, 127, 127), 1),
    ("exposure_quality", WHITE, math.exp(-0.25 / 0.08)),
    ("color_diversity", MIDDLE, 0),
    ("color_diversity", beside(RED, GREEN, BLUE, BLACK), 2 / 9),
    ("rule_of_thirds", MIDDLE, 1 / 9),
    ("rule_of_thirds", noisy_at(slice(34, 46), slice(74, 86)), 1),
    ("symmetry", HALF_UP, 1),
    ("symmetry", HALF_WHITE, -1),
    ("symmetry", MIDDLE, 1),
    ("horizon", HALF_UP, 1),
    ("horizon", HALF_WHITE, 0),
    ("horizon", above(flat(100, 100, 100), flat(151, 151, 151)), 0.2),
    ("center_focus", noisy_at(slice(40, 80), slice(40, 80)), 4),
    ("center_focus", MIDDLE, 1),
    ("dynamic_range", HALF_WHITE, 255),
    ("dynamic_range", beside(flat(50, 50, 50), flat(90, 90, 90)), 40),
    ("subject_isolation", noisy_at(slice(40, 80), slice(40, 80)), 1),
    ("subject_isolation", MIDDLE, 0),
    ("golden_hour", beside(flat(230, 160, 60), flat(60, 160, 230)), 0.5),
    ("golden_hour", beside(RED, GREEN), 0),
    ("lighting_quality", HALF_WHITE, 0),
    ("lighting_quality", MIDDLE, 1),
    ("lighting_quality", RAMP, 0.25),
    ("color_harmony", MIDDLE, 1),
    ("color_harmony", RED, 1),
    ("color_harmony", beside(RED, CYAN), 1),
    ("color_harmony", beside(RED, GREEN, BLUE), 1),
    (
        "color_harmony",
        beside(*(flat(*np.array(c)) for c in ((255, 0, 0), (255, 255, 0), (0, 255, 0), (0, 255, 255)))),
        math.sqrt(3) / 4,
    ),
    ("sky_ground_contrast", HALF_UP, 1),
    ("sky_ground_contrast", HALF_WHITE, 0),
    ("motion_blur", MIDDLE, 0),
    ("motion_blur", beside(*[BLACK, WHITE] * 4), 0),
]
"""Feature, picture, value."""

NEAR: list[tuple[str, Rgb, float, float]] = [
    ("noise", grain(10), 10, 0.3),
    ("noise", grain(4), 4, 0.2),
    ("contrast", MIDDLE * 0 + np.uint8(119), 0, 0),
    ("lighting_quality", grain(20), 1 - 2 / math.pi, 0.02),
    ("symmetry", grain(30), 0, 0.1),
    ("center_focus", grain(30), 1, 0.05),
    ("rule_of_thirds", grain(30), 1 / 9, 0.01),
    ("subject_isolation", grain(30), 0, 0.15),
    ("motion_blur", grain(30), 0, 0.02),
]
"""Feature, picture, value, tolerance: of what is random or rounded."""


def value(name: str, picture: Rgb) -> float:
    height, width = picture.shape[:2]
    found = measure(picture, frame_of(width, height, 1), {})[INDEX[name]]
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("name", "picture", "expected"), PICTURES, ids=lambda given: given if isinstance(given, str) else ""
)
def test_pictures_whose_value_is_known(name: str, picture: Rgb, expected: float) -> None:
    assert value(name, picture) == pytest.approx(expected, abs=2e-3, rel=2e-3)


@pytest.mark.parametrize(
    ("name", "picture", "expected", "within"), NEAR, ids=lambda given: given if isinstance(given, str) else ""
)
def test_pictures_whose_value_is_nearly_known(name: str, picture: Rgb, expected: float, within: float) -> None:
    assert value(name, picture) == pytest.approx(expected, abs=within)


def test_motion_blurs_one_way_only() -> None:
    across = streaked(15)
    assert value("motion_blur", across) > 0.1 > 5 * value("motion_blur", streaked(1))
    assert value("motion_blur", np.ascontiguousarray(across.transpose(1, 0, 2))) == pytest.approx(
        value("motion_blur", across), abs=1e-6
    )


EXIF: dict[str, tuple[object, object, float]] = {
    "log_iso": (_Base.ISOSpeedRatings, 400, math.log(401)),
    "aperture": (_Base.FNumber, 2.8, 2.8),
    "log_exposure": (_Base.ExposureTime, 1 / 125, math.log1p(1 / 125)),
    "flash": (_Base.Flash, 0x19, 1),
    "focal_length_35mm": (_Base.FocalLengthIn35mmFilm, 85, 85),
    "digital_zoom": (_Base.DigitalZoomRatio, 2.5, 2.5),
    "exposure_compensation": (_Base.ExposureBiasValue, -1.5, -1.5),
    "white_balance": (_Base.WhiteBalance, 1, 1),
    "exposure_mode": (_Base.ExposureMode, 2, 2),
    "metering_mode": (_Base.MeteringMode, 5, 5),
}
TIMES = {"hour": 21, "weekday": 5, "month": 6, "is_weekend": 1}
"""Of Saturday, 5 June 2021, half past nine in the evening."""


def shot_of(tags: dict[object, object], taken_at: str | None = None) -> dict[str, float]:
    """What is read from a JPEG that Pillow has written these tags into."""
    exif = Image.Exif()
    exif.get_ifd(_Ifd.Exif).update(tags)
    buffer = io.BytesIO()
    Image.new("RGB", (20, 10)).save(buffer, "JPEG", exif=exif)
    with Image.open(buffer) as picture:
        return shot_features(picture, taken_at)


@pytest.mark.parametrize("name", EXIF)
def test_what_a_camera_writes(name: str) -> None:
    tag, written, expected = EXIF[name]
    assert shot_of({tag: written}) == {name: pytest.approx(expected)}


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ({_Base.Flash: 0x18}, {"flash": 0}),
        ({_Base.WhiteBalance: 0}, {"white_balance": 0}),
        ({37384: 3}, {}),  # the light source is not the white balance
        ({_Base.DigitalZoomRatio: 0.0}, {"digital_zoom": 1}),
        ({_Base.FocalLengthIn35mmFilm: 0}, {}),
        ({_Base.MeteringMode: 0}, {}),
        ({_Base.ISOSpeedRatings: 0}, {}),
        ({_Base.ISOSpeedRatings: 65535, _Base.RecommendedExposureIndex: 102400}, {"log_iso": math.log(102401)}),
        ({_Base.ISOSpeedRatings: 65535}, {"log_iso": math.log(65536)}),
        ({_Base.FNumber: 0.0, _Base.ExposureTime: 0.0}, {}),
        ({_Base.ExposureMode: 9, _Base.ExposureBiasValue: 900.0}, {}),
    ],
    ids=str,
)
def test_what_cameras_write_where_they_do_not_know(tags: dict[object, object], expected: dict[str, float]) -> None:
    assert shot_of(tags) == pytest.approx(expected)


@pytest.mark.parametrize(
    "moment", ["2021-06-05T21:30:00", "2021-06-05T21:30:00.1234567+02:00", "2021-06-05T21:30:00+99:99"]
)
def test_the_time_is_that_of_the_cameras_clock(moment: str) -> None:
    assert shot_of({}, moment) == TIMES
    assert shot_of({}, "2021-06-07T00:00:00") == {"hour": 0, "weekday": 0, "month": 6, "is_weekend": 0}


FRAME = {"width": 400.0, "height": 100.0, "aspect_ratio": 4.0, "log_bytes": math.log(1001)}


def test_the_frame() -> None:
    row = measure(MIDDLE, frame_of(400, 100, 1000), {})
    assert row[:4] == pytest.approx(tuple(FRAME.values()))
    again = reframed(row, frame_of(800, 100, 1000))
    assert (again[0], again[2], again[4:]) == (800, 8, row[4:])


def test_every_feature_is_tested() -> None:
    tested = {name for name, *_ in PICTURES} | {name for name, *_ in NEAR} | EXIF.keys() | TIMES.keys() | FRAME.keys()
    nobody_looks = {"faces", "person_present"}
    assert tested == set(FEATURE_NAMES) - nobody_looks
    row = measure(MIDDLE, frame_of(1, 1, 1), {})
    assert {FEATURE_NAMES[at] for at in PICTURE_ONLY if row[at] is None} == set()
    assert {row[INDEX[name]] for name in nobody_looks} == {None}


ODD: dict[str, Callable[[tuple[int, int]], Rgb]] = {
    "black": lambda size: np.zeros((*size, 3), np.uint8),
    "white": lambda size: np.full((*size, 3), 255, np.uint8),
    "noise": lambda size: np.random.default_rng(5).integers(0, 256, (*size, 3), dtype=np.uint8),
    "chessboard": lambda size: gray(np.indices(size).sum(axis=0) % 2 * 255),
}
SIZES = [
    (1, 1),
    (1, 2),
    (2, 1),
    (2, 2),
    (2, 3),
    (3, 3),
    (1, 5000),
    (5000, 1),
    (5, 7),
    (11, 13),
    (1, 600_001),
    (800, 700),
]


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("look", ODD)
def test_odd_pictures_stay_in_range(look: str, size: tuple[int, int]) -> None:
    row = measure(ODD[look](size), frame_of(size[1], size[0], 1), {})
    outside = {f.name: v for f, v in zip(FEATURES, row, strict=True) if v is not None and not f.low <= v <= f.high}
    assert outside == {}
    assert [FEATURE_NAMES[at] for at in PICTURE_ONLY if row[at] is None] == []


@pytest.mark.parametrize("size", [(707, 707), (708, 707), (1000, 1500), (1, 3_000_000), (4000, 300)], ids=str)
def test_larger_pictures_are_averaged(size: tuple[int, int]) -> None:
    levels = np.full(size, 77, np.uint8)
    small, coarse = shrink(levels), shrink_by_whole(gray(levels))
    for copy in (small, coarse[..., 0]):
        assert copy.size <= MOST_PIXELS
        assert set(np.unique(copy)) == {77}
    if levels.size <= MOST_PIXELS:
        assert small.shape == coarse.shape[:2] == size
    else:
        assert small.size > 0.99 * MOST_PIXELS
