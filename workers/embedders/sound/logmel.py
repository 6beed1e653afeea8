"""Statistics of the log-mel spectrogram of a sound, as its vector; there are no weights."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torchaudio.transforms import MelSpectrogram

from search.store.base import Array

RATE = 16_000
N_FFT, HOP, MELS = 1024, 160, 64
LOW, HIGH = 60.0, 7800.0
"""An n_fft of 1024 leaves none of 64 filters empty (400 would leave four); 60 Hz keeps the pitch of a man's voice."""

DIM = 4 * MELS

FLOOR = 1e-5
"""Share of the loudest cell's power below which levels are cut: 50 dB below it lie noise and the losses of codecs.
Chosen on spoken digits, speakers, instruments and one recording in seven codecs: 1e-6 separates the codecs, 1e-3 mixes
up speakers."""

SILENT_PEAK = 1e-4
"""Peak of a silent sound, -80 dBFS."""


def is_silent(sound: NDArray[np.float32]) -> bool:
    """Whether a sound, float32 ``(samples,)`` in [-1, 1], is empty or stays below :data:`SILENT_PEAK`."""
    return len(sound) == 0 or float(np.abs(sound).max()) < SILENT_PEAK


class LogMel:
    """Pools a log-mel spectrogram to four statistics of each of 64 bands: mean and deviation of the level, and mean and
    deviation of its change from frame to frame.

    Frames are weighted by amplitude, so that pauses and a decaying tail count little. Levels are relative to the
    loudest cell, so that the recording's gain does not matter.
    """

    def __init__(self) -> None:
        self._mel = MelSpectrogram(
            sample_rate=RATE, n_fft=N_FFT, hop_length=HOP, f_min=LOW, f_max=HIGH, n_mels=MELS, power=2.0
        )

    def embed(self, sound: NDArray[np.float32]) -> Array:
        """One float32 ``(1, 256)`` vector of the sound, not normalised; zeros for a silent one.

        Args:
            sound: float32 ``(samples,)`` at 16 kHz; shorter than 64 ms is padded with silence.
        """
        if is_silent(sound):
            return np.zeros((1, DIM), np.float32)
        power = self._power(sound)
        if not power.any():
            return np.zeros((1, DIM), np.float32)
        levels = np.log(power / power.max() + FLOOR)
        energy = power.sum(axis=0)
        weights = np.sqrt(energy / energy.max() + FLOOR)
        change = np.abs(np.diff(levels, axis=1))
        pooled: Array = np.concatenate([*_moments(levels, weights), *_moments(change, weights[1:])])
        return pooled[None].astype(np.float32)

    def _power(self, sound: NDArray[np.float32]) -> NDArray[np.float64]:
        """Mel power, float64 ``(64, frames)``; at least 7 frames."""
        padded = np.pad(sound, (0, max(0, N_FFT - len(sound))))
        with torch.inference_mode():
            power: NDArray[np.float64] = self._mel(torch.from_numpy(padded)).numpy().astype(np.float64)
        return power


def logmel_embedder() -> LogMel:
    """The embedder of ``sound_raw``; it has no weights."""
    return LogMel()


def _moments(levels: NDArray[np.float64], weights: NDArray[np.float64]) -> tuple[NDArray[np.float64], ...]:
    """Weighted mean and deviation of each row."""
    shares = weights / weights.sum()
    mean = levels @ shares
    return mean, np.sqrt((levels - mean[:, None]) ** 2 @ shares)
