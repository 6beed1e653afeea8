from __future__ import annotations

import struct
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from search.errors import UnsupportedMediaError
from search.media import Kind
from search.settings import Settings
from workers.decode.sandbox.pool import DecodePool

_BYTE, _ASCII, _SHORT, _LONG, _SRATIONAL = 1, 2, 3, 4, 10
_SIZE = {_BYTE: 1, _ASCII: 1, _SHORT: 2, _LONG: 4, _SRATIONAL: 8}


def write_dng(path: Path, width: int, height: int, orientation: int) -> Path:
    """A raw file of a sensor that saw plain gray: little-endian TIFF, one uncompressed Bayer plane, no preview."""
    plane = np.full((height, width), 8000, "<u2").tobytes()
    matrix = struct.pack("<18i", *(number for cell in np.eye(3, dtype=int).ravel() for number in (cell, 1)))
    entries = [
        (254, _LONG, struct.pack("<I", 0)),
        (256, _LONG, struct.pack("<I", width)),
        (257, _LONG, struct.pack("<I", height)),
        (258, _SHORT, struct.pack("<H", 16)),
        (259, _SHORT, struct.pack("<H", 1)),
        (262, _SHORT, struct.pack("<H", 32803)),
        (271, _ASCII, b"Likewise\0"),
        (272, _ASCII, b"Test\0"),
        (273, _LONG, struct.pack("<I", 8)),
        (274, _SHORT, struct.pack("<H", orientation)),
        (277, _SHORT, struct.pack("<H", 1)),
        (278, _LONG, struct.pack("<I", height)),
        (279, _LONG, struct.pack("<I", len(plane))),
        (33421, _SHORT, struct.pack("<2H", 2, 2)),
        (33422, _BYTE, bytes([0, 1, 1, 2])),
        (50706, _BYTE, bytes([1, 4, 0, 0])),
        (50708, _ASCII, b"Likewise Test\0"),
        (50721, _SRATIONAL, matrix),
    ]
    directory = 8 + len(plane)
    extra_at = directory + 2 + 12 * len(entries) + 4
    packed, extra = b"", b""
    for tag, kind, value in entries:
        count = len(value) // _SIZE[kind]
        if len(value) <= 4:
            field = value.ljust(4, b"\0")
        else:
            field = struct.pack("<I", extra_at + len(extra))
            extra += value + b"\0" * (len(value) % 2)
        packed += struct.pack("<HHI", tag, kind, count) + field
    body = struct.pack("<H", len(entries)) + packed + struct.pack("<I", 0) + extra
    path.write_bytes(b"II*\0" + struct.pack("<I", directory) + plane + body)
    return path


@pytest.mark.parametrize(("orientation", "size"), [(1, (320, 240)), (6, (240, 320))])
def test_a_raw_file_without_preview_is_developed(
    decode, tmp_path: Path, orientation: int, size: tuple[int, int]
) -> None:
    pytest.importorskip("rawpy")
    decoded = decode(write_dng(tmp_path / "shot.dng", 320, 240, orientation))
    assert decoded.kind is Kind.IMAGE
    assert decoded.mime == "image/x-raw"
    assert (decoded.facts.width, decoded.facts.height) == size
    assert decoded.crops.shape == (1, 224, 224, 3)


def test_the_reader_is_loaded_by_a_decoder_that_can_open_nothing_else(decode, tmp_path: Path) -> None:
    pytest.importorskip("rawpy")
    path = write_dng(tmp_path / "shot.dng", 320, 240, 6)
    with DecodePool(Settings(decode_workers=1)) as pool:
        decoded = pool.submit(str(path)).result()
    assert (decoded.crops == decode(path).crops).all()


def test_without_the_optional_reader_the_message_says_what_to_install(decode, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "rawpy", None)
    with pytest.raises(UnsupportedMediaError, match=r"pip install 'likewise\[raw\]'"):
        decode(write_dng(tmp_path / "shot.dng", 64, 48, 1))


def test_other_pictures_are_read_as_what_they_are(decode, tmp_path: Path) -> None:
    Image.new("RGB", (64, 48), "red").save(tmp_path / "plain.tif")
    assert decode(tmp_path / "plain.tif").mime == "image/tiff"
    Image.new("RGB", (64, 48), "red").save(tmp_path / "jpeg.raw", "JPEG")
    assert decode(tmp_path / "jpeg.raw").mime == "image/jpeg"
