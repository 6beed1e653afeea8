"""Golden vectors of the log-mel statistics against an independent computation in numpy and scipy."""

from __future__ import annotations

import numpy as np
import pytest

from workers.embedders.sound.logmel import LogMel
from workers.embedders.sound.rows import is_silent


def tone(seconds: float = 1.0, frequency: float = 440.0, seed: int = 0) -> np.ndarray:
    """A decaying tone in a little noise."""
    at = np.arange(int(16_000 * seconds)) / 16_000
    noise = np.random.default_rng(seed).normal(size=len(at)) * 0.01
    return (0.5 * np.sin(2 * np.pi * frequency * at) * np.exp(-2 * at) + noise).astype(np.float32)


def mel_filters() -> np.ndarray:
    """64 triangles whose corners lie evenly on O'Shaughnessy's mel scale between 60 and 7800 Hz; (64, 513)."""
    mels = np.linspace(2595 * np.log10(1 + 60 / 700), 2595 * np.log10(1 + 7800 / 700), 66)
    corners = 700 * (10 ** (mels / 2595) - 1)
    bins = np.linspace(0, 8000, 513)
    filters = np.zeros((64, 513))
    for i, (left, peak, right) in enumerate(zip(corners, corners[1:], corners[2:], strict=False)):
        filters[i] = np.interp(bins, [left, peak, right], [0, 1, 0], left=0, right=0)
    return filters


def reference(sound: np.ndarray) -> np.ndarray:
    from scipy.signal import get_window

    padded = np.pad(sound.astype(np.float64), 512, mode="reflect")
    frames = np.lib.stride_tricks.sliding_window_view(padded, 1024)[::160]
    spectrum = np.abs(np.fft.rfft(frames * get_window("hann", 1024), axis=1)) ** 2
    power = mel_filters() @ spectrum.T
    levels = np.log(power / power.max() + 1e-5)
    energy = power.sum(0)
    weights = np.sqrt(energy / energy.max() + 1e-5)
    change = np.abs(levels[:, 1:] - levels[:, :-1])
    parts = []
    for values, weight in ((levels, weights), (change, weights[1:])):
        mean = np.average(values, axis=1, weights=weight)
        parts += [mean, np.sqrt(np.average((values - mean[:, None]) ** 2, axis=1, weights=weight))]
    return np.concatenate(parts)


@pytest.mark.parametrize("sound", [tone(), tone(0.3, 150), tone(2.5, 3000)], ids=["1s", "short", "high"])
def test_gives_the_statistics_of_the_reference(sound: np.ndarray) -> None:
    vector = LogMel().embed(sound)
    assert vector.shape == (1, 256)
    assert vector.dtype == np.float32
    np.testing.assert_allclose(vector[0], reference(sound), atol=2e-3)
    np.testing.assert_array_equal(vector, LogMel().embed(sound))


def test_no_filter_is_empty() -> None:
    assert (mel_filters().sum(axis=1) > 0).all()
    noise = np.random.default_rng(1).normal(size=16_000).astype(np.float32) * 0.1
    assert (LogMel().embed(noise)[0, :64] > -8).all()


def test_level_does_not_matter() -> None:
    np.testing.assert_allclose(LogMel().embed(tone()), LogMel().embed(tone() * 0.01), atol=1e-4)


def test_different_sounds_differ_more_than_the_same_sound_softer() -> None:
    embed = LogMel().embed
    assert np.abs(embed(tone()) - embed(tone(frequency=880))).max() > 1


@pytest.mark.parametrize("samples", [1, 2, 100, 1023, 1024, 1025])
def test_very_short_sounds_are_finite(samples: int) -> None:
    assert np.isfinite(LogMel().embed(tone()[:samples] + np.float32(0.1))).all()


@pytest.mark.parametrize(
    "sound",
    [np.zeros(16_000), np.full(16_000, 5e-5), np.zeros(0), np.full(16_000, 0.5)],
    ids=["zero", "below -80 dBFS", "empty", "constant"],
)
def test_silence_is_finite(sound: np.ndarray) -> None:
    assert np.isfinite(LogMel().embed(sound.astype(np.float32))).all()


def test_silence_is_told_by_its_peak() -> None:
    assert is_silent(np.full(100, 9e-5, np.float32))
    assert not is_silent(np.array([0, 0, -2e-4], np.float32))
