"""Read a sound track from its start to its end: what can be heard of it, as one channel.

Samples go on as they are decoded, so that a recording of ten hours takes the memory of one of ten minutes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import InputContainer

from workers.decode.fingerprints.landmarks import SoundLandmarks
from workers.decode.perceptual import SoundFingerprint
from workers.decode.recording.channels import ChannelLevels, Downmix, Layout
from workers.decode.recording.frames import NoFrames, Reading, decode_frames
from workers.decode.sound import SOUND_RATE, Samples, Sound, cleaned
from workers.decode.thinned import Thinned

JUDGED_SECONDS = 300
"""Seconds from the start after which channels that cancelled each other so far are not mixed any further."""
AUDIBLE_PEAK = 1e-3
"""Peak below which a second is silent, -60 dB of full scale."""
_PEAK_SAMPLES = 16
"""Samples of a peak of the waveform, one millisecond; of more than half a minute, neighbouring peaks are joined."""

Opened = Callable[[], AbstractContextManager[InputContainer]]


@dataclass(frozen=True, slots=True)
class Track:
    """What was read of a recording, beside its samples.

    Attributes:
        seconds: its length.
        whole: it was read to its end.
        is_audible: there is sound in it.
        peaks: greatest absolute values of equal stretches, float32 (n,).
        fingerprint: see ``perceptual.SoundFingerprint``.
        landmarks: uint32 (2, k), see ``search.similar.reuse.footprints``.
    """

    seconds: float
    whole: bool
    is_audible: bool
    peaks: npt.NDArray[np.float32]
    fingerprint: str | None
    landmarks: npt.NDArray[np.uint32]


def read_track(
    opened: Opened, index: int, name: str, reading: Reading, sound: Sound, most: float, length: float = 0.0
) -> Track:
    """Read a sound track: the mean of its channels, or the loudest of them where they cancel each other.

    Args:
        opened: opens the file anew.
        index: of the stream.
        reading: account of what can be read.
        sound: takes the samples, in place of what it holds.
        most: seconds behind which the rest is left out.
        length: seconds that the track should have, 0 where that is not known.

    Raises:
        NoFrames: there is not one sample.
        CorruptMediaError: nothing in it can be decoded.
    """
    sound.restart()
    with opened() as container:
        listener = _Listener(container, index, name, length)
        track = listener.listen(reading, sound, most)
    loudest = listener.levels.loudest_if_cancelled()
    if loudest is None:
        return track
    sound.restart()
    with opened() as container:
        return _Listener(container, index, name, length, loudest).listen(Reading(), sound, most)


class _Listener:
    """Reads one stream as one channel."""

    def __init__(
        self,
        container: InputContainer,
        index: int,
        name: str,
        length: float,
        channel: tuple[int, Layout] | None = None,
    ) -> None:
        stream = container.streams[index]
        assert isinstance(stream, AudioStream)
        self._container, self._stream, self._name = container, stream, name
        self._length, self._channel = length, channel
        self._ended = False
        self.levels = ChannelLevels()

    def listen(self, reading: Reading, sound: Sound, most: float) -> Track:
        """
        Raises:
            NoFrames: there is not one sample.
            CorruptMediaError: nothing in it can be decoded.
        """
        heard = _Heard()
        frames = decode_frames(self._container, self._stream, self._name, reading, self._length)
        for count, second in enumerate(self._seconds(frames), 1):
            sound.add(second)
            heard.add(second)
            if count >= most:
                break
            if count == JUDGED_SECONDS and self._channel is None and self.levels.loudest_if_cancelled() is not None:
                break
        if not heard.samples:
            raise NoFrames
        return heard.track(whole=self._ended)

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
                samples = cleaned(np.concatenate(parts))
                whole = count // SOUND_RATE * SOUND_RATE
                yield from np.split(samples[:whole], whole // SOUND_RATE)
                parts, count = [samples[whole:]], count - whole
        parts.extend(downmix.end())
        self._ended = True
        samples = cleaned(np.concatenate(parts)) if parts else np.empty(0, np.float32)
        for at in range(0, len(samples), SOUND_RATE):
            yield samples[at : at + SOUND_RATE]


def _greatest(groups: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    return np.asarray(groups.max(axis=1), np.float32)


@dataclass(slots=True)
class _Heard:
    """What follows from the samples of a recording, taken in pieces."""

    samples: int = 0
    _audible: bool = False
    _peaks: Thinned = field(default_factory=lambda: Thinned(_greatest))
    _fingerprint: SoundFingerprint = field(default_factory=SoundFingerprint)
    _landmarks: SoundLandmarks = field(default_factory=SoundLandmarks)

    def add(self, second: Samples) -> None:
        """Take float32 (n,) finite samples into account; of all but the last piece, whole seconds."""
        if not len(second):
            return
        levels = np.abs(second)
        whole = len(levels) // _PEAK_SAMPLES * _PEAK_SAMPLES
        self._peaks.add(levels[:whole].reshape(-1, _PEAK_SAMPLES).max(axis=1, keepdims=True))
        if whole < len(levels):
            self._peaks.add(levels[whole:].max(keepdims=True)[:, np.newaxis])
        self._audible = self._audible or float(levels.max()) >= AUDIBLE_PEAK
        self._fingerprint.add(second)
        self._landmarks.add(second)
        self.samples += len(second)

    def track(self, *, whole: bool) -> Track:
        return Track(
            seconds=self.samples / SOUND_RATE,
            whole=whole,
            is_audible=self._audible,
            peaks=self._peaks.rows()[:, 0],
            fingerprint=self._fingerprint.text(),
            landmarks=self._landmarks.pairs(),
        )
