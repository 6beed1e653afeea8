"""All eight orientations in every format that carries them, in what is embedded, shown, measured and told."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

COLOURS = np.array([[(220, 30, 30), (30, 200, 30)], [(30, 30, 220), (230, 230, 60)]], np.uint8)
STORED_BY = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}
WIDTH, HEIGHT = 192, 128


def upright() -> Image.Image:
    return Image.fromarray(np.kron(COLOURS, np.ones((HEIGHT // 2, WIDTH // 2, 1), np.uint8)))


def corners(pixels: np.ndarray) -> np.ndarray:
    """Colour in the middle of each quarter."""
    height, width = pixels.shape[:2]
    rows, columns = [height // 4, 3 * height // 4], [width // 4, 3 * width // 4]
    return pixels[np.ix_(rows, columns)].astype(int)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize(
    ("extension", "how"),
    [
        ("jpg", {"quality": 95}),
        ("png", {}),
        ("webp", {"quality": 95}),
        ("tif", {}),
        ("lzw.tif", {"compression": "tiff_lzw"}),
        ("jpeg.tif", {"compression": "jpeg"}),
        ("avif", {"quality": 95}),
    ],
)
def test_it_is_upright_everywhere(decode, tmp_path: Path, extension: str, how: dict, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = upright()
    if orientation in STORED_BY:
        stored = stored.transpose(STORED_BY[orientation])
    path = tmp_path / f"a.{extension}"
    stored.save(path, exif=exif, **how)
    decoded = decode(path)
    assert (decoded.facts.width, decoded.facts.height) == (WIDTH, HEIGHT)
    assert decoded.features[:2] == (WIDTH, HEIGHT)
    with Image.open(io.BytesIO(decoded.preview)) as preview:
        assert preview.size == (WIDTH, HEIGHT)
        shown = np.asarray(preview.convert("RGB"))
    for seen in (shown, decoded.crops[0], decoded.whole[0]):
        assert corners(seen) == pytest.approx(COLOURS.astype(int), abs=40)


def test_turned_and_stored_otherwise_is_the_same_picture(decode, tmp_path: Path) -> None:
    hashes = set()
    for orientation in range(1, 9):
        exif = Image.Exif()
        exif[0x0112] = orientation
        stored = upright() if orientation == 1 else upright().transpose(STORED_BY[orientation])
        stored.save(tmp_path / f"{orientation}.png", exif=exif)
        stored.save(tmp_path / f"{orientation}.tif", exif=exif)
        hashes |= {decode(tmp_path / f"{orientation}.{form}").pixel_hash for form in ("png", "tif")}
    assert len(hashes) == 1


def test_metadata_do_not_change_the_hash_and_pixels_do(decode, photo, tmp_path: Path) -> None:
    photo.save(tmp_path / "a.jpg", quality=90)
    photo.save(tmp_path / "b.jpg", quality=90, comment=b"Another")
    photo.save(tmp_path / "c.jpg", quality=89)
    a, b, c = (decode(tmp_path / f"{name}.jpg").pixel_hash for name in "abc")
    assert a == b != c
    assert len(a) == 64
