"""Statistics of the log-mel spectrogram of a sound, as its vector; there are no weights."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torchaudio.transforms import MelSpectrogram

from search.store.base import Array
from workers.embedders.sound.rows import RATE, Samples, SoundRows, embed_segments, is_silent
from workers.embedders.sound.standardise import standardise

N_FFT, HOP, MELS = 1024, 160, 64
LOW, HIGH = 60.0, 7800.0
"""An n_fft of 1024 leaves none of 64 filters empty (400 would leave four); 60 Hz keeps the pitch of a man's voice."""

DIM = 4 * MELS

FLOOR = 1e-5
"""Share of the loudest cell's power below which levels are cut: 50 dB below it lie noise and the losses of codecs.
Chosen on spoken digits, speakers, instruments and one recording in seven codecs: 1e-6 separates the codecs, 1e-3 mixes
up speakers."""

WHOLE_SECONDS = 300
"""Seconds of a recording that its one vector of :class:`WholeLogMel` is of."""


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

    def embed(self, sound: Samples) -> Array:
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

    def _power(self, sound: Samples) -> NDArray[np.float64]:
        """Mel power, float64 ``(64, frames)``; at least 7 frames."""
        padded = np.pad(sound, (0, max(0, N_FFT - len(sound))))
        with torch.inference_mode():
            power: NDArray[np.float64] = self._mel(torch.from_numpy(padded)).numpy().astype(np.float64)
        return power


class LogMelRows:
    """A row of ``sound`` for each segment of a recording."""

    def __init__(self) -> None:
        self._model = LogMel()

    def embed(self, chunks: Iterable[Samples]) -> SoundRows:
        """See ``rows.SoundEmbedder``."""
        return embed_segments(chunks, lambda segment: {"sound": standardise(self._model.embed(segment.samples))})


class WholeLogMel:
    """One row of ``sound`` for a whole recording, as libraries of version 0.1 hold it."""

    def __init__(self) -> None:
        self._model = LogMel()

    def embed(self, chunks: Iterable[Samples]) -> SoundRows:
        """See ``rows.SoundEmbedder``. At most the first :data:`WHOLE_SECONDS` are held and heard."""
        sound = np.concatenate([np.empty(0, np.float32), *_first(chunks, WHOLE_SECONDS * RATE)])
        if is_silent(sound):
            return SoundRows.none()
        span = np.array([[0, len(sound) / RATE]], np.float32)
        return SoundRows({"sound": standardise(self._model.embed(sound))}, span, np.empty(0, np.int32))


def logmel_embedder(_device: torch.device) -> LogMelRows:
    """The embedder of ``sound`` without weights."""
    return LogMelRows()


def whole_logmel_embedder(_device: torch.device) -> WholeLogMel:
    """The embedder of ``sound`` in libraries that version 0.1 made."""
    return WholeLogMel()


def _first(chunks: Iterable[Samples], most: int) -> Iterator[Samples]:
    """The first ``most`` samples of a recording; the rest is read and dropped."""
    left = most
    for chunk in chunks:
        yield chunk[:left]
        left -= len(chunk[:left])


def _moments(levels: NDArray[np.float64], weights: NDArray[np.float64]) -> tuple[NDArray[np.float64], ...]:
    """Weighted mean and deviation of each row."""
    shares = weights / weights.sum()
    mean = levels @ shares
    return mean, np.sqrt((levels - mean[:, None]) ** 2 @ shares)
