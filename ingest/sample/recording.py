"""Write sounds and films into containers, with the same bytes every time."""

from __future__ import annotations

import io
from collections.abc import Iterable
from fractions import Fraction
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

SOUND_FORMATS = {
    "wav": ("wav", "pcm_s16le", 0),
    "flac": ("flac", "flac", 0),
    "mp3": ("mp3", "libmp3lame", 96_000),
    "ogg": ("ogg", "flac", 0),
    "opus": ("ogg", "libopus", 64_000),
    "m4a": ("ipod", "aac", 96_000),
}
"""Extension to container, encoder and bits a second."""

FILM_FORMATS = {"mp4": ("libx264", "aac"), "webm": ("libvpx-vp9", "libopus"), "mkv": ("libx264", "aac")}
"""Extension, which is also the container's name save for mkv, to the encoders of picture and sound."""

CONTAINERS = {"mp4": "mp4", "webm": "webm", "mkv": "matroska"}

ENCODER_OPTIONS = {
    "libx264": {"preset": "veryfast", "crf": "24", "threads": "1"},
    "libvpx-vp9": {"deadline": "realtime", "cpu-used": "8", "crf": "34", "b": "0", "threads": "1"},
}

REPRODUCIBLE = {"fflags": "+bitexact"}
"""Keeps containers from writing random serial numbers and the date."""


def encode_sound(samples: NDArray[np.floating[Any]], rate: int, extension: str) -> bytes:
    """Mono samples (n,) within [-1, 1] as a sound file."""
    container_name, codec, bit_rate = SOUND_FORMATS[extension]
    buffer = io.BytesIO()
    with av.open(buffer, "w", format=container_name, container_options=REPRODUCIBLE) as container:
        stream = add_sound_stream(container, codec, rate, bit_rate)
        write_sound(container, stream, samples, rate)
    return buffer.getvalue()


def encode_film(
    frames: Iterable[NDArray[np.uint8]],
    size: tuple[int, int],
    frame_rate: int,
    extension: str,
    sound: NDArray[np.floating[Any]] | None = None,
    sound_rate: int = 48_000,
) -> bytes:
    """Frames, uint8 (height, width, 3) RGB, as a film, with a mono sound track if there is one.

    Args:
        size: width and height in pixels, both even.
    """
    picture_codec, sound_codec = FILM_FORMATS[extension]
    buffer = io.BytesIO()
    with av.open(buffer, "w", format=CONTAINERS[extension], container_options=REPRODUCIBLE) as container:
        stream = container.add_stream(picture_codec, rate=frame_rate, options=ENCODER_OPTIONS[picture_codec])
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height = size
        stream.pix_fmt = "yuv420p"
        track = add_sound_stream(container, sound_codec, sound_rate, 96_000) if sound is not None else None
        for number, pixels in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels), format="rgb24")
            frame.pts = number
            frame.time_base = Fraction(1, frame_rate)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
        if track is not None and sound is not None:
            write_sound(container, track, sound, sound_rate)
    return buffer.getvalue()


def add_sound_stream(container: av.container.OutputContainer, codec: str, rate: int, bit_rate: int) -> av.AudioStream:
    """Add a mono stream to a container; ``bit_rate`` 0 leaves that to the encoder."""
    stream = container.add_stream(codec, rate=rate, layout="mono", options={"threads": "1"})
    assert isinstance(stream, av.AudioStream)
    if bit_rate:
        stream.bit_rate = bit_rate
    return stream


def write_sound(
    container: av.container.OutputContainer, stream: av.AudioStream, samples: NDArray[np.floating[Any]], rate: int
) -> None:
    """Encode mono samples (n,) within [-1, 1]; PyAV cuts them into the frames of the encoder."""
    pcm = np.asarray(np.clip(samples, -1, 1) * 32_767, np.int16)[None, :]
    frame = av.AudioFrame.from_ndarray(pcm, format="s16", layout="mono")
    frame.sample_rate = rate
    frame.pts = 0
    frame.time_base = Fraction(1, rate)
    container.mux(stream.encode(frame))
    container.mux(stream.encode())
