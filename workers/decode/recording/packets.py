"""Whether the packets of a transport or programme stream are all there."""

from __future__ import annotations

from typing import IO

import numpy as np
import numpy.typing as npt

_PACK = 2048
_PACKETS = ((188, 0, b"\x47"), (192, 4, b"\x47"), (204, 0, b"\x47"), (_PACK, 0, b"\0\0\1\xba"))
"""Bytes of a packet of transport and programme streams, where its mark stands, and the mark."""
_STUFFING = 0x1FFF
_COUNTED_BYTES = 128 << 20
"""Bytes of such a stream whose packets are counted."""


def unsynchronised(file: IO[bytes]) -> tuple[float, bool]:
    """Share of a transport or programme stream's packets that do not begin as they must, and whether any are missing.

    Source: ISO/IEC 13818-1, 2.4.3.3 and 2.5.3.
    """
    file.seek(0)
    start = file.read(4 * _PACK)
    kind = next((kind for kind in _PACKETS if _begins(start, *kind)), None)
    if kind is None:
        return 0.0, False
    pitch, lead, sync = kind
    file.seek(0)
    data = np.frombuffer(file.read(_COUNTED_BYTES), np.uint8)
    packets = data[: len(data) // pitch * pitch].reshape(-1, pitch)
    good = (packets[:, lead : lead + len(sync)] == np.frombuffer(sync, np.uint8)).all(axis=1)
    bad = 0.0 if good.all() or not good[-2:].all() else 1 - float(good.mean())
    return bad, not good.all() or (len(sync) == 1 and _counters_skip(packets[:, lead : lead + 6].astype(np.int32)))


def _begins(start: bytes, pitch: int, lead: int, sync: bytes) -> bool:
    return all(start[lead + n * pitch :].startswith(sync) for n in range(4))


def _counters_skip(packets: npt.NDArray[np.int32]) -> bool:
    """Whether the counters of a transport stream's packets, given by their first bytes, int32 (n, 6), skip some."""
    number = (packets[:, 1] & 0x1F) << 8 | packets[:, 2]
    carries, counter = packets[:, 3] & 0x10, packets[:, 3] & 0x0F
    restarts = (packets[:, 3] & 0x20 > 0) & (packets[:, 4] > 0) & (packets[:, 5] & 0x80 > 0)
    for each in np.unique(number[number != _STUFFING]):
        mine = (number == each) & (carries > 0)
        steps = np.diff(counter[mine]) % 16
        if ((steps > 1) & ~restarts[mine][1:]).any():
            return True
    return False
