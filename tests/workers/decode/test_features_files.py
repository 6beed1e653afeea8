"""The features of files: every mode of pixels, upright, with what EXIF says, and the whole picture beside the crop."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from PIL import ExifTags, Image

from search.photographers.photos.features import FEATURES, INDEX, PICTURE_ONLY
from workers.decode.decoded import Decoded

_Base, _Ifd = ExifTags.Base, ExifTags.IFD


def of(decoded: Decoded, name: str) -> float | None:
    return decoded.features[INDEX[name]]


def test_a_photo_has_all_but_what_nobody_looks_for(decode, tmp_path: Path, photo: Image.Image) -> None:
    exif = Image.Exif()
    exif[_Base.Orientation] = 6
    exif.get_ifd(_Ifd.Exif).update(
        {
            _Base.DateTimeOriginal: "2021:06:05 21:30:00",
            _Base.ISOSpeedRatings: 400,
            _Base.FNumber: 2.8,
            _Base.ExposureTime: 0.008,
            _Base.Flash: 1,
            _Base.FocalLengthIn35mmFilm: 85,
            _Base.DigitalZoomRatio: 1.0,
            _Base.ExposureBiasValue: 0.5,
            _Base.WhiteBalance: 1,
            _Base.ExposureMode: 0,
            _Base.MeteringMode: 5,
        }
    )
    path = tmp_path / "a.jpg"
    photo.save(path, exif=exif, quality=95)
    decoded = decode(path)
    assert [FEATURES[at].name for at, value in enumerate(decoded.features) if value is None] == [
        "faces",
        "person_present",
    ]
    assert decoded.features[:4] == pytest.approx((240, 320, 0.75, math.log1p(path.stat().st_size)))
    assert (of(decoded, "hour"), of(decoded, "month"), of(decoded, "exposure_compensation")) == (21, 6, 0.5)


def test_features_are_of_the_picture_as_it_is_seen(decode, tmp_path: Path) -> None:
    """Lying on its side in the file, white above black when upright."""
    levels = np.zeros((80, 120), np.uint8)
    levels[:, :60] = 255
    exif = Image.Exif()
    exif[_Base.Orientation] = 6
    Image.fromarray(levels).convert("RGB").save(tmp_path / "a.png", exif=exif)
    decoded = decode(tmp_path / "a.png")
    assert of(decoded, "sky_ground_contrast") == pytest.approx(1)
    assert of(decoded, "horizon") == pytest.approx(1)
    assert (of(decoded, "width"), of(decoded, "height")) == (80, 120)
    assert decoded.whole[0, 5].min() == 255
    assert decoded.whole[0, -5].max() == 0


@pytest.mark.parametrize("name", ["L", "RGBA", "CMYK", "P", "1", "LA", "I;16"])
def test_every_mode_of_pixels(decode, tmp_path: Path, photo: Image.Image, name: str) -> None:
    path = tmp_path / ("a.tif" if name == "CMYK" else "a.png")
    if name == "I;16":
        Image.fromarray(np.asarray(photo.convert("L")).astype(np.uint16) * 257).save(path)
    else:
        photo.convert(name).save(path)
    decoded = decode(path)
    assert [FEATURES[at].name for at in PICTURE_ONLY if decoded.features[at] is None] == []
    assert of(decoded, "gray_mean") == pytest.approx(np.asarray(photo.convert("L")).mean(), abs=12)
    if name in ("L", "1", "LA", "I;16"):
        assert (of(decoded, "saturation"), of(decoded, "color_temperature")) == (0, 0)


def test_a_large_photo_reads_as_its_smaller_self(decode, tmp_path: Path, photo: Image.Image) -> None:
    """Colours and composition do not depend on the size, and structure is read at the same scale."""
    huge, large = (
        photo.resize((2400, 1800), Image.Resampling.BICUBIC),
        photo.resize((816, 612), Image.Resampling.BICUBIC),
    )
    rows = []
    for number, picture in enumerate((huge, large)):
        picture.save(tmp_path / f"{number}.png")
        rows.append(decode(tmp_path / f"{number}.png").features)
    for name, within in (
        ("gray_mean", 0.2),
        ("contrast", 0.2),
        ("saturation", 0.5),
        ("symmetry", 0.01),
        ("edge_strength", 2e-3),
    ):
        at = INDEX[name]
        assert rows[0][at] == pytest.approx(rows[1][at], abs=within), name


def test_nothing_else_than_pictures_has_features(decode, tmp_path: Path, scene, write_video) -> None:
    assert decode(write_video(tmp_path / "a.mp4", [scene(1)] * 5)).features == ()
