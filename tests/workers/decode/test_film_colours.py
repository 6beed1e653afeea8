"""Plain films by matrix, range, depth and shape of pixels."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest

HEIGHT, WIDTH = 64, 96
COLOURS = np.array([(200, 40, 30), (30, 180, 60), (40, 60, 210), (190, 180, 40)])
WEIGHTS = {1: (0.2126, 0.0722), 5: (0.299, 0.114), 6: (0.299, 0.114), 9: (0.2627, 0.0593)}
"""Of red and blue, by the number of the matrix in ITU-T H.273, table 4."""


def film(path: Path, codec: str, matrix: int, full: bool, depth: int, aspect: int = 1) -> Path:
    """Four upright stripes of ``COLOURS``."""
    red, blue = WEIGHTS[matrix]
    signal = np.repeat(COLOURS / 255, WIDTH // 4, axis=0)
    luma = signal @ [red, 1 - red - blue, blue]
    planes = [255 * luma if full else 219 * luma + 16]
    for channel, weight in ((2, blue), (0, red)):
        colour = (signal[:, channel] - luma) / (2 * (1 - weight))
        planes.append((255 if full else 224) * colour[::2] + 128)
    pixels = "yuv420p10le" if depth == 10 else "yuv420p"
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=10)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, pixels
        stream.codec_context.sample_aspect_ratio = aspect
        frame = av.VideoFrame(WIDTH, HEIGHT, pixels)
        for each in (stream.codec_context, frame):
            each.colorspace, each.color_range, each.color_primaries, each.color_trc = matrix, 1 + full, 1, 1
        for plane, values in zip(frame.planes, planes, strict=True):
            row = np.rint(values * (1 << (depth - 8))).astype("<u2" if depth == 10 else np.uint8)
            padded = np.zeros((plane.height, plane.line_size // row.itemsize), row.dtype)
            padded[:, : len(row)] = row
            plane.update(padded.tobytes())
        for moment in range(4):
            frame.pts = moment
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


@pytest.mark.parametrize("depth", [8, 10])
@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize("matrix", [1, 5, 6, 9])
@pytest.mark.parametrize(("name", "codec"), [("a.mkv", "ffv1"), ("a.mp4", "libx264")])
def test_matrix_range_and_depth(
    decode, tmp_path: Path, name: str, codec: str, matrix: int, full: bool, depth: int
) -> None:
    whole = decode(film(tmp_path / name, codec, matrix, full, depth)).whole[0]
    for at, colour in enumerate(COLOURS):
        assert whole[112, 28 + 56 * at] == pytest.approx(colour, abs=4)


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.mov"])
def test_pixels_that_are_not_square(decode, tmp_path: Path, name: str) -> None:
    facts = decode(film(tmp_path / name, "libx264", 1, False, 8, aspect=2)).facts
    assert (facts.width, facts.height) == (2 * WIDTH, HEIGHT)
