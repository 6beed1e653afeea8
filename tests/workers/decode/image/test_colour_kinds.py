"""Colours that are said in rarer ways: inks with and without a profile, R03 of EXIF, cHRM, JPEGs with a gain map."""

from __future__ import annotations

import io
import itertools
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms

from workers.decode.image.matrix_profiles import ADOBE_GAMMA, ADOBE_PRIMARIES, D65, rgb_profile

DISPLAY_P3 = rgb_profile(((0.68, 0.32), (0.265, 0.69), (0.15, 0.06), D65), 2.2)
PAPER_AND_INKS = {
    (0, 0, 0, 0): (96.0, 0.0, 0.0),
    (1, 0, 0, 0): (50.0, 55.0, 30.0),
    (0, 1, 0, 0): (55.0, -45.0, 35.0),
    (0, 0, 1, 0): (40.0, 10.0, -45.0),
}
"""CIELAB of a press whose inks are, to be told from any usual ones, red, green and blue; others are gray."""


def subject() -> Image.Image:
    y, x = np.mgrid[0:240, 0:320].astype(np.float32)
    red = 127 + 100 * np.sin(x / 23 + y / 41)
    green = np.where(x + y < 260, 180, 60) + 20 * np.sin(y / 7)
    return Image.fromarray(np.stack([red, green, 40 + 180 * x / 320], -1).clip(0, 255).astype(np.uint8))


def as_coded(picture: Image.Image, profile: bytes) -> Image.Image:
    source = ImageCms.createProfile("sRGB")
    return ImageCms.profileToProfile(picture, source, ImageCms.ImageCmsProfile(io.BytesIO(profile)))


def difference(one, other) -> float:
    return float(np.abs(one.crops.astype(int) - other.crops.astype(int)).mean(axis=(0, 1, 2)).max())


def lab_of(inks: tuple[int, ...]) -> tuple[float, float, float]:
    return PAPER_AND_INKS.get(inks, (30.0 - 20 * inks[3], 0.0, 0.0))


def ink_profile() -> bytes:
    """A CMYK profile with a table of two values an ink. Source: ICC.1:2001-04, 6.5.8 (lut8Type)."""
    ramp = bytes(range(256))
    grid = b"".join(
        bytes([round(light * 2.55), round(a + 128), round(b + 128)])
        for light, a, b in map(lab_of, itertools.product((0, 1), repeat=4))
    )
    matrix = struct.pack(">9i", *(65536 if at % 4 == 0 else 0 for at in range(9)))
    table = b"mft1\0\0\0\0" + bytes([4, 3, 2, 0]) + matrix + 4 * ramp + grid + 3 * ramp
    white = b"XYZ \0\0\0\0" + struct.pack(">3i", 63190, 65536, 54061)
    start = 128 + 4 + 2 * 12
    entries = struct.pack(">I", 2) + b"A2B0" + struct.pack(">II", start, len(table))
    entries += b"wtpt" + struct.pack(">II", start + len(table), len(white))
    header = struct.pack(
        ">I4sI4s4s4s", start + len(table) + len(white), b"\0\0\0\0", 0x02400000, b"prtr", b"CMYK", b"Lab "
    )
    header += struct.pack(">6H4s", 2026, 1, 1, 0, 0, 0, b"acsp").ljust(32, b"\0") + struct.pack(
        ">3i", 63190, 65536, 54061
    )
    return header.ljust(128, b"\0") + entries + table + white


def shown(decoded) -> np.ndarray:
    """The colour in the middle."""
    return decoded.whole[0][112, 112].astype(int)


def srgb_of(lab: tuple[float, float, float]) -> np.ndarray:
    coded = Image.frombytes("LAB", (1, 1), bytes([round(lab[0] * 2.55), int(lab[1]) & 255, int(lab[2]) & 255]))
    source, target = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
    return np.asarray(ImageCms.profileToProfile(coded, source, target, outputMode="RGB"), int)[0, 0]


@pytest.mark.parametrize("form", ["jpg", "tif"])
@pytest.mark.parametrize("inks", list(PAPER_AND_INKS)[1:])
def test_inks_are_those_of_the_profile(decode, tmp_path: Path, form: str, inks: tuple[int, ...]) -> None:
    path = tmp_path / f"a.{form}"
    how = {"quality": 95} if form == "jpg" else {}
    Image.new("CMYK", (64, 64), tuple(255 * ink for ink in inks)).save(path, icc_profile=ink_profile(), **how)
    decoded = decode(path)
    assert decoded.facts.remark is None
    assert np.abs(shown(decoded) - srgb_of(lab_of(inks))).max() <= 20  # black points of paper and of screen differ
    assert np.argmax(shown(decoded)) == inks.index(1)


@pytest.mark.parametrize("adobe", [True, False])
@pytest.mark.parametrize(
    ("inks", "colour"),
    [
        ((0, 255, 255, 0), (255, 0, 0)),
        ((255, 0, 0, 0), (0, 255, 255)),
        ((0, 0, 0, 255), (0, 0, 0)),
        ((0,) * 4, (255,) * 3),
    ],
)
def test_inks_without_a_profile(
    decode, tmp_path: Path, adobe: bool, inks: tuple[int, ...], colour: tuple[int, ...]
) -> None:
    """Adobe's programs store them inverted, and say so by their marker; every other program does as they do."""
    buffer = io.BytesIO()
    Image.new("CMYK", (64, 64), inks).save(buffer, "JPEG", quality=95)
    data = buffer.getvalue()
    at = data.index(b"\xff\xee")
    length = 2 + struct.unpack_from(">H", data, at + 2)[0]
    assert data[at + 4 : at + 9] == b"Adobe"
    (tmp_path / "a.jpg").write_bytes(data if adobe else data[:at] + data[at + length :])
    assert shown(decode(tmp_path / "a.jpg")) == pytest.approx(np.array(colour), abs=4)


def test_adobe_rgb_by_the_interoperability_index(decode, tmp_path: Path) -> None:
    """What cameras write: the colour space is not sRGB (65535), and the index is R03. In JPEGs: Pillow writes no
    directory within one of a TIFF."""
    exif = Image.Exif()
    exif.get_ifd(0x8769)[0xA001] = 0xFFFF
    exif.get_ifd(0x8769)[0xA005] = {1: "R03", 2: b"0100"}
    coded = as_coded(subject(), rgb_profile(ADOBE_PRIMARIES, ADOBE_GAMMA))
    coded.save(tmp_path / "a.jpg", exif=exif, quality=95, subsampling=0)
    subject().save(tmp_path / "twin.jpg", quality=95, subsampling=0)
    with Image.open(tmp_path / "a.jpg") as opened:
        assert opened.getexif().get_ifd(0xA005).get(1) == "R03"
    assert difference(decode(tmp_path / "a.jpg"), decode(tmp_path / "twin.jpg")) < 5


@pytest.mark.parametrize("gamma", [None, 45_455])
def test_png_of_wide_primaries_by_chrm(decode, tmp_path: Path, gamma: int | None) -> None:
    as_coded(subject(), DISPLAY_P3).save(tmp_path / "a.png")
    subject().save(tmp_path / "twin.png")
    numbers = (31270, 32900, 68000, 32000, 26500, 69000, 15000, 6000)
    png = (tmp_path / "a.png").read_bytes()
    at = png.index(b"IDAT") - 4
    extra = b"".join(
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        for name, body in [(b"cHRM", struct.pack(">8I", *numbers)), (b"gAMA", struct.pack(">I", gamma or 0))]
        if name == b"cHRM" or gamma
    )
    (tmp_path / "a.png").write_bytes(png[:at] + extra + png[at:])
    assert difference(decode(tmp_path / "a.png"), decode(tmp_path / "twin.png")) < 5


def test_a_jpeg_with_a_gain_map_is_its_first_picture_in_its_profile(decode, tmp_path: Path) -> None:
    gains = Image.fromarray(np.tile(np.arange(160, dtype=np.uint8), (120, 1))).convert("RGB")
    as_coded(subject(), DISPLAY_P3).save(
        tmp_path / "a.jpg",
        "MPO",
        save_all=True,
        append_images=[gains],
        icc_profile=DISPLAY_P3,
        quality=95,
        subsampling=0,
    )
    subject().save(tmp_path / "twin.jpg", quality=95, subsampling=0)
    decoded = decode(tmp_path / "a.jpg")
    assert decoded.mime == "image/jpeg"
    assert difference(decoded, decode(tmp_path / "twin.jpg")) < 5
