"""All eight ways a film can lie, in what is embedded, shown and told."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from workers.decode.sandbox.options import DecodeOptions

ONE = 1 << 16
WIDTH, HEIGHT = 96, 64
COLOURS = {(-1, -1): (220, 30, 30), (1, -1): (30, 200, 30), (-1, 1): (30, 30, 220), (1, 1): (230, 230, 60)}
"""Colour of each corner as it is stored, by its direction from the centre, to the right and down."""
EIGHT = [(a, 0, 0, d) for a in (1, -1) for d in (1, -1)] + [(0, b, c, 0) for b in (1, -1) for c in (1, -1)]


def stored() -> np.ndarray:
    frame = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    for (x, y), colour in COLOURS.items():
        rows = slice(HEIGHT // 2, None) if y > 0 else slice(0, HEIGHT // 2)
        columns = slice(WIDTH // 2, None) if x > 0 else slice(0, WIDTH // 2)
        frame[rows, columns] = colour
    return frame


def film(path: Path, matrix: tuple[int, int, int, int], codec: str) -> Path:
    a, b, c, d = (ONE * part for part in matrix)
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=10)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        stream.set_display_matrix([a, b, 0, c, d, 0, 0, 0, 1 << 30])
        for _ in range(10):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(stored(), "rgb24")))
        container.mux(stream.encode(None))
    return path


def corners(picture: np.ndarray) -> dict[tuple[int, int], np.ndarray]:
    """Colour in the middle of each quarter."""
    height, width = picture.shape[:2]
    return {(x, y): picture[int((0.5 + y / 4) * height), int((0.5 + x / 4) * width)].astype(int) for x, y in COLOURS}


@pytest.mark.parametrize("matrix", EIGHT)
@pytest.mark.parametrize(("name", "codec"), [("a.mp4", "libx264"), ("a.mov", "mpeg4"), ("b.mp4", "libx265")])
def test_films_are_seen_as_their_matrix_says(
    decode, options: DecodeOptions, tmp_path: Path, matrix: tuple[int, int, int, int], name: str, codec: str
) -> None:
    a, b, c, d = matrix
    decoded = decode(film(tmp_path / name, matrix, codec), using=replace(options, clips=True))
    assert (decoded.facts.width, decoded.facts.height) == ((WIDTH, HEIGHT) if a else (HEIGHT, WIDTH))
    with Image.open(io.BytesIO(decoded.preview)) as preview:
        assert preview.size == (decoded.facts.width, decoded.facts.height)
        shown = np.asarray(preview.convert("RGB"))
    for seen in (decoded.crops[0], decoded.whole[0], decoded.clips[0, 0], shown):
        for (x, y), colour in COLOURS.items():
            at = (a * x + c * y, b * x + d * y)
            assert corners(seen)[at] == pytest.approx(colour, abs=40), (matrix, at)


def test_pixels_that_are_not_square_are_stretched_before_they_are_turned(decode, tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=10)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        stream.codec_context.sample_aspect_ratio = 2
        stream.set_display_rotation(90)
        for _ in range(3):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(stored(), "rgb24")))
        container.mux(stream.encode(None))
    facts = decode(path).facts
    assert (facts.width, facts.height) == (HEIGHT, 2 * WIDTH)
