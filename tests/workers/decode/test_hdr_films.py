"""Films in HDR and in wide gamuts look as their twins in sRGB do."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from workers.decode.image.geometry import crop
from workers.decode.sandbox.options import DecodeOptions
from workers.decode.tone_mapping import BT709, BT2020, DISPLAY_P3, HLG, PQ

HEIGHT, WIDTH = 96, 128
TO_XYZ = {
    BT709: [[0.41239, 0.35758, 0.18048], [0.21264, 0.71517, 0.07219], [0.01933, 0.11919, 0.95053]],
    BT2020: [[0.63696, 0.14462, 0.16888], [0.26270, 0.67800, 0.05930], [0.0, 0.02807, 1.06099]],
    DISPLAY_P3: [[0.48657, 0.26567, 0.19822], [0.22897, 0.69174, 0.07929], [0.0, 0.04511, 1.04394]],
}
"""As published in ITU-R BT.2407 and SMPTE EG 432-1."""
SDR = 14
"""Transfer of BT.2020 in ten bits, the same as that of BT.709."""


def scenery() -> np.ndarray:
    blocks = np.random.default_rng(3).integers(10, 245, (6, 8, 3))
    return np.kron(blocks, np.ones((16, 16, 1))).astype(np.uint8)


def coded(picture: np.ndarray, transfer: int, primaries: int) -> np.ndarray:
    """The signal, in [0, 1], by which a studio would put an sRGB picture into HDR, with white at 203 cd/m²."""
    level = picture / 255
    light = np.where(level <= 0.04045, level / 12.92, ((level + 0.055) / 1.055) ** 2.4)
    light = np.clip(light @ (np.linalg.inv(TO_XYZ[primaries]) @ TO_XYZ[BT709]).T, 0, None)
    if transfer == PQ:
        power = (light * 203 / 10_000) ** 0.1593017578125
        return ((0.8359375 + 18.8515625 * power) / (1 + 18.6875 * power)) ** 78.84375
    if transfer == HLG:
        display = light * 203 / 1000
        luminance = np.maximum(display @ [0.2627, 0.6780, 0.0593], 1e-9)[..., np.newaxis]
        scene = display * luminance ** (1 / 1.2 - 1)
        upper = 0.17883277 * np.log(np.maximum(12 * scene - 0.28466892, 1e-9)) + 0.55991073
        return np.where(scene <= 1 / 12, np.sqrt(3 * scene), upper)
    return np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)


def film(path: Path, signal: np.ndarray, codec: str, transfer: int, primaries: int) -> Path:
    """A film of 10 bits, by BT.2020's matrix, or BT.709's."""
    red, blue = (0.2126, 0.0722) if primaries == BT709 else (0.2627, 0.0593)
    luma = signal @ [red, 1 - red - blue, blue]
    planes = [219 * luma + 16]
    for channel, weight in ((2, blue), (0, red)):
        colour = 224 * (signal[..., channel] - luma) / (2 * (1 - weight)) + 128
        planes.append(colour.reshape(HEIGHT // 2, 2, WIDTH // 2, 2).mean(axis=(1, 3)))
    space = 1 if primaries == BT709 else 9
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=10, options={"x265-params": "log-level=none"})
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p10le"
        for each in (stream.codec_context, frame := av.VideoFrame(WIDTH, HEIGHT, "yuv420p10le")):
            each.color_trc, each.color_primaries = transfer, primaries
            each.colorspace, each.color_range = space, 1
        for plane, values in zip(frame.planes, planes, strict=True):
            padded = np.zeros((plane.height, plane.line_size // 2), "<u2")
            padded[:, : values.shape[1]] = np.rint(4 * values)
            plane.update(padded.tobytes())
        for moment in range(4):
            frame.pts = moment
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def luma_spread(picture: np.ndarray) -> float:
    return float((picture.astype(float) @ [0.299, 0.587, 0.114]).std())


@pytest.mark.parametrize("primaries", [BT2020, DISPLAY_P3])
@pytest.mark.parametrize("transfer", [PQ, HLG, SDR])
@pytest.mark.parametrize(
    ("name", "codec"), [("a.mp4", "libx265"), ("a.mov", "libx265"), ("a.mkv", "libx264"), ("a.mkv", "ffv1")]
)
def test_a_film_looks_as_its_twin(
    decode, options: DecodeOptions, tmp_path: Path, name: str, codec: str, transfer: int, primaries: int
) -> None:
    path = film(tmp_path / name, coded(scenery(), transfer, primaries), codec, transfer, primaries)
    decoded = decode(path, using=replace(options, clips=True))
    twin = crop(Image.fromarray(scenery()))
    assert np.abs(decoded.crops[0].astype(int) - twin).mean() < 8
    with Image.open(io.BytesIO(decoded.preview)) as preview:
        shown = np.asarray(preview.convert("RGB"))
    for seen, like in ((decoded.crops[0], twin), (decoded.clips[0, 0], twin), (shown, scenery())):
        assert luma_spread(seen) == pytest.approx(luma_spread(like), rel=0.1)
        assert seen.mean(axis=(0, 1)) == pytest.approx(like.mean(axis=(0, 1)), abs=4)


def test_plain_films_are_left_to_ffmpeg(decode, options: DecodeOptions, tmp_path: Path) -> None:
    path = film(tmp_path / "a.mkv", scenery() / 255, "ffv1", SDR, BT709)
    with av.open(str(path)) as container:
        plain = next(container.decode(video=0)).to_ndarray(format="rgb24", interpolation="AREA")
    assert np.array_equal(decode(path).crops[0], crop(Image.fromarray(plain)))


def test_highlights_stay_apart(decode, tmp_path: Path) -> None:
    """Steps of light from dark to 4,000 cd/m²."""
    steps = np.repeat(np.array([1.0, 20.0, 100.0, 203.0, 500.0, 1000.0, 2000.0, 4000.0]), WIDTH // 8)
    power = (steps / 10_000) ** 0.1593017578125
    signal = ((0.8359375 + 18.8515625 * power) / (1 + 18.6875 * power)) ** 78.84375
    path = film(tmp_path / "a.mkv", np.tile(signal[None, :, None], (HEIGHT, 1, 3)), "ffv1", PQ, BT2020)
    levels = decode(path).whole[0].mean(axis=(0, 2))[14::28]
    assert (np.diff(levels) >= 1).all()
    assert levels[-1] > 250
