"""Small media made on the spot."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from search.media import Kind
from search.settings import Settings
from workers.decode.decoded import Decoded
from workers.decode.file import decode_file
from workers.decode.opened import open_media
from workers.decode.sandbox.options import DecodeOptions
from workers.decode.sound import Sound

Decode = Callable[..., Decoded]


@pytest.fixture
def options() -> DecodeOptions:
    return DecodeOptions.of(Settings())


@pytest.fixture
def decode(options: DecodeOptions) -> Decode:
    """Decode in this process: for what the decoders do, not for what the sandbox prevents."""

    def run(path: Path, kind: Kind | None = None, using: DecodeOptions = options) -> Decoded:
        with open_media(str(path), using.max_bytes) as media:
            return decode_file(media, kind, using, Sound())

    return run


@pytest.fixture
def decoders_are_kept() -> None:
    """Here it is the children themselves that are tested."""


@pytest.fixture(scope="session")
def photo() -> Image.Image:
    """320 x 240 RGB with enough going on to be told from others: smooth colours, an edge, a grid."""
    y, x = np.mgrid[0:240, 0:320].astype(np.float32)
    red = 127 + 120 * np.sin(x / 23 + y / 41)
    green = np.where(x + y < 260, 220, 40) + 20 * np.sin(y / 7)
    blue = 255 * x / 320
    return Image.fromarray(np.stack([red, green, blue], -1).clip(0, 255).astype(np.uint8))


def _write_video(
    path: Path,
    frames: Sequence[npt.NDArray[np.uint8]],
    *,
    rate: int = 10,
    codec: str = "libx264",
    gop: int = 12,
    tone: bool = False,
) -> Path:
    """Encode ``frames``, uint8 (h, w, 3), and on request two channels of a 440 Hz tone as long as they last."""
    with av.open(str(path), "w") as container:
        video = container.add_stream(codec, rate=rate)
        video.height, video.width = frames[0].shape[:2]
        video.pix_fmt = "yuv420p"
        video.gop_size = gop
        audio = container.add_stream("libopus" if path.suffix == ".webm" else "aac", rate=48000) if tone else None
        for frame in frames:
            container.mux(video.encode(av.VideoFrame.from_ndarray(frame, "rgb24")))
        container.mux(video.encode(None))
        if audio is not None:
            _encode(container, audio, np.tile(_sine(len(frames) / rate, 48000), (2, 1)), 48000)
    return path


def _write_sound(path: Path, samples: npt.NDArray[np.float32], rate: int, codec: str) -> Path:
    """Encode ``samples``, float32 (channels, n)."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=rate, layout="stereo" if len(samples) == 2 else "mono")
        _encode(container, stream, samples, rate)
    return path


def _encode(container, stream, samples: npt.NDArray[np.float32], rate: int) -> None:
    frame = av.AudioFrame.from_ndarray(
        np.ascontiguousarray(samples, np.float32), "fltp", "stereo" if len(samples) == 2 else "mono"
    )
    frame.sample_rate = rate
    resampler = av.AudioResampler(
        stream.codec_context.format, stream.codec_context.layout, rate, stream.codec_context.frame_size or None
    )
    for part in [*resampler.resample(frame), *resampler.resample(None)]:
        container.mux(stream.encode(part))
    container.mux(stream.encode(None))


def _sine(seconds: float, rate: int, hertz: float = 440.0) -> npt.NDArray[np.float32]:
    return (0.5 * np.sin(2 * np.pi * hertz * np.arange(int(seconds * rate)) / rate)).astype(np.float32)


def _scene(seed: int, height: int = 96, width: int = 128) -> npt.NDArray[np.uint8]:
    """A picture of its own colours, uint8 (height, width, 3)."""
    numbers = np.random.default_rng(seed)
    base, spread = numbers.integers(0, 256, 3), 30
    blocks = numbers.integers(-spread, spread, (height // 16, width // 16, 3)) + base
    return np.kron(blocks.clip(0, 255), np.ones((16, 16, 1))).astype(np.uint8)


@pytest.fixture
def write_video() -> Callable[..., Path]:
    return _write_video


@pytest.fixture
def write_sound() -> Callable[..., Path]:
    return _write_sound


@pytest.fixture
def sine() -> Callable[..., npt.NDArray[np.float32]]:
    return _sine


@pytest.fixture
def scene() -> Callable[..., npt.NDArray[np.uint8]]:
    return _scene
