"""Pictures whose files are cut or damaged: decoded as far as they go, with the share that is missing."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from search.errors import CorruptMediaError

ROWS_COME_IN_ORDER = {
    "jpg": {"format": "JPEG", "quality": 90},
    "png": {"format": "PNG"},
    "gif": {"format": "GIF"},
    "tif": {"format": "TIFF"},
    "bmp": {"format": "BMP"},
    "ppm": {"format": "PPM"},
}
NEEDS_ALL = {
    "webp": {"format": "WEBP", "quality": 90},
    "heic": {"format": "HEIF", "quality": 80},
    "avif": {"format": "AVIF"},
}


@pytest.fixture(scope="module")
def grainy(photo: Image.Image) -> Image.Image:
    noise = np.random.default_rng(1).normal(0, 12, (240, 320, 3))
    return Image.fromarray((np.asarray(photo) + noise).clip(0, 255).astype(np.uint8))


def encoded(picture: Image.Image, how: dict) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, **how)
    return buffer.getvalue()


@pytest.mark.parametrize("share", [0.99, 0.9, 0.75, 0.6])
@pytest.mark.parametrize("form", ROWS_COME_IN_ORDER)
def test_what_is_missing_is_told(decode, grainy, tmp_path: Path, form: str, share: float) -> None:
    data = encoded(grainy, ROWS_COME_IN_ORDER[form])
    path = tmp_path / f"a.{form}"
    path.write_bytes(data[: int(share * len(data))])
    decoded = decode(path)
    assert decoded.facts.damaged == pytest.approx(1 - share, abs=0.04)
    assert (decoded.facts.width, decoded.facts.height) == grainy.size
    with Image.open(io.BytesIO(decoded.preview)) as preview:
        shown = np.asarray(preview.convert("RGB"), np.float64)
    off = np.abs(shown - np.asarray(grainy, np.float64)).mean(axis=(1, 2))
    there = int((share - 0.06) * len(off))
    assert (off[::-1] if form == "bmp" else off)[:there].mean() < 16, "a BMP begins with its last row"


def test_an_interlaced_png_becomes_coarse(decode, grainy, tmp_path: Path) -> None:
    data = interlaced(grainy)
    (tmp_path / "a.png").write_bytes(data[: int(0.75 * len(data))])
    decoded = decode(tmp_path / "a.png")
    assert 0.1 < decoded.facts.damaged < 0.4
    with Image.open(io.BytesIO(decoded.preview)) as preview:
        off = np.abs(np.asarray(preview.convert("RGB"), np.float64) - np.asarray(grainy, np.float64))
    assert off.mean() < 25


def interlaced(picture: Image.Image) -> bytes:
    """An RGB PNG in Adam7, which Pillow does not write."""
    pixels = np.asarray(picture)
    passes = [(0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1)]
    rows = (row for y, x, down, across in passes for row in pixels[y::down, x::across])
    data = zlib.compress(b"".join(b"\0" + np.ascontiguousarray(row).tobytes() for row in rows))
    parts = [(b"IHDR", struct.pack(">IIBBBBB", *picture.size, 8, 2, 0, 0, 1)), (b"IDAT", data), (b"IEND", b"")]
    chunks = (
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body)) for name, body in parts
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


@pytest.mark.parametrize("form", ROWS_COME_IN_ORDER)
def test_less_than_half_is_refused_with_the_share(decode, grainy, tmp_path: Path, form: str) -> None:
    data = encoded(grainy, ROWS_COME_IN_ORDER[form])
    path = tmp_path / f"a.{form}"
    path.write_bytes(data[: int(0.35 * len(data))])
    with pytest.raises(CorruptMediaError, match=r"only 3\d% of the picture"):
        decode(path)


@pytest.mark.parametrize("share", [0.99, 0.9, 0.75, 0.6])
@pytest.mark.parametrize("form", NEEDS_ALL)
def test_formats_that_need_all_say_that_the_file_ends_early(
    decode, grainy, tmp_path: Path, form: str, share: float
) -> None:
    data = encoded(grainy, NEEDS_ALL[form])
    path = tmp_path / f"a.{form}"
    path.write_bytes(data[: int(share * len(data))])
    with pytest.raises(CorruptMediaError, match="ends early"):
        decode(path)


def test_a_progressive_jpeg_loses_detail(decode, grainy, tmp_path: Path) -> None:
    data = encoded(grainy, {"format": "JPEG", "quality": 90, "progressive": True})
    missing = []
    for share in (0.9, 0.75, 0.6):
        (tmp_path / "a.jpg").write_bytes(data[: int(share * len(data))])
        missing.append(decode(tmp_path / "a.jpg").facts.damaged)
    assert 0 < missing[0] < missing[1] < missing[2] < 0.5
    (tmp_path / "a.jpg").write_bytes(data[: int(0.05 * len(data))])
    with pytest.raises(CorruptMediaError):
        decode(tmp_path / "a.jpg")


@pytest.mark.parametrize("progressive", [False, True])
def test_a_jpeg_without_its_end_marker_is_whole(decode, grainy, tmp_path: Path, progressive: bool) -> None:
    data = encoded(grainy, {"format": "JPEG", "quality": 90, "progressive": progressive})
    (tmp_path / "whole.jpg").write_bytes(data)
    (tmp_path / "open.jpg").write_bytes(data[:-2])
    whole, unended = decode(tmp_path / "whole.jpg"), decode(tmp_path / "open.jpg")
    assert unended.facts.damaged is None
    assert (whole.crops == unended.crops).all()


@pytest.mark.parametrize("junk", [bytes(700), b"\0" * 3, b"HTTP/1.1 200 OK\r\n\r\n"])
@pytest.mark.parametrize("form", ["jpg", "png"])
def test_junk_in_front_is_passed_over_and_told(decode, photo, tmp_path: Path, form: str, junk: bytes) -> None:
    data = encoded(photo, ROWS_COME_IN_ORDER[form])
    (tmp_path / f"a.{form}").write_bytes(junk + data)
    (tmp_path / f"b.{form}").write_bytes(data)
    decoded = decode(tmp_path / f"a.{form}")
    assert "begins behind" in decoded.facts.remark
    assert decoded.facts.damaged is None
    assert decoded.pixel_hash == decode(tmp_path / f"b.{form}").pixel_hash


def test_a_png_with_long_compressed_texts_is_whole(decode, photo, tmp_path: Path) -> None:
    texts = PngImagePlugin.PngInfo()
    for at in range(3):
        texts.add_text(f"workflow {at}", "x" * (2 << 20), zip=True)
    photo.save(tmp_path / "a.png", pnginfo=texts)
    photo.save(tmp_path / "b.png")
    decoded = decode(tmp_path / "a.png")
    assert decoded.facts.damaged is None
    assert decoded.pixel_hash == decode(tmp_path / "b.png").pixel_hash


def test_a_bad_checksum_in_a_comment_is_whole(decode, photo, tmp_path: Path) -> None:
    texts = PngImagePlugin.PngInfo()
    texts.add_text("Comment", "Holiday")
    photo.save(tmp_path / "a.png", pnginfo=texts)
    (tmp_path / "a.png").write_bytes((tmp_path / "a.png").read_bytes().replace(b"Holiday", b"holiday"))
    assert decode(tmp_path / "a.png").facts.damaged is None


@pytest.mark.parametrize("cut", [1, 2, 8, 100, 10_000])
@pytest.mark.parametrize("compression", ["tiff_lzw", "tiff_adobe_deflate", "jpeg"])
def test_a_tiff_whose_directory_is_last_says_that_it_ends_early(
    decode, grainy, tmp_path: Path, compression: str, cut: int
) -> None:
    data = encoded(grainy, {"format": "TIFF", "compression": compression})
    assert struct.unpack_from("<I", data, 4)[0] > len(data) // 2
    (tmp_path / "a.tif").write_bytes(data[:-cut])
    with pytest.raises(CorruptMediaError, match="its file ends early"):
        decode(tmp_path / "a.tif")


@pytest.mark.parametrize("share", [0.9, 0.6])
@pytest.mark.parametrize("compression", [None, "tga_rle"])
def test_a_tga_is_decoded_as_far_as_it_goes(
    decode, grainy, tmp_path: Path, compression: str | None, share: float
) -> None:
    data = encoded(grainy, {"format": "TGA", "compression": compression})
    (tmp_path / "a.tga").write_bytes(data[: int(share * len(data))])
    assert decode(tmp_path / "a.tga").facts.damaged == pytest.approx(1 - share, abs=0.02)


@pytest.mark.parametrize("share", [0.999, 0.6])
@pytest.mark.parametrize("stream", [False, True])
def test_jpeg_2000_says_that_the_file_ends_early(decode, grainy, tmp_path: Path, stream: bool, share: float) -> None:
    """OpenJPEG, as Pillow and OpenCV call it, gives nothing of a stream that is cut."""
    data = encoded(grainy, {"format": "JPEG2000", "no_jp2": stream})
    (tmp_path / "a.jp2").write_bytes(data[: int(share * len(data))])
    with pytest.raises(CorruptMediaError, match="its file ends early"):
        decode(tmp_path / "a.jp2")
