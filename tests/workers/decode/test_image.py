from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms, ImageOps

from search.errors import CorruptMediaError, MediaTooLargeError, UnsupportedMediaError
from search.media import Kind
from workers.decode.decoded import Decoded
from workers.decode.image.geometry import crop
from workers.decode.sandbox.options import DecodeOptions


def mean_difference(decoded: Decoded, expected: Image.Image) -> float:
    return float(np.abs(decoded.crops[0].astype(int) - crop(expected).astype(int)).mean())


@pytest.mark.parametrize(
    ("form", "extension", "mime", "tolerance"),
    [
        ("JPEG", "jpg", "image/jpeg", 4),
        ("PNG", "png", "image/png", 0),
        ("WEBP", "webp", "image/webp", 4),
        ("TIFF", "tif", "image/tiff", 0),
        ("BMP", "bmp", "image/bmp", 0),
        ("GIF", "gif", "image/gif", 8),
        ("JPEG2000", "jp2", "image/jp2", 0),
        ("AVIF", "avif", "image/avif", 4),
        ("HEIF", "heic", "image/heic", 6),
        ("PPM", "ppm", "image/x-portable-anymap", 0),
        ("TGA", "tga", "image/x-tga", 0),
    ],
)
def test_formats(decode, photo, tmp_path: Path, form: str, extension: str, mime: str, tolerance: float) -> None:
    path = tmp_path / f"photo.{extension}"
    photo.save(path, form, quality=92)
    decoded = decode(path)
    assert decoded.kind is Kind.IMAGE
    assert decoded.crops.shape == (1, 224, 224, 3)
    assert decoded.crops.dtype == np.uint8
    assert (decoded.facts.width, decoded.facts.height) == photo.size
    assert decoded.mime == mime or form in {"HEIF", "PPM", "TGA"}
    assert decoded.preview is not None
    assert len(decoded.fingerprints) == 1
    assert mean_difference(decoded, photo) <= tolerance


def test_the_content_decides_not_the_name(decode, photo, tmp_path: Path) -> None:
    path = tmp_path / "photo.mp4"
    photo.save(path, "PNG")
    assert decode(path, Kind.VIDEO).mime == "image/png"


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("size", [(320, 240), (2400, 1800)])
def test_exif_orientation(decode, photo, tmp_path: Path, orientation: int, size: tuple[int, int]) -> None:
    stored = photo.resize(size)
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = tmp_path / "photo.jpg"
    stored.save(path, exif=exif, quality=95)
    with Image.open(path) as opened:
        expected = ImageOps.exif_transpose(opened)
    decoded = decode(path)
    assert (decoded.facts.width, decoded.facts.height) == expected.size
    assert mean_difference(decoded, expected) < 2


@pytest.mark.parametrize("orientation", [0, 9, 4711])
def test_nonsense_orientation_is_upright(decode, photo, tmp_path: Path, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = tmp_path / "photo.png"
    photo.save(path, exif=exif)
    assert mean_difference(decode(path), photo) == 0


def test_only_the_first_frame_of_an_animation(decode, photo, tmp_path: Path) -> None:
    path = tmp_path / "moving.webp"
    photo.save(path, save_all=True, append_images=[Image.new("RGB", photo.size, "red")] * 3, lossless=True)
    assert mean_difference(decode(path), photo) == 0


def flat(colour: tuple[int, int, int]) -> Image.Image:
    return Image.new("RGB", (64, 64), colour)


def colour_of(decoded: Decoded) -> tuple[int, ...]:
    return tuple(int(value) for value in decoded.crops[0, 112, 112])


def test_cmyk_is_not_inverted(decode, tmp_path: Path) -> None:
    path = tmp_path / "print.jpg"
    flat((200, 40, 90)).convert("CMYK").save(path, quality=98)
    assert colour_of(decode(path)) == pytest.approx((200, 40, 90), abs=4)


def test_lab_and_hsv(decode, tmp_path: Path) -> None:
    path = tmp_path / "lab.tif"
    srgb, lab = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
    converted = ImageCms.profileToProfile(flat((200, 40, 90)), srgb, lab, outputMode="LAB")
    assert converted is not None
    converted.save(path)
    assert colour_of(decode(path)) == pytest.approx((200, 40, 90), abs=4)


def test_transparency_lies_on_white(decode, tmp_path: Path) -> None:
    picture = Image.new("RGBA", (64, 64), (255, 0, 0, 0))
    picture.save(tmp_path / "clear.png")
    assert colour_of(decode(tmp_path / "clear.png")) == (255, 255, 255)
    Image.new("LA", (64, 64), (0, 128)).save(tmp_path / "half.png")
    assert colour_of(decode(tmp_path / "half.png")) == pytest.approx((127,) * 3, abs=1)


def test_palette_with_transparency(decode, tmp_path: Path) -> None:
    picture = flat((10, 200, 30)).convert("P", palette=Image.Palette.ADAPTIVE)
    picture.save(tmp_path / "solid.png")
    assert colour_of(decode(tmp_path / "solid.png")) == pytest.approx((10, 200, 30), abs=2)
    picture.save(tmp_path / "clear.png", transparency=picture.getpixel((0, 0)))
    assert colour_of(decode(tmp_path / "clear.png")) == (255, 255, 255)


def test_one_bit(decode, tmp_path: Path) -> None:
    Image.new("1", (64, 64), 1).save(tmp_path / "white.png")
    assert colour_of(decode(tmp_path / "white.png")) == (255, 255, 255)


@pytest.mark.parametrize(
    ("samples", "expected"),
    [
        (np.full((64, 64), 0x8000, np.uint16), 128),
        (np.full((64, 64), 0xFFFF, np.uint16), 255),
        (np.full((64, 64), 0x0FFF, np.uint16), 255),
        (np.full((64, 64), 0.5, np.float32), 128),
        (np.full((64, 64), 100.0, np.float32), 100),
        (np.full((64, 64), np.nan, np.float32), 0),
        (np.full((64, 64), 0x4000, np.int32), 0x40),
    ],
    ids=["16 bit", "16 bit white", "12 bit white", "unit float", "byte float", "no number", "32 bit"],
)
def test_deep_samples_are_scaled_not_clipped(decode, tmp_path: Path, samples: np.ndarray, expected: int) -> None:
    path = tmp_path / "deep.tif"
    Image.fromarray(samples).save(path)
    assert colour_of(decode(path)) == pytest.approx((expected,) * 3, abs=1)


def test_a_signed_picture_is_stretched(decode, tmp_path: Path) -> None:
    path = tmp_path / "signed.tif"
    Image.fromarray(np.tile(np.linspace(-500, 500, 256, dtype=np.float32), (256, 1))).save(path)
    row = decode(path).crops[0, 100].mean(axis=1)
    assert row[0] == pytest.approx(16, abs=2)
    assert row[-1] == pytest.approx(239, abs=2)


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
def test_large_pictures_keep_what_the_model_sees(decode, shared_data: Path, tmp_path: Path, form: str) -> None:
    """DCT scaling and averaging against the full decode, on a real photograph at 12 megapixels."""
    with Image.open(min((shared_data / "images_caltech101").rglob("*.jpg"))) as real:
        large = real.convert("RGB").resize((4000, 3000), Image.Resampling.BICUBIC)
    path = tmp_path / f"large.{form.lower()}"
    large.save(path, form, quality=92)
    with Image.open(path) as full:
        expected = full.convert("RGB")
    decoded = decode(path)
    assert (decoded.facts.width, decoded.facts.height) == (4000, 3000)
    assert mean_difference(decoded, expected) < 1.0


def test_a_truncated_picture_is_corrupt(decode, photo, tmp_path: Path) -> None:
    for form in ("PNG", "JPEG", "TIFF"):
        buffer = io.BytesIO()
        photo.save(buffer, form)
        path = tmp_path / f"cut.{form.lower()}"
        path.write_bytes(buffer.getvalue()[: len(buffer.getvalue()) // 2])
        with pytest.raises(CorruptMediaError, match=path.name):
            decode(path)


def test_a_known_beginning_with_nonsense_after_it_is_corrupt(decode, tmp_path: Path) -> None:
    path = tmp_path / "fake.png"
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"nonsense" * 10)
    with pytest.raises(CorruptMediaError):
        decode(path)


def test_too_many_pixels_are_refused_by_the_header(decode, options: DecodeOptions, photo, tmp_path: Path) -> None:
    path = tmp_path / "large.png"
    photo.save(path)
    assert decode(path, using=replace(options, max_pixels=320 * 240))
    with pytest.raises(MediaTooLargeError, match="76,799 pixels"):
        decode(path, using=replace(options, max_pixels=320 * 240 - 1))


def test_postscript_is_never_run(decode, photo, tmp_path: Path) -> None:
    path = tmp_path / "page.eps"
    photo.save(path)
    with pytest.raises(UnsupportedMediaError):
        decode(path)


def test_broken_exif_does_not_fail_the_picture(decode, photo, tmp_path: Path) -> None:
    path = tmp_path / "photo.jpg"
    photo.save(path, exif=b"Exif\0\0II*\0\x08\0\0\0\xff\xff" + b"\xff" * 200)
    assert decode(path).facts.camera is None
