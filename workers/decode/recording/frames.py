"""Frames out of a recording's stream, tolerating damage that comes late."""

from __future__ import annotations

from collections.abc import Iterator
from typing import overload

import av.error
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from search.errors import CorruptMediaError

LEAST_FRAMES = 100
"""Frames that must decode without a fault. A recording that breaks sooner is refused; what breaks later (a download cut
short, a lost sector) keeps what could be decoded."""

_MOST_FAULTS = 1000


class NoFrames(Exception):
    """The stream held not one frame that could be decoded, without being broken either."""


@overload
def decode_frames(container: InputContainer, stream: VideoStream, name: str) -> Iterator[VideoFrame]: ...
@overload
def decode_frames(container: InputContainer, stream: AudioStream, name: str) -> Iterator[AudioFrame]: ...
def decode_frames(
    container: InputContainer, stream: VideoStream | AudioStream, name: str
) -> Iterator[VideoFrame] | Iterator[AudioFrame]:
    """Every frame of ``stream`` from where the container stands.

    Raises:
        CorruptMediaError: at a fault within the first ``LEAST_FRAMES``.
    """
    frames = faults = 0
    packets = container.demux(stream)
    while faults < _MOST_FAULTS:
        try:
            packet = next(packets)
            decoded = packet.decode()
        except StopIteration:
            return
        except av.error.EOFError:
            return
        except MemoryError:
            raise
        except av.error.FFmpegError as error:
            if frames < LEAST_FRAMES:
                after = f"after {frames} frames" if frames else "from its start"
                raise CorruptMediaError(
                    f"'{name}' is broken {after}: {error.strerror or type(error).__name__}."
                ) from None
            faults += 1
            continue
        for frame in decoded:
            frames += 1
            yield frame  # type: ignore[misc]
