"""Pages, frames, backgrounds, deep Photoshop files and TIFFs, previews of raw files."""

from __future__ import annotations

import io
import struct
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image, ImageDraw

from search.errors import CorruptMediaError, MediaTooLargeError, UnsupportedMediaError
from workers.decode.image.camera_raw import _oriented
from workers.decode.image.geometry import crop
from workers.decode.image.transparency import DARK


def off(decoded, expected: Image.Image) -> float:
    return float(np.abs(decoded.crops[0].astype(int) - crop(expected).astype(int)).mean())


def preview_of(decoded) -> np.ndarray:
    with Image.open(io.BytesIO(decoded.preview)) as preview:
        return np.asarray(preview.convert("RGB"))


@pytest.mark.parametrize("marked", [True, False])
def test_a_reduced_first_page_is_passed_over(decode, photo, tmp_path: Path, marked: bool) -> None:
    small = photo.resize((80, 60))
    path = tmp_path / "a.tif"
    # Pillow's writers leave their settings in further pages, and the picture belongs to all tests.
    small.save(path, save_all=True, append_images=[photo.copy()], tiffinfo={254: 1} if marked else {})
    decoded = decode(path)
    assert (decoded.facts.width, decoded.facts.height) == photo.size
    assert off(decoded, photo) < 1


def test_a_document_is_its_first_page(decode, photo, tmp_path: Path) -> None:
    first = photo.rotate(180)
    first.save(tmp_path / "a.tif", save_all=True, append_images=[photo.resize((330, 250)), photo.copy()])
    assert off(decode(tmp_path / "a.tif"), first) < 1


@pytest.mark.parametrize(("name", "how"), [("a.gif", {}), ("a.webp", {"lossless": True}), ("a.png", {})])
def test_a_black_first_frame_does_not_stand_for_an_animation(
    decode, photo, tmp_path: Path, name: str, how: dict
) -> None:
    black = Image.new("RGB", photo.size)
    black.save(tmp_path / name, save_all=True, append_images=[black, photo, photo.rotate(2)], duration=100, **how)
    assert preview_of(decode(tmp_path / name)).std() > 40


def test_a_wholly_black_animation_is_black(decode, tmp_path: Path) -> None:
    frames = [Image.new("RGB", (64, 64), (level, 0, 0)) for level in (0, 1, 2)]
    frames[0].save(tmp_path / "a.webp", save_all=True, append_images=frames[1:], lossless=True)
    assert preview_of(decode(tmp_path / "a.webp")).max() < 16


def logo(mode: str, shape: str) -> Image.Image:
    picture = Image.new("RGBA", (200, 200), (255, 255, 255, 0))
    draw = ImageDraw.Draw(picture)
    if shape == "disc":
        draw.ellipse((40, 40, 160, 160), fill="white")
    else:
        draw.polygon([(100, 20), (180, 180), (20, 180)], fill="white")
    return picture.convert(mode)


@pytest.mark.parametrize(("mode", "form"), [("RGBA", "png"), ("LA", "png"), ("RGBA", "webp"), ("RGBA", "tif")])
def test_a_white_drawing_can_be_seen(decode, tmp_path: Path, mode: str, form: str) -> None:
    previews = []
    for shape in ("disc", "triangle"):
        how = {"lossless": True} if form == "webp" else {}
        logo(mode, shape).save(tmp_path / f"{shape}.{form}", **how)
        decoded = decode(tmp_path / f"{shape}.{form}")
        shown = preview_of(decoded).astype(int)
        assert shown[100, 100].min() > 240
        assert np.abs(shown[2, 2] - DARK).max() < 8
        previews.append(decoded.fingerprints)
    assert previews[0] != previews[1]


def test_a_white_drawing_in_a_palette_and_in_deep_gray(decode, tmp_path: Path) -> None:
    indexed = Image.new("P", (64, 64), 0)
    indexed.putpalette([0, 0, 0, 255, 255, 255])
    indexed.paste(1, (16, 16, 48, 48))
    indexed.save(tmp_path / "p.png", transparency=0)
    deep = np.zeros((64, 64), np.uint16)
    deep[16:48, 16:48] = 65535
    Image.fromarray(deep).save(tmp_path / "g.png", transparency=0)
    for name in ("p.png", "g.png"):
        shown = preview_of(decode(tmp_path / name)).astype(int)
        assert shown[32, 32].min() > 240
        assert np.abs(shown[2, 2] - DARK).max() < 8


def test_white_stays_the_background_of_what_is_dark_and_of_pages(decode, tmp_path: Path) -> None:
    drawn = Image.new("RGBA", (64, 64), (200, 0, 0, 0))
    drawn.paste((20, 40, 60, 255), (16, 16, 48, 48))
    drawn.save(tmp_path / "dark.png")
    assert preview_of(decode(tmp_path / "dark.png"))[2, 2].min() > 245
    page = Image.new("RGBA", (200, 200), (255, 255, 255, 255))
    page.paste((0, 0, 0, 0), (0, 0, 8, 8))
    page.save(tmp_path / "page.png")
    assert preview_of(decode(tmp_path / "page.png"))[2, 2].min() > 245


def photoshop(picture: Image.Image, depth: int, *, large: bool = False, packed: bool = False) -> bytes:
    kind = {8: ">u1", 16: ">u2", 32: ">f4"}[depth]
    levels = np.asarray(picture, np.float64) / 255
    planes = np.moveaxis(levels if depth == 32 else np.rint(levels * (2**depth - 1)), -1, 0).astype(kind)
    head = b"8BPS" + struct.pack(">H6xHIIHH", 2 if large else 1, 3, picture.height, picture.width, depth, 3)
    head += struct.pack(">II", 0, 0) + bytes(8 if large else 4)
    if not packed:
        return head + struct.pack(">H", 0) + planes.tobytes()
    rows = [pack_bits(row.tobytes()) for plane in planes for row in plane]
    table = b"".join(struct.pack(">I" if large else ">H", len(row)) for row in rows)
    return head + struct.pack(">H", 1) + table + b"".join(rows)


def pack_bits(row: bytes) -> bytes:
    """Only literal runs, which is allowed."""
    return b"".join(bytes([len(part) - 1]) + part for at in range(0, len(row), 128) if (part := row[at : at + 128]))


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize(("depth", "large"), [(16, False), (16, True), (8, True), (32, False)])
def test_deep_and_large_photoshop_files(decode, photo, tmp_path: Path, depth: int, large: bool, packed: bool) -> None:
    path = tmp_path / ("a.psb" if large else "a.psd")
    path.write_bytes(photoshop(photo, depth, large=large, packed=packed))
    decoded = decode(path)
    assert decoded.mime == "image/vnd.adobe.photoshop"
    assert (decoded.facts.width, decoded.facts.height) == photo.size
    assert off(decoded, photo) < 1


def test_photoshop_files_that_cannot_be_read_say_why(decode, options, photo, tmp_path: Path) -> None:
    from dataclasses import replace

    path = tmp_path / "a.psd"
    data = photoshop(photo, 16)
    path.write_bytes(data[:-1000])
    with pytest.raises(CorruptMediaError, match="ends before its pixels"):
        decode(path)
    path.write_bytes(data.replace(struct.pack(">HH", 16, 3), struct.pack(">HH", 16, 8), 1))
    with pytest.raises(UnsupportedMediaError, match="Photoshop"):
        decode(path)
    path.write_bytes(data)
    with pytest.raises(MediaTooLargeError):
        decode(path, using=replace(options, max_pixels=1000))


def test_float_tiff(decode, photo, tmp_path: Path) -> None:
    samples = np.asarray(photo, np.float32)[..., ::-1] / 255
    assert cv2.imwrite(str(tmp_path / "a.tif"), samples)
    decoded = decode(tmp_path / "a.tif")
    assert decoded.mime == "image/tiff"
    assert off(decoded, photo) < 1


def test_a_jpeg_with_further_pictures_is_a_jpeg(decode, photo, tmp_path: Path) -> None:
    photo.save(tmp_path / "a.jpg", "MPO", save_all=True, append_images=[photo.resize((100, 75))])
    decoded = decode(tmp_path / "a.jpg")
    assert decoded.mime == "image/jpeg"
    assert (decoded.facts.width, decoded.facts.height) == photo.size


@pytest.mark.parametrize(
    ("stored", "own", "flip", "size", "turn"),
    [
        ((300, 200), None, 6, (200, 300), 6),
        ((200, 300), None, 6, (200, 300), None),
        ((300, 200), 6, 6, (200, 300), 6),
        ((200, 300), 6, 6, (200, 300), 1),
        ((300, 200), 1, 6, (200, 300), 6),
        ((200, 300), 1, 6, (200, 300), 1),
        ((300, 200), None, 3, (300, 200), 3),
        ((300, 200), None, 0, (300, 200), None),
    ],
)
def test_the_preview_of_a_raw_file_is_turned_only_if_it_lies(
    stored: tuple[int, int], own: int | None, flip: int, size: tuple[int, int], turn: int | None
) -> None:
    exif = Image.Exif()
    if own:
        exif[0x0112] = own
    buffer = io.BytesIO()
    Image.new("RGB", stored).save(buffer, "JPEG", exif=exif)
    with Image.open(io.BytesIO(_oriented(buffer.getvalue(), flip, size))) as result:
        assert result.getexif().get(0x0112) == turn
