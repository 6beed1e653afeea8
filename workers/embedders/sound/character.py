"""Says in plain words what kind of sound a recording is: coarse classes that are measured, not learnt.

``speech``, and ``high voice`` or ``low voice`` by its pitch, which says nothing about a person; of what is no speech
``tonal``, with ``high-pitched`` or ``low-pitched``, ``percussive``, ``noise``; of everything ``loud`` or ``quiet``,
``fast`` or ``slow`` by the number of onsets; ``silence``. A word is said only where the measurement is clear, so many
recordings have none of a pair. They become tags, which words find. ``tests/benchmarks/bench_sound_words.py`` prints how
often each is right.

Thresholds lie between the medians of labelled sounds (instruments of FSD, samples of Sonic Pi, voices of LibriSpeech).
Sources: spectral flatness: Johnston, "Transform coding of audio signals using perceptual noise criteria", IEEE J-SAC 6
(1988); percussive share by median filters: Fitzgerald, "Harmonic/percussive separation using median filtering",
DAFx-10; pitch by autocorrelation divided by the window's: Boersma, "Accurate short-term analysis of the fundamental
frequency", IFA Proceedings 17 (1993); spectral flux: Bello et al., "A tutorial on onset detection in music signals",
IEEE Trans. Speech and Audio Processing 13 (2005).
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from workers.embedders.sound.rows import RATE, Samples

Floats = npt.NDArray[np.float64]

FRAME, HOP = 1024, 512
PITCH_FRAME = 2048
LOWEST, HIGHEST = 60, 1000
"""Hertz between which a pitch is looked for."""

TONAL, FLAT = 0.8, 0.02
"""Least mean periodicity of a tonal sound, and its greatest spectral flatness."""
PERCUSSIVE = 0.4
"""Least share of a percussive sound's power that is broad in frequency and short in time."""
NOISY = 0.1
"""Least spectral flatness of noise."""
LOW_PITCH, HIGH_PITCH = 130.0, 500.0
LOW_VOICE, HIGH_VOICE = 145.0, 170.0
"""Hertz, medians of voiced frames. Adults' speaking voices lie around 110 and 200 Hz."""
LOUD, QUIET = -12.0, -36.0
"""Root mean square in dB of full scale."""
FAST, SLOW = 4.0, 1.0
"""Onsets a second."""
FEWEST_ONSETS = 4
"""Onsets that a speed is told from at least."""
SPOKEN = 0.5
"""Share of the segments with speech from which on a recording is speech."""

_BANDS = np.unique(np.geomspace(4, 480, 49).astype(int))
"""First bins of bands of about a sixth of an octave, 60 to 7,500 Hz."""
_DIP = 0.3
"""The first peak of an autocorrelation, at a lag of 0, ends where it falls below this."""
_VOICED = 0.6
"""Periodicity of a frame that has a pitch."""
_ONSET = 0.05
"""Least rise of the mean log level of the bands, relative to the loudest, that is an onset."""


@dataclass(slots=True)
class SoundCharacter:
    """What has been measured of the segments of a recording so far; sums, so that its length does not matter."""

    power: float = 0.0
    samples: int = 0
    flatness: float = 0.0
    percussive: float = 0.0
    periodicity: float = 0.0
    weight: float = 0.0
    segments: int = 0
    spoken: int = 0
    onsets: int = 0
    pitches: Floats = field(default_factory=lambda: np.zeros(HIGHEST + 1))

    def add(self, samples: Samples, is_speech: bool) -> None:
        """Measure one segment that is not silent, float32 ``(n,)`` at 16 kHz."""
        power = float(np.square(samples, dtype=np.float64).sum())
        spectrum = _spectrum(samples, FRAME, HOP)
        self.power += power
        self.samples += len(samples)
        self.segments += 1
        self.spoken += is_speech
        self.weight += power
        self.flatness += power * _flatness(spectrum)
        bands = np.add.reduceat(spectrum, _BANDS, axis=1)[:, :-1]
        self.percussive += power * _percussive_share(bands)
        self.onsets += _onsets(bands)
        periodicity, pitches = _pitch(samples)
        self.periodicity += power * periodicity
        self.pitches += np.bincount(pitches.astype(int), minlength=HIGHEST + 1)[: HIGHEST + 1]

    def words(self) -> tuple[str, ...]:
        """The classes that hold, the most telling first."""
        if not self.weight:
            return ("silence",)
        speech = self.spoken >= SPOKEN * self.segments
        said = self._of_speech() if speech else self._of_sound()
        level = 10 * np.log10(self.power / self.samples)
        said += ["loud"] if level >= LOUD else ["quiet"] if level <= QUIET else []
        if not speech and self.onsets >= FEWEST_ONSETS:
            rate = self.onsets * RATE / self.samples
            said += ["fast"] if rate >= FAST else ["slow"] if rate <= SLOW else []
        return tuple(said)

    def _of_speech(self) -> list[str]:
        pitch = self._pitch()
        return ["speech", *(["low voice"] if pitch <= LOW_VOICE else ["high voice"] if pitch >= HIGH_VOICE else [])]

    def _of_sound(self) -> list[str]:
        flatness, periodicity = self.flatness / self.weight, self.periodicity / self.weight
        if periodicity >= TONAL and flatness <= FLAT:
            pitch = self._pitch()
            return [
                "tonal",
                *(["low-pitched"] if pitch <= LOW_PITCH else ["high-pitched"] if pitch >= HIGH_PITCH else []),
            ]
        percussive = self.percussive / self.weight >= PERCUSSIVE
        return [*(["percussive"] if percussive else []), *(["noise"] if flatness >= NOISY else [])]

    def _pitch(self) -> float:
        """Median of the pitches of voiced frames, Hz; between the thresholds' words where there is none."""
        total = self.pitches.sum()
        return float(np.searchsorted(np.cumsum(self.pitches), total / 2)) if total else (LOW_VOICE + HIGH_VOICE) / 2


def _spectrum(samples: Samples, frame: int, hop: int, padded: int | None = None) -> Floats:
    """Power spectrum of Hann-windowed frames, float64 ``(frames, bins)``; short sounds are padded to one frame."""
    given = np.pad(samples, (0, max(0, frame - len(samples))))
    cut = np.lib.stride_tricks.sliding_window_view(given, frame)[::hop]
    power: Floats = np.square(np.abs(np.fft.rfft(cut * np.hanning(frame), padded, axis=1)))
    return power


def _flatness(spectrum: Floats) -> float:
    """Geometric over arithmetic mean of the power between 90 and 7,500 Hz, mean of the frames by their power."""
    middle = spectrum[:, 6:480] + 1e-12 * spectrum.max() + 1e-30
    flat = np.exp(np.log(middle).mean(axis=1)) / middle.mean(axis=1)
    return float(np.average(flat, weights=middle.sum(axis=1)))


def _percussive_share(bands: Floats) -> float:
    """Share of the power that median filters along frequency keep better than those along time."""
    from scipy.ndimage import median_filter

    level = np.sqrt(bands)
    along_time, along_frequency = median_filter(level, (17, 1)) ** 2, median_filter(level, (1, 9)) ** 2
    share = along_frequency / (along_time + along_frequency + 1e-30)
    return float((bands * share).sum() / (bands.sum() + 1e-30))


def _onsets(bands: Floats) -> int:
    """Local maxima of the rise of level over all bands, at least 90 ms apart."""
    levels = np.log1p(1000 * np.sqrt(bands / (bands.max() + 1e-30))) / np.log1p(1000)
    rise = np.concatenate([[levels[0].mean()], np.maximum(np.diff(levels, axis=0), 0).mean(axis=1)])
    count, last = 0, -3
    for at in np.flatnonzero(rise >= max(_ONSET, 3 * float(np.median(rise)))):
        if at - last >= 3:
            count += 1
        last = int(at)
    return count


def _pitch(samples: Samples) -> tuple[float, Floats]:
    """Periodicity, the mean of the frames' by their power, and the pitches in Hz of the frames that have one."""
    spectrum = _spectrum(samples, PITCH_FRAME, PITCH_FRAME // 2, 2 * PITCH_FRAME)
    longest = RATE // LOWEST + 1
    correlation = np.fft.irfft(spectrum, axis=1)[:, : longest + 1]
    power = correlation[:, 0].copy()
    window = np.fft.irfft(np.square(np.abs(np.fft.rfft(np.hanning(PITCH_FRAME), 2 * PITCH_FRAME))))[: longest + 1]
    correlation = correlation / (power[:, None] + 1e-30) / (window / window[0])
    beyond = np.maximum.accumulate(correlation < _DIP, axis=1)
    shortest = RATE // HIGHEST
    peaks = np.where(beyond, correlation, 0.0)[:, shortest:]
    rising = np.pad(peaks, ((0, 0), (1, 1)))
    is_peak = (peaks > rising[:, :-2]) & (peaks >= rising[:, 2:])
    best = np.where(is_peak, peaks, 0.0).max(axis=1)
    # The first peak that is nearly as high as the highest: multiples of the period are as high.
    first = (is_peak & (peaks >= 0.9 * best[:, None]) & (best[:, None] > 0)).argmax(axis=1)
    voiced = best >= _VOICED
    return float(np.average(best, weights=power + 1e-30)), RATE / (shortest + first[voiced])
