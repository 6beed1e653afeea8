from __future__ import annotations

from pathlib import Path

import pytest
from PIL import ExifTags, Image

from workers.decode.decoded import MediaFacts
from workers.decode.metadata.dates import container_moment
from workers.decode.metadata.pictures import picture_facts
from workers.decode.metadata.sources import camera_name
from workers.decode.metadata.texts import text

_Base, _Gps, _Ifd = ExifTags.Base, ExifTags.GPS, ExifTags.IFD


def facts_of(exif: Image.Exif, path: Path, **saved: object) -> MediaFacts:
    Image.new("RGB", (20, 10)).save(path, exif=exif, **saved)
    with Image.open(path) as picture:
        return picture_facts(picture, *picture.size)


def test_what_a_camera_writes(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[_Base.Make], exif[_Base.Model] = "Canon", "Canon EOS R5"
    exif[_Base.Artist] = "  Ada   Lovelace\0"
    shot = exif.get_ifd(_Ifd.Exif)
    shot[_Base.DateTimeOriginal], shot[_Base.OffsetTimeOriginal] = "2021:06:05 04:03:02", "+02:00"
    shot[_Base.SubsecTimeOriginal] = "5"
    shot[_Base.LensModel] = "RF 50mm"
    shot[_Base.ISOSpeedRatings] = 400
    shot[_Base.FNumber], shot[_Base.ExposureTime], shot[_Base.FocalLength] = 1.8, 1 / 250, 50.0
    place = exif.get_ifd(_Ifd.GPSInfo)
    place[_Gps.GPSLatitude], place[_Gps.GPSLatitudeRef] = (51.0, 30.0, 0.0), "N"
    place[_Gps.GPSLongitude], place[_Gps.GPSLongitudeRef] = (0.0, 7.0, 30.0), "W"
    assert facts_of(exif, tmp_path / "a.jpg") == MediaFacts(
        width=20,
        height=10,
        taken_at="2021-06-05T04:03:02.500+02:00",
        camera="Canon EOS R5",
        lens="RF 50mm",
        iso=400.0,
        aperture=1.8,
        exposure=pytest.approx(0.004),
        focal_length=50.0,
        latitude=51.5,
        longitude=-0.125,
        artist="Ada Lovelace",
    )


def test_nothing_is_invented(tmp_path: Path) -> None:
    assert facts_of(Image.Exif(), tmp_path / "a.png") == MediaFacts(width=20, height=10)


@pytest.mark.parametrize(
    "written", ["0000:00:00 00:00:00", "2021:13:40 99:00:00", "    :  :     :  :  ", "yesterday", ""]
)
def test_impossible_dates_are_absent(tmp_path: Path, written: str) -> None:
    exif = Image.Exif()
    exif[_Base.DateTime] = written
    assert facts_of(exif, tmp_path / "a.jpg").taken_at is None


def test_impossible_numbers_are_absent(tmp_path: Path) -> None:
    exif = Image.Exif()
    shot = exif.get_ifd(_Ifd.Exif)
    shot[_Base.FNumber], shot[_Base.ExposureTime], shot[_Base.ISOSpeedRatings] = 0.0, "fast", 0
    place = exif.get_ifd(_Ifd.GPSInfo)
    place[_Gps.GPSLatitude], place[_Gps.GPSLongitude] = (95.0, 0.0, 0.0), (10.0, 0.0)
    facts = facts_of(exif, tmp_path / "a.jpg")
    assert (facts.aperture, facts.exposure, facts.iso, facts.latitude, facts.longitude) == (None,) * 5


@pytest.mark.parametrize(
    ("make", "model", "name"),
    [
        ("NIKON CORPORATION", "NIKON D850", "NIKON D850"),
        ("SONY", "ILCE-7RM3", "SONY ILCE-7RM3"),
        (None, "Pixel 6", "Pixel 6"),
        ("Leica", None, "Leica"),
        (None, None, None),
    ],
)
def test_camera_names_do_not_repeat_the_make(make: str | None, model: str | None, name: str | None) -> None:
    assert camera_name(make, model) == name


def test_text_is_one_clean_line() -> None:
    assert text("a\nb\t c\x07") == "a b c"
    assert text(b"caf\xc3\xa9\0junk") == "café"
    assert text("x" * 5000) == "x" * 200
    assert text(" \0") is None
    assert text(12) is None


@pytest.mark.parametrize(
    ("written", "moment"),
    [
        ("2020-01-02T03:04:05.000000Z", "2020-01-02T03:04:05+00:00"),
        ("2020-01-02T03:04:05+0200", "2020-01-02T01:04:05+00:00"),
        ("1904-01-01T00:00:00Z", None),
        ("1970-01-01T00:00:00Z", None),
        ("soon", None),
        ("", None),
        (None, None),
    ],
)
def test_container_dates(written: str | None, moment: str | None) -> None:
    assert container_moment(written) == moment


def test_real_photographs(shared_data: Path) -> None:
    folder = shared_data / "photographers_fullres_exif" / "tim_van_damme"
    pictures = sorted(folder.glob("*.jpg")) if folder.is_dir() else []
    if not pictures:
        pytest.skip("this half of the shared data has no full-resolution photographs")
    for path in pictures:
        with Image.open(path) as picture:
            facts = picture_facts(picture, *picture.size)
        assert facts.camera
        assert facts.taken_at
