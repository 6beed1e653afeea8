"""Colours as they were meant, in every format that can say how: profiles, HDR codes, words of EXIF and PNG."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from colour_files import FORMS, PROFILES
from PIL import Image, ImageCms

from workers.decode.image.matrix_profiles import (
    gray_profile,
)
from workers.decode.tone_mapping import HLG, PQ, WHITE_NITS, to_srgb


def subject() -> Image.Image:
    y, x = np.mgrid[0:240, 0:320].astype(np.float32)
    red = 127 + 100 * np.sin(x / 23 + y / 41)
    green = np.where(x + y < 260, 180, 60) + 20 * np.sin(y / 7)
    return Image.fromarray(np.stack([red, green, 40 + 180 * x / 320], -1).clip(0, 255).astype(np.uint8))


def difference(one, other) -> float:
    """Mean over the crop, the largest of the channels."""
    return float(np.abs(one.crops.astype(int) - other.crops.astype(int)).mean(axis=(0, 1, 2)).max())


def as_coded(picture: Image.Image, profile: bytes) -> Image.Image:
    source = ImageCms.createProfile("sRGB")
    return ImageCms.profileToProfile(picture, source, ImageCms.ImageCmsProfile(io.BytesIO(profile)))


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", PROFILES)
def test_a_profile_is_as_its_twin_in_srgb(decode, tmp_path: Path, form: str, name: str) -> None:
    subject().save(tmp_path / f"twin.{form}", **FORMS[form])
    as_coded(subject(), PROFILES[name]).save(tmp_path / f"a.{form}", icc_profile=PROFILES[name], **FORMS[form])
    decoded = decode(tmp_path / f"a.{form}")
    assert difference(decoded, decode(tmp_path / f"twin.{form}")) < 5
    assert decoded.facts.remark is None


@pytest.mark.parametrize("form", ["jpg", "png", "tif"])
def test_linear_gray(decode, tmp_path: Path, form: str) -> None:
    levels = np.asarray(subject().convert("L"), np.float64) / 255
    coded = Image.fromarray(np.rint(255 * to_linear(levels)).astype(np.uint8))
    coded.save(tmp_path / f"a.{form}", icc_profile=gray_profile(1.0), **FORMS[form])
    subject().convert("L").save(tmp_path / f"twin.{form}", **FORMS[form])
    assert difference(decode(tmp_path / f"a.{form}"), decode(tmp_path / f"twin.{form}")) < 5


def test_lab_with_its_profile(decode, tmp_path: Path) -> None:
    lab = ImageCms.createProfile("LAB")
    coded = ImageCms.profileToProfile(subject(), ImageCms.createProfile("sRGB"), lab, outputMode="LAB")
    coded.save(tmp_path / "a.tif", icc_profile=ImageCms.ImageCmsProfile(lab).tobytes())
    subject().save(tmp_path / "twin.tif")
    assert difference(decode(tmp_path / "a.tif"), decode(tmp_path / "twin.tif")) < 3


def test_srgb_itself_changes_nothing(decode, tmp_path: Path) -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    subject().save(tmp_path / "a.jpg", icc_profile=profile)
    subject().save(tmp_path / "twin.jpg")
    one, other = decode(tmp_path / "a.jpg"), decode(tmp_path / "twin.jpg")
    assert (one.crops == other.crops).all()
    assert one.pixel_hash == other.pixel_hash


def test_another_profile_is_another_picture(decode, tmp_path: Path) -> None:
    subject().save(tmp_path / "a.png", icc_profile=PROFILES["ProPhoto"])
    subject().save(tmp_path / "b.png")
    assert decode(tmp_path / "a.png").pixel_hash != decode(tmp_path / "b.png").pixel_hash


@pytest.mark.parametrize("profile", [b"junk" * 100, PROFILES["linear"][:200], gray_profile(1.0)])
def test_a_profile_that_cannot_be_used_leaves_a_remark(decode, tmp_path: Path, profile: bytes) -> None:
    subject().save(tmp_path / "a.jpg", icc_profile=profile)
    subject().save(tmp_path / "twin.jpg")
    decoded = decode(tmp_path / "a.jpg")
    assert "profile" in decoded.facts.remark
    assert (decoded.crops == decode(tmp_path / "twin.jpg").crops).all()


def test_adobe_rgb_by_exif_alone(decode, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif.get_ifd(0x8769)[0xA001] = 2
    as_coded(subject(), PROFILES["Adobe RGB"]).save(tmp_path / "a.jpg", exif=exif, **FORMS["jpg"])
    subject().save(tmp_path / "twin.jpg", **FORMS["jpg"])
    assert difference(decode(tmp_path / "a.jpg"), decode(tmp_path / "twin.jpg")) < 5


def with_chunk(path: Path, name: bytes, data: bytes) -> Path:
    """``path`` with a chunk before its pixels."""
    png = path.read_bytes()
    at = png.index(b"IDAT") - 4
    chunk = struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
    path.write_bytes(png[:at] + chunk + png[at:])
    return path


def test_png_of_linear_light_by_gama(decode, tmp_path: Path) -> None:
    as_coded(subject(), PROFILES["linear"]).save(tmp_path / "a.png")
    subject().save(tmp_path / "twin.png")
    coded = with_chunk(tmp_path / "a.png", b"gAMA", struct.pack(">I", 100_000))
    assert difference(decode(coded), decode(tmp_path / "twin.png")) < 5


def to_linear(signal: np.ndarray) -> np.ndarray:
    return np.where(signal <= 0.04045, signal / 12.92, ((signal + 0.055) / 1.055) ** 2.4)


def to_pq(nits: np.ndarray) -> np.ndarray:
    power = (nits / 10_000) ** (2610 / 16384)
    return ((3424 / 4096 + 2413 / 128 * power) / (1 + 2392 / 128 * power)) ** (2523 / 32)


def to_hlg(nits: np.ndarray) -> np.ndarray:
    """Of gray, on a display of 1,000 cd/m2."""
    scene = (nits / 1000) ** (1 / 1.2)
    dark = np.sqrt(3 * scene)
    return np.where(scene <= 1 / 12, dark, 0.17883277 * np.log(np.maximum(12 * scene - 0.28466892, 1e-9)) + 0.55991073)


def test_pq_png_is_as_bright_and_contrasty_as_its_twin(decode, tmp_path: Path) -> None:
    signal = to_pq(WHITE_NITS * to_linear(np.asarray(subject(), np.float64) / 255))
    Image.fromarray(np.rint(255 * signal).astype(np.uint8)).save(tmp_path / "a.png")
    subject().save(tmp_path / "twin.png")
    coded = with_chunk(tmp_path / "a.png", b"cICP", bytes([1, PQ, 0, 1]))
    assert difference(decode(coded), decode(tmp_path / "twin.png")) < 5


@pytest.mark.parametrize(("transfer", "curve"), [(PQ, to_pq), (HLG, to_hlg)])
def test_levels_of_hdr_are_those_of_sdr(transfer: int, curve) -> None:
    levels = np.arange(256)
    signal = curve(WHITE_NITS * to_linear(levels / 255))
    coded = np.rint(1023 * np.repeat(signal[np.newaxis, :, np.newaxis], 3, axis=2)).astype(np.uint16)
    mapped = to_srgb(coded, transfer, 9, depth=10)
    assert np.abs(mapped[0].astype(int) - levels[:, np.newaxis]).max() <= 2


def test_highlights_are_compressed_and_not_cut() -> None:
    nits = np.array([[1.0, 100.0, 203.0, 600.0, 1000.0]])
    mapped = to_srgb(np.repeat(to_pq(nits)[..., np.newaxis], 3, axis=2).astype(np.float32), PQ, 9)[0, :, 0]
    assert (np.diff(mapped.astype(int)) >= 1).all()
    assert mapped[-1] >= 254
    assert mapped[0] == pytest.approx(15, abs=1)


def test_wide_gamut_primaries_of_plain_films() -> None:
    assert to_srgb(np.full((1, 1, 3), 128, np.uint8), 1, 9)[0, 0] == pytest.approx(128, abs=1)
    red = to_srgb(np.array([[[200, 90, 80]]], np.uint8), 1, 9)[0, 0]
    assert red[0] > 200
    assert red[1] < 90
