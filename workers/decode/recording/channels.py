"""Channels of a sound track at 16 kHz: their mean, one of them, and whether the mean cancels what they carry."""

from __future__ import annotations

from dataclasses import dataclass, field

import av.error
import numpy as np
import numpy.typing as npt
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler

from workers.decode.sound import SOUND_RATE, Samples

Layout = tuple[str, str, int]

CANCELLED = 0.2
"""Power of the sum of n channels against the sum of their powers (1 for unrelated channels, n for equal ones, 0 for
opposite ones) below which the mean cancels what they carry."""
MEASURED_AT_FIRST, EVERY = 64, 32
"""Frames that are measured one by one, and one of how many later ones: that says enough of a whole track."""
_MOST_LAYOUTS = 8


class Downmix:
    """Turns frames into float32 samples at 16 kHz: the mean of the channels by FFmpeg's weights, or one channel.

    Args:
        channel: number of the channel, and the layout that has it. Frames of another layout are mixed.
    """

    def __init__(self, channel: tuple[int, Layout] | None = None) -> None:
        self._channel = channel
        self._layout: Layout | None = None
        self._resampler: AudioResampler | None = None

    def add(self, frame: AudioFrame) -> list[Samples]:
        """Samples that are ready. A frame that FFmpeg refuses, as broken files have them, gives none."""
        layout = layout_of(frame)
        if self._resampler is None or layout != self._layout:
            self._layout = layout
            self._resampler = AudioResampler("flt", layout[1] if self._is_chosen else "mono", SOUND_RATE)
        try:
            return self._samples(self._resampler.resample(frame))
        except av.error.FFmpegError:
            self._resampler = None
            return []

    def end(self) -> list[Samples]:
        """What is still to come when there are no more frames."""
        try:
            return self._samples(self._resampler.resample(None)) if self._resampler is not None else []
        except av.error.FFmpegError:
            return []

    @property
    def _is_chosen(self) -> bool:
        return self._channel is not None and self._channel[1] == self._layout

    def _samples(self, frames: list[AudioFrame]) -> list[Samples]:
        at = self._channel[0] if self._channel is not None and self._is_chosen else 0
        return [_by_channel(frame)[:, at] for frame in frames]


def _by_channel(frame: AudioFrame) -> Samples:
    """float32 (n, channels) of a frame of packed floats."""
    return np.asarray(frame.to_ndarray(), np.float32).reshape(frame.samples, -1)


def layout_of(frame: AudioFrame) -> Layout:
    """Format of the samples, names of the channels, samples a second."""
    return frame.format.name, frame.layout.name, frame.sample_rate


@dataclass(slots=True)
class _Powers:
    """Power of the channels of one layout, and of their sum without the deep one."""

    resampler: AudioResampler
    deep: npt.NDArray[np.bool_]
    each: npt.NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))
    together: float = 0.0
    samples: int = 0


class ChannelLevels:
    """Power of each channel of a track, and of their sum, in the frequencies that are analysed.

    The channel of deep effects (LFE) counts only where no other carries anything: common mixes leave it out.
    """

    def __init__(self) -> None:
        self._frames = 0
        self._layouts: dict[Layout, _Powers] = {}

    def add(self, frame: AudioFrame) -> None:
        """Take a frame into account."""
        self._frames += 1
        if frame.layout.nb_channels < 2 or (self._frames > MEASURED_AT_FIRST and self._frames % EVERY):
            return
        layout = layout_of(frame)
        if layout not in self._layouts:
            if len(self._layouts) >= _MOST_LAYOUTS:
                return
            deep = np.array(["LFE" in channel.name.upper() for channel in frame.layout.channels])
            powers = _Powers(AudioResampler("flt", layout[1], SOUND_RATE), deep, np.zeros(len(deep)))
            self._layouts[layout] = powers
        try:
            for part in self._layouts[layout].resampler.resample(frame):
                self._measure(self._layouts[layout], _by_channel(part))
        except av.error.FFmpegError:
            return

    def _measure(self, powers: _Powers, samples: Samples) -> None:
        finite = np.nan_to_num(samples, nan=0.0, posinf=0.0, neginf=0.0)
        powers.each += np.square(finite, dtype=np.float64).sum(axis=0)
        powers.together += float(np.square(finite[:, ~powers.deep].sum(axis=1), dtype=np.float64).sum())
        powers.samples += len(samples)

    def loudest_if_cancelled(self) -> tuple[int, Layout] | None:
        """The channel that carries most, and its layout, if the mean of all carries far less; else None."""
        if not self._layouts:
            return None
        layout, powers = max(self._layouts.items(), key=lambda item: item[1].samples)
        mains = float(powers.each[~powers.deep].sum())
        if not powers.each.max(initial=0.0) > 0 or (mains > 0 and powers.together >= CANCELLED * mains):
            return None
        return int(np.argmax(np.where(powers.deep & (mains > 0), 0, powers.each))), layout
