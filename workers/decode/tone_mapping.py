"""Map HDR and wide-gamut samples of stills and films to 8-bit sRGB.

Transfer and primaries are code points of Recommendation ITU-T H.273, which AVIF, HEIC, PNG (``cICP``) and films share.

Source: PQ and HLG: Recommendation ITU-R BT.2100-2, tables 4 and 5. Tone mapping: the EETF of Report ITU-R BT.2390-11,
section 5.4.1, without its lift of blacks, applied to the largest of R, G and B so that hues stay. White of SDR at 203
cd/m2: Report ITU-R BT.2408-7, table 1. sRGB: IEC 61966-2-1.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

PQ, HLG = 16, 18
"""Transfers of HDR."""
BT709, BT2020, DCI_P3, DISPLAY_P3 = 1, 9, 11, 12
"""Primaries."""
WHITE_NITS = 203.0
"""Luminance that becomes white of sRGB, cd/m2."""

_LINEAR = 8
_GAMMA = {4: 2.2, 5: 2.8}
"""Transfers that are a plain power. Every other one of SDR is shown by displays as sRGB is, and is kept."""
_PQ_NITS, _HLG_NITS, _HLG_GAMMA = 10_000.0, 1000.0, 1.2
_M1, _M2 = 2610 / 16384, 2523 / 4096 * 128
_C1, _C2, _C3 = 3424 / 4096, 2413 / 4096 * 32, 2392 / 4096 * 32
_BRIGHTEST_SHARE = 0.999
"""Share of the samples that lie below the peak a picture is mapped from: single sparks don't darken the rest."""
_D65 = (0.3127, 0.3290)
_CHROMATICITIES = {
    BT709: ((0.640, 0.330), (0.300, 0.600), (0.150, 0.060), _D65),
    4: ((0.67, 0.33), (0.21, 0.71), (0.14, 0.08), (0.310, 0.316)),
    5: ((0.64, 0.33), (0.29, 0.60), (0.15, 0.06), _D65),
    6: ((0.630, 0.340), (0.310, 0.595), (0.155, 0.070), _D65),
    7: ((0.630, 0.340), (0.310, 0.595), (0.155, 0.070), _D65),
    BT2020: ((0.708, 0.292), (0.170, 0.797), (0.131, 0.046), _D65),
    DCI_P3: ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060), (0.314, 0.351)),
    DISPLAY_P3: ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060), _D65),
}
"""x and y of red, green, blue and white by the code of H.273, table 2."""

_Floats = npt.NDArray[np.float32]


def needs_mapping(transfer: int, primaries: int) -> bool:
    """Whether samples with these codes look plainly wrong when they are shown as sRGB."""
    return transfer in (PQ, HLG, _LINEAR, 5) or primaries in (BT2020, DCI_P3, DISPLAY_P3)


def to_srgb(
    pixels: npt.NDArray[Any], transfer: int, primaries: int, depth: int = 8, peak: float | None = None
) -> npt.NDArray[np.uint8]:
    """sRGB of full-range RGB samples, uint8 (h, w, 3).

    Args:
        pixels: (h, w, 3) RGB; integers of ``depth`` bits, or floats in [0, 1].
        transfer, primaries: codes of H.273; unknown ones count as sRGB's.
        peak: cd/m2 of the brightest that an HDR picture has, such as one measured over a whole film; by default that
            of this picture.
    """
    if pixels.dtype.kind == "f":
        signal = np.clip(np.nan_to_num(pixels.astype(np.float32)), 0.0, 1.0)
        linear = _linear(signal, transfer)
    else:
        top = (1 << depth) - 1
        levels = _linear(np.arange(top + 1, dtype=np.float32) / np.float32(top), transfer)
        linear = levels[np.minimum(pixels, top)]
    if transfer == HLG:
        linear = _shown(linear, primaries)
    if transfer in (PQ, HLG):
        linear = _tone_mapped(linear, peak)
    if primaries in _CHROMATICITIES and primaries != BT709:
        linear = linear @ _to_srgb_primaries(primaries).T
    return np.asarray(np.rint(_encoded(np.clip(linear, 0.0, 1.0)) * 255), np.uint8)


def _linear(signal: _Floats, transfer: int) -> _Floats:
    """Linear light of a signal in [0, 1]: 1 is white of sRGB; of HLG it is light of the scene in [0, 1]."""
    if transfer == PQ:
        return np.asarray(_pq_to_nits(signal) / WHITE_NITS, np.float32)
    if transfer == HLG:
        a, b, c = 0.17883277, 0.28466892, 0.55991073
        return np.asarray(np.where(signal <= 0.5, signal**2 / 3, (np.exp((signal - c) / a) + b) / 12), np.float32)
    if transfer == _LINEAR:
        return signal
    if transfer in _GAMMA:
        return np.asarray(signal ** _GAMMA[transfer], np.float32)
    return np.asarray(np.where(signal <= 0.04045, signal / 12.92, ((signal + 0.055) / 1.055) ** 2.4), np.float32)


def _encoded(linear: _Floats) -> _Floats:
    """The curve of sRGB, of linear light in [0, 1]."""
    bright = 1.055 * np.power(linear, 1 / 2.4) - 0.055
    return np.asarray(np.where(linear <= 0.0031308, 12.92 * linear, bright), np.float32)


def _pq_to_nits(signal: npt.NDArray[np.floating[Any]]) -> npt.NDArray[np.float64]:
    power = np.power(signal.astype(np.float64), 1 / _M2)
    return np.asarray(_PQ_NITS * (np.maximum(power - _C1, 0) / (_C2 - _C3 * power)) ** (1 / _M1), np.float64)


def _nits_to_pq(nits: npt.NDArray[np.floating[Any]]) -> npt.NDArray[np.float64]:
    power = np.power(np.maximum(nits, 0) / _PQ_NITS, _M1)
    return np.asarray(((_C1 + _C2 * power) / (1 + _C3 * power)) ** _M2, np.float64)


def _shown(scene: _Floats, primaries: int) -> _Floats:
    """Light of a display of 1,000 cd/m2 that shows a scene in HLG; 1 is white of sRGB."""
    row = _to_xyz(primaries if primaries in _CHROMATICITIES else BT2020)[1].astype(np.float32)
    luminance = np.maximum(scene @ row, np.float32(1e-6))
    gain = np.float32(_HLG_NITS / WHITE_NITS) * luminance ** np.float32(_HLG_GAMMA - 1)
    return np.asarray(scene * gain[..., np.newaxis], np.float32)


def _tone_mapped(linear: _Floats, peak: float | None) -> _Floats:
    """Highlights compressed so that ``peak`` is white; a picture that has none is not changed."""
    brightest = linear.max(axis=-1)
    most = peak / WHITE_NITS if peak else float(np.quantile(brightest, _BRIGHTEST_SHARE)) if brightest.size else 0.0
    if most <= 1.0:
        return linear
    levels = np.linspace(0.0, 1.0, 4096)
    from_peak, to_white = (float(_nits_to_pq(np.array(nits))) for nits in (most * WHITE_NITS, WHITE_NITS))
    mapped = _pq_to_nits(_eetf(levels, to_white / from_peak) * from_peak) / WHITE_NITS
    given = _pq_to_nits(levels * from_peak) / WHITE_NITS
    bounded = np.clip(brightest, 1e-6, most)
    gain = np.interp(bounded, given, mapped) / np.maximum(brightest, 1e-6)
    return np.asarray(linear * gain.astype(np.float32)[..., np.newaxis], np.float32)


def _eetf(signal: npt.NDArray[np.float64], most: float) -> npt.NDArray[np.float64]:
    """PQ signals, 1 at the peak of the picture, with a knee before the display's peak ``most``."""
    knee = max(0.0, 1.5 * most - 0.5)
    t = np.clip((signal - knee) / (1 - knee), 0.0, 1.0)
    curve = (2 * t**3 - 3 * t**2 + 1) * knee + (t**3 - 2 * t**2 + t) * (1 - knee) + (3 * t**2 - 2 * t**3) * most
    return np.where(signal < knee, signal, curve)


@lru_cache
def _to_xyz(primaries: int) -> npt.NDArray[np.float64]:
    """float64 (3, 3) from linear RGB to CIE XYZ; white has Y = 1."""
    *rgb, white = ((x / y, 1.0, (1 - x - y) / y) for x, y in _CHROMATICITIES[primaries])
    columns = np.array(rgb).T
    return np.asarray(columns * np.linalg.solve(columns, np.array(white)), np.float64)


@lru_cache
def _to_srgb_primaries(primaries: int) -> _Floats:
    """float32 (3, 3) from linear RGB of ``primaries`` to that of sRGB; white stays white (von Kries in XYZ)."""
    source, target = _to_xyz(primaries), _to_xyz(BT709)
    adapted = np.diag(target.sum(axis=1) / source.sum(axis=1))
    return np.asarray(np.linalg.inv(target) @ adapted @ source, np.float32)
