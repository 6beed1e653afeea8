"""Make small ICC profiles of RGB and gray spaces that files name without one: Adobe RGB, PNG's gAMA and cHRM.

Source: ICC.1:2001-04 (version 2 profiles); chromatic adaptation by Bradford to D50, as ICC.1:2022 annex E. Adobe RGB
(1998) Color Image Encoding, section 4.3.
"""

from __future__ import annotations

import struct
from functools import lru_cache

import numpy as np
import numpy.typing as npt

Chromaticity = tuple[float, float]
Primaries = tuple[Chromaticity, Chromaticity, Chromaticity, Chromaticity]
"""x and y of red, green, blue and white."""

D65: Chromaticity = (0.3127, 0.3290)
SRGB_PRIMARIES: Primaries = ((0.64, 0.33), (0.30, 0.60), (0.15, 0.06), D65)
ADOBE_PRIMARIES: Primaries = ((0.64, 0.33), (0.21, 0.71), (0.15, 0.06), D65)
ADOBE_GAMMA = 563 / 256

_D50 = np.array([0.9642, 1.0, 0.8249])
_BRADFORD = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])
_HEADER_SIZE, _ENTRY_SIZE = 128, 12


@lru_cache(maxsize=32)
def rgb_profile(primaries: Primaries, gamma: float) -> bytes:
    """Bytes of an RGB profile: these primaries, and a signal that is light to the power of 1 / ``gamma``.

    Raises:
        ValueError: the primaries span no space.
    """
    red, green, blue = _to_d50(primaries).T
    curve = _curve(gamma)
    tags = {b"rXYZ": _xyz(red), b"gXYZ": _xyz(green), b"bXYZ": _xyz(blue), b"wtpt": _xyz(_D50)}
    return _profile(b"RGB ", tags | dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), curve))


@lru_cache(maxsize=32)
def gray_profile(gamma: float) -> bytes:
    """Bytes of a gray profile whose signal is light to the power of 1 / ``gamma``."""
    return _profile(b"GRAY", {b"kTRC": _curve(gamma), b"wtpt": _xyz(_D50)})


def _to_d50(primaries: Primaries) -> npt.NDArray[np.float64]:
    """float64 (3, 3): XYZ of red, green and blue in columns, adapted to D50."""
    if any(not (-1 < x < 2 and 0 < y < 2) for x, y in primaries):
        raise ValueError("Chromaticities outside what can be.")
    *rgb, white = (np.array([x / y, 1.0, (1 - x - y) / y]) for x, y in primaries)
    columns = np.array(rgb).T
    if abs(np.linalg.det(columns)) < 1e-6:
        raise ValueError("Chromaticities that span no space.")
    scaled = columns * np.linalg.solve(columns, white)
    cones = np.diag((_BRADFORD @ _D50) / (_BRADFORD @ white))
    return np.asarray(np.linalg.inv(_BRADFORD) @ cones @ _BRADFORD @ scaled, np.float64)


def _xyz(values: npt.NDArray[np.float64]) -> bytes:
    return b"XYZ \0\0\0\0" + struct.pack(">3i", *(round(float(value) * 65536) for value in values))


def _curve(gamma: float) -> bytes:
    """A power of eight fractional bits, in [1 / 256, 8]."""
    return b"curv\0\0\0\0" + struct.pack(">IH2x", 1, max(1, min(2048, round(gamma * 256))))


def _profile(space: bytes, tags: dict[bytes, bytes]) -> bytes:
    at = _HEADER_SIZE + 4 + _ENTRY_SIZE * len(tags)
    table, body = struct.pack(">I", len(tags)), b""
    for name, data in tags.items():
        table += name + struct.pack(">II", at + len(body), len(data))
        body += data
    header = struct.pack(">I4sI4s4s4s", at + len(body), b"\0\0\0\0", 0x02400000, b"mntr", space, b"XYZ ")
    header += struct.pack(">6H4s", 2026, 1, 1, 0, 0, 0, b"acsp").ljust(32, b"\0") + struct.pack(
        ">3i", 63190, 65536, 54061
    )
    return header.ljust(_HEADER_SIZE, b"\0") + table + body
