"""256-bit perceptual hashes of pictures and sounds, which survive editing.

Two fingerprints are compared by the number of bits that differ. Unrelated content differs in about 128 of the 256;
``search.similar.near`` defines how few make a near duplicate.

Source of the picture hash: PDQ, in Facebook, "The TMK+PDQF Video-Hashing Algorithm and the PDQ Image-Hashing Algorithm"
(2019): luminance, 64 x 64, the 16 x 16 lowest frequencies of the DCT without the constant, one bit each for above the
median. This is the same idea and not the same bits.
Source of the sound hash: J. Haitsma, T. Kalker, "A Highly Robust Audio Fingerprinting System", ISMIR 2002: signs of the
differences of band energies along frequency and time; here over eight steps of the whole length instead of one a frame.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PIL import Image

from workers.decode.sound import SOUND_RATE
from workers.decode.thinned import Thinned

_SIDE, _FREQUENCIES = 64, 16
LEAST_DETAIL = 1.5
"""Mean step between neighbours of the 64 x 64 luminance, in gray levels, below which a picture is too plain."""

_BANDS, _STEPS = 33, 9
_LOWEST_HZ, _HIGHEST_HZ = 200.0, 3400.0
"""Telephone band, which every codec and bit rate preserves."""
_WINDOW, _HOP = 2048, 512
_AUDIBLE = 1e-4
"""Share of the loudest window's energy below which leading and trailing windows are cut off: encoders pad."""
LEAST_LOUDNESS = 1e-4
"""Root mean square below which a sound is silence (-80 dB of full scale)."""
LEAST_SECONDS = 0.5


def _dct_rows() -> npt.NDArray[np.float32]:
    """float32 (16, 64): DCT-II basis of frequencies 1 to 16."""
    frequency = np.arange(1, _FREQUENCIES + 1)[:, None]
    position = np.arange(_SIDE)[None, :] + 0.5
    return np.asarray(np.sqrt(2 / _SIDE) * np.cos(np.pi / _SIDE * frequency * position), np.float32)


_DCT = _dct_rows()


def _pack(bits: npt.NDArray[np.bool_]) -> str:
    return np.packbits(bits.ravel()).tobytes().hex()


def picture_fingerprint(picture: Image.Image) -> str | None:
    """64 hex digits; None for a picture without enough detail (``LEAST_DETAIL``).

    Args:
        picture: RGB or L, upright, any size.
    """
    gray = picture.convert("L").resize((_SIDE, _SIDE), Image.Resampling.BOX)
    luminance = np.asarray(gray, np.float32)
    detail = (np.abs(np.diff(luminance, axis=0)).mean() + np.abs(np.diff(luminance, axis=1)).mean()) / 2
    if detail < LEAST_DETAIL:
        return None
    coefficients = _DCT @ luminance @ _DCT.T
    return _pack(coefficients > np.median(coefficients))


def sound_fingerprint(samples: npt.NDArray[np.float32]) -> str | None:
    """:meth:`SoundFingerprint.text` of a whole sound, float32 (n,) mono at 16 kHz."""
    made = SoundFingerprint()
    made.add(samples)
    return made.text()


_EDGES = np.rint(np.geomspace(_LOWEST_HZ, _HIGHEST_HZ, _BANDS + 1) * _WINDOW / SOUND_RATE).astype(np.int64)
"""First FFT bin of each band, evenly spaced on a logarithmic scale, and the end of the last."""
_BLOCK = 512
_HANN = np.hanning(_WINDOW).astype(np.float32)


def _mean(groups: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    return np.asarray(groups.mean(axis=1), np.float32)


class SoundFingerprint:
    """The fingerprint of a sound that is read in pieces, in memory that does not grow with it: of more than 17 minutes,
    energies of neighbouring windows are averaged first."""

    def __init__(self) -> None:
        self._bands = Thinned(_mean)
        self._rest: npt.NDArray[np.float32] = np.empty(0, np.float32)
        self._samples = 0
        self._energy = 0.0

    def add(self, samples: npt.NDArray[np.float32]) -> None:
        """Take the next samples into account, float32 (n,) mono at 16 kHz."""
        self._samples += len(samples)
        self._energy += float(np.square(samples, dtype=np.float64).sum())
        joined = np.concatenate([self._rest, samples])
        if len(joined) < _WINDOW:
            self._rest = joined
            return
        windows = np.lib.stride_tricks.sliding_window_view(joined, _WINDOW)[::_HOP]
        for start in range(0, len(windows), _BLOCK):
            self._bands.add(_band_energies(windows[start : start + _BLOCK]))
        self._rest = joined[len(windows) * _HOP :].copy()

    def text(self) -> str | None:
        """64 hex digits; None for silence and for sounds shorter than ``LEAST_SECONDS``."""
        if self._samples < LEAST_SECONDS * SOUND_RATE or (self._energy / self._samples) ** 0.5 < LEAST_LOUDNESS:
            return None
        bands = self._bands.rows()
        loud = np.flatnonzero(bands.sum(axis=1) > _AUDIBLE * bands.sum(axis=1).max())
        bands = bands[loud[0] : loud[-1] + 1]
        levels = _pooled(np.log(bands + 1e-7 * bands.max()), _STEPS)
        return _pack(np.diff(np.diff(levels, axis=0), axis=1) > 0)


def _band_energies(windows: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """float32 (windows, 33) of float32 (windows, 2048)."""
    spectrum = np.fft.rfft(windows * _HANN, axis=1)
    power = np.square(spectrum.real) + np.square(spectrum.imag)
    return np.asarray(np.add.reduceat(power[:, : _EDGES[-1]], _EDGES[:-1], axis=1), np.float32)


def _pooled(values: npt.NDArray[np.float32], steps: int) -> npt.NDArray[np.float64]:
    """Means over ``steps`` equal stretches of time, windows counted by the share that lies in each: (steps, bands)."""
    total = np.concatenate([np.zeros((1, values.shape[1])), np.cumsum(values, axis=0, dtype=np.float64)])
    edges = np.linspace(0, len(values), steps + 1)
    below = np.minimum(edges.astype(np.int64), len(values) - 1)
    at_edges = total[below] + (edges - below)[:, np.newaxis] * values[below]
    return np.asarray(np.diff(at_edges, axis=0) / np.diff(edges)[:, np.newaxis])
