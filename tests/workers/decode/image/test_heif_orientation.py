"""HEIF pictures are turned by their properties irot and imir, once, whatever their EXIF says."""

from __future__ import annotations

import io
import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

COLOURS = np.array([[(220, 30, 30), (30, 200, 30)], [(30, 30, 220), (230, 230, 60)]], np.uint8)
STORED = np.kron(COLOURS, np.ones((64, 96, 1), np.uint8))
TURNED = {
    (b"irot", 1): lambda pixels: np.rot90(pixels, 1),
    (b"irot", 2): lambda pixels: np.rot90(pixels, 2),
    (b"irot", 3): lambda pixels: np.rot90(pixels, 3),
    (b"imir", 0): lambda pixels: pixels[::-1],
    (b"imir", 1): lambda pixels: pixels[:, ::-1],
}
"""irot: turns of 90 degrees against the clock. imir: 0 exchanges top and bottom, 1 left and right. Source: ISO/IEC
23008-12:2022, 6.5.10 and 6.5.12."""


def heif(orientation: int | None = None) -> bytes:
    exif = Image.Exif()
    if orientation:
        exif[0x0112] = orientation
    buffer = io.BytesIO()
    Image.fromarray(STORED).save(buffer, "HEIF", quality=95, exif=exif if orientation else None)
    return buffer.getvalue()


def with_property(data: bytes, name: bytes, value: int) -> bytes:
    """A HEIF of one picture with one more property, essential, of that picture.

    Both grow boxes before the pixels: the sizes of these, and where the pixels lie, are set anew.
    """
    box = struct.pack(">I", 9) + name + bytes([value])
    changed = bytearray(data)
    properties, associations = (data.index(part) - 4 for part in (b"ipco", b"ipma"))
    length = struct.unpack_from(">I", data, associations)[0]
    count = data[associations + 18]
    last = sum(1 for _ in boxes(data, properties))
    changed[associations + length : associations + length] = bytes([0x80 | (last + 1)])
    changed[associations + 18] = count + 1
    changed[associations:associations] = box
    grown = len(box) + 1
    for at, more in (
        (data.index(b"meta") - 4, grown),
        (data.index(b"iprp") - 4, grown),
        (properties, len(box)),
        (associations + len(box), 1),
    ):
        struct.pack_into(">I", changed, at, struct.unpack_from(">I", changed, at)[0] + more)
    places = data.index(b"iloc") + 4
    for item in range(struct.unpack_from(">H", data, places + 6)[0]):
        at = places + 8 + 18 * item + 10
        struct.pack_into(">I", changed, at, struct.unpack_from(">I", data, at)[0] + grown)
    return bytes(changed)


def boxes(data: bytes, parent: int):
    end, at = parent + struct.unpack_from(">I", data, parent)[0], parent + 8
    while at < end:
        yield at
        at += struct.unpack_from(">I", data, at)[0]


@pytest.mark.parametrize("orientation", [None, 6])
@pytest.mark.parametrize(("name", "value"), TURNED)
def test_it_is_turned_once(decode, tmp_path: Path, name: bytes, value: int, orientation: int | None) -> None:
    path = tmp_path / "a.heic"
    path.write_bytes(with_property(heif(orientation), name, value))
    decoded = decode(path)
    expected = TURNED[name, value](STORED)
    assert (decoded.facts.height, decoded.facts.width) == expected.shape[:2]
    with Image.open(io.BytesIO(decoded.preview)) as preview:
        shown = np.asarray(preview.convert("RGB"))
    for seen in (shown, decoded.whole[0]):
        rows, columns = [seen.shape[0] // 4, 3 * seen.shape[0] // 4], [seen.shape[1] // 4, 3 * seen.shape[1] // 4]
        quarters = TURNED[name, value](COLOURS)
        assert seen[np.ix_(rows, columns)].astype(int) == pytest.approx(quarters.astype(int), abs=40)


def test_exif_alone_does_not_turn_it(decode, tmp_path: Path) -> None:
    """As in other viewers: in a HEIF it only repeats what irot and imir say."""
    (tmp_path / "a.heic").write_bytes(heif(6))
    decoded = decode(tmp_path / "a.heic")
    assert (decoded.facts.height, decoded.facts.width) == STORED.shape[:2]
