"""Decode the frames of a stream past whatever is broken in it, and keep account of what could not be read."""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import overload

import av
import av.error
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.packet import Packet
from av.stream import Stream
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from search.errors import CorruptMediaError

_MOST_FAULTS = 100_000
_REORDERED = 8
"""Packets by which the moments of a film may lag behind their places."""
_MOST_GAPS = 10_000
_MOST_RESTARTS = 8
"""Attempts to go on reading where the container itself is broken."""
_TAGS = (b"APETAGEX", b"LYRICSBEGIN", b"LYRICS200", b"TAG", b"ID3")
"""What programs leave between and behind the frames of sounds."""
_UNINDEXED = ("h264", "hevc", "m4v", "mpeg", "mpegts", "mpegvideo")
"""Formats of films that can begin anywhere: what comes before the first frame that can be decoded is not damage."""
RESUMED = ("asf", "flv", "matroska")
"""Formats with an index, by which FFmpeg finds frames beyond a broken part that it gave up at."""


class NoFrames(Exception):
    """The stream holds no frame that can be decoded, but is not broken either."""


@dataclass(slots=True)
class Gap:
    """Seconds without a frame, and bytes of the file there that belong to none."""

    seconds: float
    idle_bytes: int


@dataclass(slots=True)
class Reading:
    """What was read of one stream, from its start on, and what was not.

    Attributes:
        unit: seconds of a step of the stream's times.
        frames: decoded.  packets: read and decoded.  faults: packets, or places between them, that could not be read.
        fault_runs: how often a fault follows on a good packet.
        reason: FFmpeg's word for the first fault.
        lost, lost_bytes: seconds and bytes of faulty packets before the last good one.
        trailing, trailing_bytes: of those behind it.
        read_bytes: bytes of good packets.
        start, end: moments of the first and the last packet, seconds.
        first: byte of the file at which the packets begin.
        position: first byte behind all packets of any stream that was read.
        gaps: where the moments jump.
        idle_bytes: bytes between packets that belong to none.
        complete: the stream was read to its end.
    """

    unit: float = 0.0
    frames: int = 0
    packets: int = 0
    faults: int = 0
    fault_runs: int = 0
    reason: str = ""
    lost: float = 0.0
    lost_bytes: int = 0
    trailing: float = 0.0
    trailing_bytes: int = 0
    read_bytes: int = 0
    start: float | None = None
    end: float = 0.0
    first: int | None = None
    position: int = 0
    gaps: list[Gap] = field(default_factory=list)
    idle_bytes: int = 0
    complete: bool = False
    _idle: int = 0
    _recent: deque[int] = field(default_factory=lambda: deque(maxlen=_REORDERED))
    _cut: float = 0.0
    _cut_bytes: int = 0
    _next: float | None = None
    _failing: bool = False

    def pass_by(self, packet: Packet[Stream]) -> None:
        """Note the place of a packet of any stream."""
        if packet.pos is None or packet.pos < 0 or not packet.size:
            return
        self.first = packet.pos if self.first is None else self.first
        if self.position and packet.pos > self.position:
            self._idle += packet.pos - self.position
            self.idle_bytes += packet.pos - self.position
        self.position = max(self.position, packet.pos + packet.size)

    def take(self, packet: Packet[Stream]) -> None:
        """Note the moment of a packet of the stream itself, and the gap before it."""
        moment = packet.dts if packet.dts is not None else packet.pts
        if moment is None or not packet.size:
            return
        idle, self._idle = self._idle, 0
        now, seconds = moment * self.unit, self._seconds(packet)
        if self._next is not None and now - self._next > max(0.04, 2.5 * seconds) and len(self.gaps) < _MOST_GAPS:
            self.gaps.append(Gap(now - self._next, sum(self._recent) + idle))
        self._recent.append(idle)
        self.start = now if self.start is None else min(self.start, now)
        self._next = now + seconds
        self.end = max(self.end, self._next)

    def succeed(self, packet: Packet[Stream], frames: int) -> None:
        """Note a packet that was decoded.

        One of which FFmpeg knows that bytes are missing counts as lost if others follow: the last of a file may be cut.
        """
        self.frames += frames
        self.packets += 1
        self._failing = False
        if packet.is_corrupt:
            self._cut += self._seconds(packet)
            self._cut_bytes += packet.size
            return
        self.read_bytes += packet.size
        if frames:
            self.lost, self.lost_bytes = self.lost + self._cut + self.trailing, self.lost_bytes + self._cut_bytes
            self.lost_bytes += self.trailing_bytes
            self._cut = self.trailing = 0.0
            self._cut_bytes = self.trailing_bytes = 0

    def fail(
        self, error: av.error.FFmpegError, packet: Packet[Stream] | None = None, begun_anywhere: bool = False
    ) -> None:
        self.reason = self.reason or error.strerror or type(error).__name__
        self.faults += 1
        self.fault_runs += not self._failing
        self._failing = True
        if packet is None or (begun_anywhere and not self.frames) or bytes(packet)[:64].strip(b"\0").startswith(_TAGS):
            return
        self.trailing += self._seconds(packet)
        self.trailing_bytes += packet.size

    def _seconds(self, packet: Packet[Stream]) -> float:
        return (packet.duration or 0) * self.unit


@overload
def decode_frames(
    container: InputContainer, stream: VideoStream, name: str, reading: Reading | None = None, length: float = 0.0
) -> Iterator[VideoFrame]: ...
@overload
def decode_frames(
    container: InputContainer, stream: AudioStream, name: str, reading: Reading | None = None, length: float = 0.0
) -> Iterator[AudioFrame]: ...
def decode_frames(
    container: InputContainer,
    stream: VideoStream | AudioStream,
    name: str,
    reading: Reading | None = None,
    length: float = 0.0,
) -> Iterator[VideoFrame] | Iterator[AudioFrame]:
    """Every frame of ``stream`` that can be decoded, from the container's position on.

    Args:
        reading: account to keep.
        length: seconds that the stream should have. If it ends sooner, and not at the end of the file, it is looked for
            further on.

    Raises:
        CorruptMediaError: there are faults, and not one frame.
    """
    account = reading or Reading()
    family = container.format.name.split(",")[0]
    yield from _decode(container, stream, account, family)
    if length and family in RESUMED:
        start, broken_at = account.start or 0.0, account.end
        for step in range(1, _MOST_RESTARTS + 1):
            target = broken_at + (start + length - broken_at) * step / (_MOST_RESTARTS + 1)
            if target <= account.end:
                continue
            if start + length - account.end < max(1.0, length / 32) or account.position > container.size * 7 / 8:
                break
            with contextlib.suppress(av.error.FFmpegError):
                container.seek(int(target / float(stream.time_base or 1)), backward=False, stream=stream)
                yield from _decode(container, stream, account, family)
    if account.faults and not account.frames:
        raise CorruptMediaError(f"'{name}' is broken from its start: {account.reason}.")


def _decode(
    container: InputContainer, stream: VideoStream | AudioStream, account: Reading, family: str
) -> Iterator[VideoFrame | AudioFrame]:
    packets, restarts = container.demux(), 0
    account.unit = float(stream.time_base or 0)
    while account.faults < _MOST_FAULTS:
        try:
            packet = next(packets)
        except (StopIteration, av.error.EOFError):
            account.complete = True
            return
        except MemoryError:
            raise
        except av.error.FFmpegError as error:
            account.fail(error)
            restarts += 1
            if restarts > _MOST_RESTARTS:
                account.complete = True
                return
            packets = container.demux()
            continue
        account.pass_by(packet)
        if packet.stream.index != stream.index:
            continue
        account.take(packet)
        try:
            decoded: list[VideoFrame] | list[AudioFrame] = packet.decode()  # type: ignore[assignment]
        except MemoryError:
            raise
        except av.error.EOFError:
            account.complete = True
            return
        except av.error.FFmpegError as error:
            account.fail(error, packet, isinstance(stream, VideoStream) and family in _UNINDEXED)
            continue
        account.succeed(packet, len(decoded))
        yield from decoded
