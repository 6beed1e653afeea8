"""HDR frames (PQ, HLG) and wide gamuts (BT.2020, P3), mapped to sRGB.

Diffuse white of HDR, 203 cd/m² (ITU-R BT.2408), becomes white. What a frame shows above that is compressed by the curve
of ITU-R BT.2390 from the frame's own peak, and the hue is kept; a frame that shows nothing above is only converted.
"""

from __future__ import annotations

from enum import Enum
from functools import lru_cache

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]

WHITE = 203.0
"""cd/m² of diffuse white."""
_BRIGHTEST = 10_000.0
_HLG_PEAK, _HLG_GAMMA = 1000.0, 1.2
_PEAK_SHARE = 99.9
"""Percentile of a frame's brightest channel that counts as its peak."""
_FINE = 1 << 14
"""Steps of the table of sRGB."""


class Transfer(Enum):
    """How a signal stands for light."""

    SDR = "sRGB"
    PQ = "SMPTE ST 2084"
    HLG = "ARIB STD-B67"


class Primaries(Enum):
    """Chromaticities (x, y) of red, green and blue; white is D65. Source: ITU-T H.273, table 2."""

    BT709 = ((0.64, 0.33), (0.30, 0.60), (0.15, 0.06))
    BT2020 = ((0.708, 0.292), (0.170, 0.797), (0.131, 0.046))
    P3 = ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060))


def to_srgb(signal: npt.NDArray[np.uint16], transfer: Transfer, primaries: Primaries) -> npt.NDArray[np.uint8]:
    """uint8 (h, w, 3) sRGB of a picture.

    Args:
        signal: uint16 (h, w, 3) RGB as it is coded, full range.
    """
    light = _light_table(transfer)[signal]
    if transfer is Transfer.HLG:
        luminance = light @ np.array([0.2627, 0.6780, 0.0593], np.float32)
        light *= np.power(np.maximum(luminance, 1e-6), _HLG_GAMMA - 1)[..., np.newaxis]
        light *= np.float32(_HLG_PEAK / WHITE)
    if transfer is not Transfer.SDR:
        light = _compressed(light)
    light = light @ _to_bt709(primaries).T
    return np.asarray(_srgb_table()[(np.clip(light, 0, 1) * (_FINE - 1) + 0.5).astype(np.int32)])


def _compressed(light: Floats) -> Floats:
    """Light of a frame with its highlights brought below white; 1 is white."""
    brightest = light.max(axis=2)
    peak = float(np.percentile(brightest, _PEAK_SHARE))
    if peak <= 1.0:
        return light
    steps = np.linspace(0, 1, 4096) ** 2 * peak
    scale = _highlights(steps * WHITE, peak * WHITE) / WHITE / np.maximum(steps, 1e-9)
    scale[0] = scale[1]
    at = np.sqrt(np.minimum(brightest / np.float32(peak), 1)) * 4095
    return np.asarray(light * scale.astype(np.float32)[(at + 0.5).astype(np.int32)][..., np.newaxis], np.float32)


def _highlights(nits: npt.NDArray[np.float64], peak: float) -> npt.NDArray[np.float64]:
    """cd/m² on a display whose white is ``WHITE``. Source: ITU-R BT.2390-11, 5.4.1 (EETF), without lifted black."""
    top = pq_signal(np.array(peak))
    e1, most = pq_signal(nits) / top, float(pq_signal(np.array(WHITE)) / top)
    knee = 1.5 * most - 0.5
    t = np.clip((e1 - knee) / (1 - knee), 0, 1)
    spline = (2 * t**3 - 3 * t**2 + 1) * knee + (t**3 - 2 * t**2 + t) * (1 - knee) + (-2 * t**3 + 3 * t**2) * most
    return pq_light(np.where(e1 < knee, e1, spline) * top)


_M1, _M2 = 2610 / 16384, 2523 / 4096 * 128
_C1, _C2, _C3 = 3424 / 4096, 2413 / 4096 * 32, 2392 / 4096 * 32


def pq_light(signal: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """cd/m² of a signal in [0, 1]. Source: ITU-R BT.2100, table 4."""
    power = np.power(np.clip(signal, 0, 1), 1 / _M2)
    return _BRIGHTEST * np.power(np.maximum(power - _C1, 0) / (_C2 - _C3 * power), 1 / _M1)


def pq_signal(nits: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """The inverse of :func:`pq_light`."""
    power = np.power(np.clip(nits, 0, _BRIGHTEST) / _BRIGHTEST, _M1)
    return np.power((_C1 + _C2 * power) / (1 + _C3 * power), _M2)


def _hlg_scene_light(signal: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Light of the scene in [0, 1]. Source: ITU-R BT.2100, table 5."""
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    return np.where(signal <= 0.5, signal**2 / 3, (np.exp((signal - c) / a) + b) / 12)


def _srgb_light(signal: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Source: IEC 61966-2-1."""
    return np.where(signal <= 0.04045, signal / 12.92, ((signal + 0.055) / 1.055) ** 2.4)


@lru_cache(maxsize=3)
def _light_table(transfer: Transfer) -> Floats:
    """Light of each of 65,536 signals: 1 is white; of HLG, light of the scene."""
    signal = np.linspace(0, 1, 1 << 16)
    if transfer is Transfer.PQ:
        return (pq_light(signal) / WHITE).astype(np.float32)
    light = _hlg_scene_light(signal) if transfer is Transfer.HLG else _srgb_light(signal)
    return light.astype(np.float32)


@lru_cache(maxsize=1)
def _srgb_table() -> npt.NDArray[np.uint8]:
    light = np.linspace(0, 1, _FINE)
    signal = np.where(light <= 0.0031308, 12.92 * light, 1.055 * np.power(light, 1 / 2.4) - 0.055)
    return np.asarray(np.rint(255 * signal), np.uint8)


@lru_cache(maxsize=3)
def _to_bt709(primaries: Primaries) -> Floats:
    """Matrix from linear RGB of ``primaries`` to that of BT.709. Source: SMPTE RP 177."""
    return np.asarray(np.linalg.inv(_to_xyz(Primaries.BT709)) @ _to_xyz(primaries), np.float32)


def _to_xyz(primaries: Primaries) -> npt.NDArray[np.float64]:
    columns: npt.NDArray[np.float64] = np.array([[x / y, 1.0, (1 - x - y) / y] for x, y in primaries.value]).T
    white = np.array([0.3127 / 0.3290, 1.0, (1 - 0.3127 - 0.3290) / 0.3290])
    return np.asarray(columns * np.linalg.solve(columns, white))
