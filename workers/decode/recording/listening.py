"""Read a sound track: what can be heard of it, as one channel.

A recording of no more seconds than are wanted is read whole. Of a longer one these are its first, unless silence of
more than ``LONG_SILENCE`` seconds lies in them: then such silences are left out, and what follows is read instead.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field

import av
import av.error
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import InputContainer

from search.errors import CorruptMediaError
from workers.decode.decoded import SOUND_RATE
from workers.decode.recording.channels import ChannelLevels, Downmix, Layout, Samples
from workers.decode.recording.frames import NoFrames, Reading, decode_frames

SEARCHED_SECONDS = 1800
"""Seconds from the start that are decoded in search of sound."""
PROBES = 64
"""Moments, evenly spaced over what is left, at which a second is listened to when those are silent."""
LONG_SILENCE = 20
"""Seconds of silence that may stand."""
AUDIBLE_PEAK = 1e-3
"""Peak below which a second is silent, -60 dB of full scale."""

Opened = Callable[[], AbstractContextManager[InputContainer]]


@dataclass(frozen=True, slots=True)
class Track:
    """Samples of a recording, float32 (n,) mono at 16 kHz in [-1, 1].

    Attributes:
        seconds: length of what was read, whether it is among the samples or was left out.
        whole: it was read to its end.
        begins: second of the recording at which the samples begin.
    """

    samples: Samples
    seconds: float
    whole: bool
    begins: float = 0.0

    @property
    def is_audible(self) -> bool:
        return _is_audible(self.samples)


def read_track(opened: Opened, index: int, name: str, reading: Reading, most: int, length: float = 0.0) -> Track:
    """Read a sound track: the mean of its channels, or the loudest of them where they cancel each other.

    Args:
        opened: opens the file anew.
        index: of the stream.
        reading: account of what can be read.
        most: seconds that are wanted.
        length: seconds that the track should have, 0 where that is not known.

    Raises:
        NoFrames: there is not one sample.
        CorruptMediaError: nothing in it can be decoded.
    """
    with opened() as container:
        listener = _Listener(container, index, name, most, length)
        track = listener.listen(reading)
    loudest = listener.levels.loudest_if_cancelled()
    if loudest is None:
        return track
    with opened() as container:
        return _Listener(container, index, name, most, length, loudest).listen(Reading())


class _Listener:
    """Reads one stream as one channel."""

    def __init__(
        self,
        container: InputContainer,
        index: int,
        name: str,
        most: int,
        length: float,
        channel: tuple[int, Layout] | None = None,
    ) -> None:
        stream = container.streams[index]
        assert isinstance(stream, AudioStream)
        self._container, self._stream, self._name = container, stream, name
        self._most, self._length, self._channel = most, length, channel
        self._read = 0.0
        self._ended = False
        self.levels = ChannelLevels()

    def listen(self, reading: Reading) -> Track:
        """
        Raises:
            NoFrames: there is not one sample.
            CorruptMediaError: nothing in it can be decoded.
        """
        first: list[Samples] = []
        heard = _Heard()
        seconds = self._seconds(decode_frames(self._container, self._stream, self._name, reading, self._length))
        for second in seconds:
            if len(first) < self._most:
                first.append(second)
            heard.add(self._read, second)
            self._read += len(second) / SOUND_RATE
            if len(first) == self._most and not heard.left_out:
                break
            if len(first) == self._most and self._channel is None and self.levels.loudest_if_cancelled() is not None:
                break
            if len(heard.kept) >= self._most or self._read >= SEARCHED_SECONDS:
                break
        if not first:
            raise NoFrames
        if self._read <= self._most or not heard.left_out:
            return Track(_normalised(first), self._read, self._ended)
        if not heard.kept and not self._ended and self._length > self._read:
            self._probe(heard)
        if not heard.kept:
            return Track(_normalised(first), self._read, self._ended)
        kept = [*heard.kept, *heard.pause][: self._most]
        return Track(_normalised(kept), self._read, self._ended, heard.begins)

    def _probe(self, heard: _Heard) -> None:
        """Listen to a second at each of ``PROBES`` moments behind what was read; read on from the first with sound."""
        start = float((self._stream.start_time or 0) * (self._stream.time_base or 0))
        for moment in np.linspace(self._read, self._length, PROBES, endpoint=False):
            with contextlib.suppress(av.error.FFmpegError, CorruptMediaError):
                self._container.seek(int((float(moment) + start) * av.time_base))
                at = float(moment)
                for second in self._seconds(decode_frames(self._container, self._stream, self._name)):
                    if not heard.kept and not _is_audible(second):
                        break
                    heard.add(at, second)
                    at += len(second) / SOUND_RATE
                    if len(heard.kept) >= self._most or at - moment >= SEARCHED_SECONDS:
                        break
            if heard.kept:
                return

    def _seconds(self, frames: Iterator[AudioFrame]) -> Iterator[Samples]:
        """Samples at 16 kHz, float32 (16000,), and what is left at the end."""
        downmix = Downmix(self._channel)
        parts: list[Samples] = []
        count = 0
        for frame in frames:
            self.levels.add(frame)
            for part in downmix.add(frame):
                parts.append(part)
                count += len(part)
            if count >= SOUND_RATE:
                samples = np.concatenate(parts)
                whole = count // SOUND_RATE * SOUND_RATE
                yield from np.split(samples[:whole], whole // SOUND_RATE)
                parts, count = [samples[whole:]], count - whole
        parts.extend(downmix.end())
        self._ended = True
        samples = np.concatenate(parts) if parts else np.empty(0, np.float32)
        for at in range(0, len(samples), SOUND_RATE):
            yield samples[at : at + SOUND_RATE]


@dataclass(slots=True)
class _Heard:
    """Seconds of a recording without its long silences.

    Attributes:
        kept: up to the last that is audible.
        pause: those behind it, until they are too many.
        begins: moment of the first.
        left_out: there was a long silence.
    """

    kept: list[Samples] = field(default_factory=list)
    pause: list[Samples] = field(default_factory=list)
    begins: float = 0.0
    left_out: bool = False
    _silent: int = 0

    def add(self, moment: float, second: Samples) -> None:
        if _is_audible(second):
            if not self.kept:
                self.begins = max(0.0, moment - len(self.pause))
            self.kept += [*self.pause, second]
            self.pause, self._silent = [], 0
            return
        self._silent += 1
        self.pause.append(second)
        if self._silent > LONG_SILENCE:
            self.pause, self.left_out = [], True


def _is_audible(samples: Samples) -> bool:
    """Samples that are no numbers count as sound; they are replaced later."""
    return bool(len(samples)) and not max(float(samples.max()), -float(samples.min())) < AUDIBLE_PEAK


def _normalised(seconds: list[Samples]) -> Samples:
    """float32 (n,) samples, finite and scaled into [-1, 1]; float recordings may hold any value."""
    finite = np.nan_to_num(np.concatenate(seconds), nan=0.0, posinf=0.0, neginf=0.0)
    peak = float(np.abs(finite).max(initial=0.0))
    return finite / np.float32(peak) if peak > 1 else finite
