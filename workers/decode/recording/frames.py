"""Decode the frames of a stream; damage in its later part is tolerated."""

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
"""Frames that must decode without a fault. A recording that breaks sooner is refused; of one that breaks later (an
incomplete download, a lost sector) the decodable part is used."""

_MOST_FAULTS = 1000


class NoFrames(Exception):
    """The stream holds no frame that can be decoded, but is not broken either."""


@overload
def decode_frames(container: InputContainer, stream: VideoStream, name: str) -> Iterator[VideoFrame]: ...
@overload
def decode_frames(container: InputContainer, stream: AudioStream, name: str) -> Iterator[AudioFrame]: ...
def decode_frames(
    container: InputContainer, stream: VideoStream | AudioStream, name: str
) -> Iterator[VideoFrame] | Iterator[AudioFrame]:
    """Every frame of ``stream`` from the container's position on.

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
