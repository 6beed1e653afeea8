"""Sounds as statistics of their log-mel spectrogram: no weights, any language, any source."""

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
SILENT_PEAK = 1e-4
"""-80 dBFS: what is softer all along is silence."""

_FLOOR = 1e-6
"""Of the loudest mel cell: 60 dB below it there is only noise of the recording or the codec."""


def is_silent(sound: NDArray[np.float32]) -> bool:
    return len(sound) == 0 or float(np.abs(sound).max()) < SILENT_PEAK


class LogMel:
    """Pools a log-mel spectrogram to mean, deviation, and mean and deviation of change, of each of 64 bands.

    Independent of the recording's level: every cell is taken relative to the loudest one.
    """

    def __init__(self) -> None:
        self._mel = MelSpectrogram(
            sample_rate=RATE, n_fft=N_FFT, hop_length=HOP, f_min=LOW, f_max=HIGH, n_mels=MELS, power=2.0
        )

    def embed(self, sound: NDArray[np.float32]) -> Array:
        """One float32 ``(1, 256)`` vector of the sound, not normalised; all zero for silence.

        Args:
            sound: float32 ``(samples,)`` at 16 kHz; shorter than 64 ms is padded with silence.
        """
        if is_silent(sound):
            return np.zeros((1, DIM), np.float32)
        bands = self._spectrogram(sound)
        change = np.abs(np.diff(bands, axis=1))
        pooled = (bands.mean(axis=1), bands.std(axis=1), change.mean(axis=1), change.std(axis=1))
        return np.concatenate(pooled)[None].astype(np.float32)

    def _spectrogram(self, sound: NDArray[np.float32]) -> Array:
        """Natural log of the mel power, float32 ``(64, frames)``, relative to the loudest cell."""
        padded = np.pad(sound, (0, max(0, N_FFT - len(sound))))
        with torch.inference_mode():
            power = self._mel(torch.from_numpy(padded)).numpy()
        bands: Array = np.log(power / power.max() + _FLOOR)
        return bands
