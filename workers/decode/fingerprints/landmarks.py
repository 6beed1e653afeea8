"""Landmarks of a sound: pairs of spectral peaks, with the time of the first.

A peak outlasts coding, loudness and noise, and a pair of them says what follows what after how long, so that two
recordings of one sound have many pairs in common at one offset. Memory is flat, whatever the length.

Source: A. L. Wang, "An Industrial-Strength Audio Search Algorithm", ISMIR 2003. Here on 32 ms steps up to 4 kHz, the
strongest peaks of each half second, each paired with the next ones.
"""

from __future__ import annotations

import time

import cv2
import numpy as np
import numpy.typing as npt

from search.similar.reuse.footprints import LANDMARK_SECONDS

MOST_SECONDS = 15.0
"""Time for one recording, enough for hours of it, so that a decoder keeps to its own; what follows has no landmarks."""

_WINDOW = 2048
_HOP = round(LANDMARK_SECONDS * 16_000)
_BINS = 512
"""Up to 4 kHz, 7.8 Hz each; the lowest hold hum."""
_LOWEST = 8
_AROUND_STEPS, _AROUND_BINS = 7, 10
"""A peak is the loudest within so many steps of 32 ms, and bins, on either side."""
_BLOCK = 500
"""Steps whose spectra are in memory: 16 s."""
_PART, _PEAKS = 16, 6
"""Steps of about half a second, and the most peaks in them."""
_PAIRS = 3
"""Later peaks that each is paired with."""
_MOST_STEPS, _MOST_BINS = 63, 63
"""Farthest that the second of a pair may be."""
_FLOOR = 60.0
"""Decibels below the loudest of a block at which there are no peaks."""
_SILENCE = 1e-4
"""Root mean square of a block below which it is silent, -80 dB of full scale."""

_HANN = np.hanning(_WINDOW).astype(np.float32)
_KERNEL = np.ones((2 * _AROUND_STEPS + 1, 2 * _AROUND_BINS + 1), np.uint8)


class SoundLandmarks:
    """Takes the samples of one recording in order."""

    def __init__(self) -> None:
        self._waiting = np.zeros(0, np.float32)
        self._begins = 0
        self._spent = 0.0
        self._times: list[npt.NDArray[np.int64]] = []
        self._bins: list[npt.NDArray[np.int64]] = []

    def add(self, samples: npt.NDArray[np.float32]) -> None:
        """Take the next samples, float32 (n,) mono at 16 kHz."""
        if self._spent > MOST_SECONDS:
            return
        self._waiting = np.concatenate([self._waiting, samples])
        # A block is looked at with the steps before and after it that its peaks are compared with.
        while len(self._waiting) >= _WINDOW + _HOP * (_BLOCK + 2 * _AROUND_STEPS):
            self._take(_BLOCK)

    def pairs(self) -> npt.NDArray[np.uint32]:
        """uint32 (2, k): hashes and times, see ``search.similar.reuse.footprints``."""
        if len(self._waiting) >= _WINDOW:
            self._take((len(self._waiting) - _WINDOW) // _HOP + 1)
        if not self._times:
            return np.empty((2, 0), np.uint32)
        return _paired(np.concatenate(self._times), np.concatenate(self._bins))

    def _take(self, steps: int) -> None:
        """Find the peaks of the next ``steps``; the samples of a few before them are kept to compare with."""
        began = time.monotonic()
        before = min(self._begins, _AROUND_STEPS)
        count = min((len(self._waiting) - _WINDOW) // _HOP + 1, before + steps + _AROUND_STEPS)
        times, bins = _peaks(self._waiting[: (count - 1) * _HOP + _WINDOW], before, min(count, before + steps))
        self._times.append(times + self._begins - before)
        self._bins.append(bins)
        self._begins += steps
        self._waiting = self._waiting[(before + steps - min(self._begins, _AROUND_STEPS)) * _HOP :]
        self._spent += time.monotonic() - began


def sound_landmarks(samples: npt.NDArray[np.float32]) -> npt.NDArray[np.uint32]:
    """Landmarks of a whole recording, see :meth:`SoundLandmarks.pairs`."""
    made = SoundLandmarks()
    made.add(samples)
    return made.pairs()


def _peaks(
    samples: npt.NDArray[np.float32], first: int, end: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Steps and bins of the peaks among the steps from ``first`` to before ``end``, in order."""
    nothing = np.empty(0, np.int64), np.empty(0, np.int64)
    if end <= first or float(np.sqrt(np.mean(np.square(samples)))) < _SILENCE:
        return nothing
    windows = np.lib.stride_tricks.sliding_window_view(samples, _WINDOW)[::_HOP]
    spectrum = np.abs(np.fft.rfft(windows * _HANN, axis=1)[:, :_BINS]).astype(np.float32)
    levels = 20 * np.log10(spectrum + 1e-9)
    highest = cv2.dilate(levels, _KERNEL, borderType=cv2.BORDER_REPLICATE)
    is_peak = (levels >= highest) & (levels > levels.max() - _FLOOR)
    is_peak[:, :_LOWEST] = False
    steps, bins = np.nonzero(is_peak[first:end])
    if not len(steps):
        return nothing
    steps = steps + first
    order = np.lexsort((-levels[steps, bins], steps // _PART))
    part = (steps // _PART)[order]
    rank = np.arange(len(part)) - np.searchsorted(part, part)
    kept = np.sort(order[rank < _PEAKS])
    return steps[kept].astype(np.int64), bins[kept].astype(np.int64)


def _paired(times: npt.NDArray[np.int64], bins: npt.NDArray[np.int64]) -> npt.NDArray[np.uint32]:
    """Each peak with the next ones that are near enough."""
    left: list[npt.NDArray[np.int64]] = []
    right: list[npt.NDArray[np.int64]] = []
    taken = np.zeros(len(times), np.int64)
    for ahead in range(1, 4 * _PAIRS):
        at = np.arange(len(times) - ahead)
        apart = times[at + ahead] - times[at]
        near = (apart >= 2) & (apart <= _MOST_STEPS) & (np.abs(bins[at + ahead] - bins[at]) <= _MOST_BINS)
        at = at[near & (taken[at] < _PAIRS)]
        taken[at] += 1
        left.append(at)
        right.append(at + ahead)
    one, two = np.concatenate(left), np.concatenate(right)
    order = np.argsort(one, kind="stable")
    one, two = one[order], two[order]
    # Half the resolution in time and pitch: a codec, and windows that begin elsewhere, move peaks by one.
    hashes = (bins[one] // 2) << 12 | ((bins[two] - bins[one] + _MOST_BINS) // 2) << 6 | (times[two] - times[one]) // 2
    return np.stack([hashes, times[one]]).astype(np.uint32)
