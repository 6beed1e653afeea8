"""How much of a progressive JPEG its scans hold.

Source: Recommendation ITU-T T.81, annexes B and G: each scan brings coefficients Ss to Se of some components, exact to
the bit Al.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

_SOI, _EOI, _SOS = 0xD8, 0xD9, 0xDA
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_RESTARTS = range(0xD0, 0xD8)
_WITHOUT_LENGTH = (0x01, *_RESTARTS, _SOI, _EOI)
_COEFFICIENTS = 64
_CONSTANT_WEIGHT = 0.5
"""Weight of the constant coefficient: a picture of these alone has all of its rows, coarsely."""
_BIT = 0.25
"""What each bit that is missing takes off a coefficient."""


@dataclass(frozen=True, slots=True)
class ProgressiveScan:
    """A scan: its coefficients, the bit they are exact to, where its data begin and end."""

    of_luminance: bool
    first: int
    last: int
    bit: int
    start: int
    end: int


def share_missing(scans: Sequence[ProgressiveScan], reach: float) -> float:
    """Share of the detail of the luminance that is not there, in [0, 1]; 0 for a picture whose scans are complete.

    Args:
        scans: from :func:`scans_of`.
        reach: share of the rows that the last of these covers.
    """
    known = np.zeros(_COEFFICIENTS)
    for at, scan in enumerate(scans):
        if scan.of_luminance:
            value, part = max(0.0, 1 - _BIT * scan.bit), known[scan.first : scan.last + 1]
            part += np.maximum(0.0, value - part) * (reach if at == len(scans) - 1 else 1.0)
    weight = np.full(_COEFFICIENTS, (1 - _CONSTANT_WEIGHT) / (_COEFFICIENTS - 1))
    weight[0] = _CONSTANT_WEIGHT
    return max(0.0, float(1 - weight @ known))


def scans_of(data: bytes) -> list[ProgressiveScan]:
    """The scans of a JPEG in order; the last may be cut."""
    return list(_scans(data))


def _scans(data: bytes) -> Iterator[ProgressiveScan]:
    at, luminance = 2, -1
    while at + 4 <= len(data):
        if data[at] != 0xFF:
            at += 1
            continue
        marker = data[at + 1]
        if marker in _WITHOUT_LENGTH or marker in (0x00, 0xFF):
            at += 1 if marker == 0xFF else 2
            continue
        length = int.from_bytes(data[at + 2 : at + 4], "big")
        body = data[at + 4 : at + 2 + length]
        at += 2 + length
        if marker in _FRAMES and len(body) > 6:
            luminance = body[6]
        if marker != _SOS or not body or len(body) < 4 + 2 * body[0]:
            continue
        end = _entropy_end(data, at)
        first, last, bits = body[-3], min(body[-2], _COEFFICIENTS - 1), body[-1]
        yield ProgressiveScan(luminance in body[1 : 1 + 2 * body[0] : 2], first, last, bits & 15, at, end)
        at = end


def _entropy_end(data: bytes, at: int) -> int:
    """Where the data of a scan end: at a marker that is neither a stuffed byte nor a restart."""
    while (at := data.find(b"\xff", at)) >= 0 and at + 1 < len(data):
        if data[at + 1] and data[at + 1] not in _RESTARTS:
            return at
        at += 2
    return len(data)
