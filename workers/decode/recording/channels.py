"""Channels of a sound track: how loud each is, and whether their mean cancels what they carry."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from av.audio.frame import AudioFrame

from workers.decode.decoded import SOUND_RATE

CANCELLED = 0.2
"""Power of the sum of n channels against the sum of their powers (1 for unrelated channels, n for equal ones, 0 for
opposite ones) below which the mean cancels what they carry."""


EVERY = 8
"""One frame of so many is measured, after the first ``EVERY`` squared: that says enough of a whole track."""


class ChannelLevels:
    """Power of each channel of a track, and of their sum.

    The channel of deep effects (LFE) counts only where no other carries anything: common mixes leave it out.
    """

    def __init__(self) -> None:
        self._frames = 0
        self._powers: npt.NDArray[np.float64] = np.zeros(0)
        self._sum = 0.0
        self._deep: npt.NDArray[np.bool_] = np.zeros(0, bool)

    def add(self, frame: AudioFrame) -> None:
        """Take a frame into account."""
        self._frames += 1
        if self._frames > EVERY**2 and self._frames % EVERY:
            return
        samples = _lower(channels_of(frame), frame.sample_rate // SOUND_RATE)
        if len(samples) < 2:
            return
        if len(samples) != len(self._powers):
            self._powers, self._sum = np.zeros(len(samples)), 0.0
            self._deep = np.array(["LFE" in channel.name.upper() for channel in frame.layout.channels])
        self._powers += np.square(samples).sum(axis=1)
        together = samples[~self._deep].sum(axis=0)
        self._sum += float(np.square(together).sum())

    def loudest_if_cancelled(self) -> int | None:
        """Number of the channel that carries most, if the mean of all carries far less; else None."""
        if not len(self._powers) or not self._powers.max() > 0:
            return None
        mains = float(self._powers[~self._deep].sum())
        if self._sum >= CANCELLED * mains and mains > 0:
            return None
        return int(np.argmax(np.where(self._deep & (mains > 0), 0, self._powers)))


def _lower(samples: npt.NDArray[np.float32], factor: int) -> npt.NDArray[np.float32]:
    """About the frequencies that are analysed: means of ``factor`` samples. Codecs join the channels' upper ones."""
    if factor < 2:
        return samples
    whole = samples.shape[1] // factor * factor
    return np.asarray(samples[:, :whole].reshape(len(samples), -1, factor).mean(axis=2), np.float32)


def channels_of(frame: AudioFrame) -> npt.NDArray[np.float32]:
    """Samples, float32 (channels, n), full scale 1; floats as they are, but finite."""
    values = frame.to_ndarray()
    if not frame.format.is_planar:
        values = values.reshape(-1, len(frame.layout.channels)).T
    if values.dtype == np.uint8:
        return np.asarray((values.astype(np.float32) - 128) / 128, np.float32)
    if values.dtype.kind == "i":
        return np.asarray(values.astype(np.float32) / float(1 << (8 * values.dtype.itemsize - 1)), np.float32)
    samples = values.astype(np.float32)
    return samples if np.isfinite(samples).all() else np.nan_to_num(samples, nan=0.0, posinf=0.0, neginf=0.0)


def one_channel(frame: AudioFrame, channel: int) -> AudioFrame:
    """A mono frame of one channel."""
    samples = channels_of(frame)
    alone = AudioFrame.from_ndarray(np.ascontiguousarray(samples[min(channel, len(samples) - 1)][None]), "fltp", "mono")
    alone.sample_rate, alone.pts, alone.time_base = frame.sample_rate, frame.pts, frame.time_base
    return alone
